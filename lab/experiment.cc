#include "lab/experiment.h"

#include <algorithm>
#include <optional>

#include "lab/administrator.h"
#include "lab/disk_reader.h"
#include "lab/fault_schedule.h"
#include "lab/judge.h"
#include "lab/load.h"
#include "lab/measure.h"
#include "lab/node_plan.h"
#include "lab/observer.h"
#include "lab/online_judge.h"
#include "lab/overrides.h"
#include "lab/plan.h"
#include "lab/predict.h"
#include "lab/storm.h"
#include "lab/text.h"
#include "lab/units.h"
#include "lab/watcher.h"
#include "protocols/client.h"
#include "runtime/bug.h"
#include "runtime/random.h"
#include "workloads/history.h"
#include "workloads/store.h"

namespace ringside::lab {
namespace {

constexpr uint64_t kEventsPerTurn = 1024;
constexpr std::size_t kCheckpointsMax = 512;

// The fingerprint every so many events; the distance doubles when there are too many.
class Checkpoints {
 public:
  explicit Checkpoints(std::vector<Checkpoint>& out) : out_(out) {}

  void look(const sim::World& world) {
    if (world.events() < next_) return;
    out_.push_back({world.events(), world.now(), world.fingerprint()});
    if (out_.size() >= kCheckpointsMax) {
      for (std::size_t i = 0; i < out_.size() / 2; ++i) out_[i] = out_[2 * i + 1];
      out_.resize(out_.size() / 2);
      distance_ *= 2;
    }
    next_ = out_.back().events + distance_;
  }

 private:
  std::vector<Checkpoint>& out_;
  uint64_t distance_ = kEventsPerTurn;
  uint64_t next_ = kEventsPerTurn;
};

struct ClientRun {
  const Plan* plan = nullptr;
  const ClientPlan* client = nullptr;
  HistoryRecorder* recorder = nullptr;
  HistorySink* sink = nullptr;  // the recorder, or who stands before it
  uint32_t* running = nullptr;  // clients that are not done
  bool done = false;
};

// The life of a client process: its share of the workload, then its share of the final reads.
Task<void> run_client(Host& host, ClientRun* run) {
  Client client(host, run->plan->client);
  ClientStore store(host, client);
  co_await run_workload(host, store, run->client->workload, *run->sink);
  if (run->plan->final_reads.rounds > 0) {
    co_await host.clock().sleep_until(run->plan->final_reads.start);
    // Whatever was touched; no client writes any more, so that all of them see the same keys.
    std::vector<std::string> keys = run->recorder->history().keys;
    std::sort(keys.begin(), keys.end());
    co_await run_final_reads(host, store, run->plan->final_reads, run->client->workload,
                             std::move(keys), *run->sink);
  }
  run->done = true;
  --*run->running;
}

class Experiment {
 public:
  Experiment(const scenario::Scenario& scenario, Plan plan, const RunOptions& options,
             RunResult& result)
      : scenario_(scenario),
        plan_(std::move(plan)),
        options_(options),
        result_(result),
        recorder_([this] { return world_.now(); }),
        observer_(recorder_, options_, !options.gate && needs_replica_oracle(scenario.expect())),
        faults_(world_, plan_, [this](NodeId node) { take_image(node); }),
        checkpoints_(result.checkpoints),
        administrator_(scenario, plan_, world_, faults_),
        world_(plan_.world) {}

  void run() {
    set_up();
    if (options_.on_stand) stand(false);
    if (plan_.timeline.end != kNever) {
      advance_to(plan_.timeline.end);
      healed_ = world_.now();
    }
    advance_until_clients_are_done();
    healed_ = plan_.timeline.end == kNever ? world_.now() : healed_;
    rested_ = world_.now() + plan_.timeline.quiesce;
    advance_to(rested_);
    if (options_.on_stand && !onward_.to_the_end()) stand(true);
    if (watcher_) watcher_->finish(world_.now());
    if (stopped() && options_.on_stop) options_.on_stop();
    conclude();
  }

 private:
  void set_up() {
    world_.set_observer(&observer_);
    if (options_.on_steps) recorder_.keep_steps();
    if (options_.on_snapshot) watch();
    world_.set_tracing(static_cast<bool>(options_.on_log));
    if (options_.on_event) {
      world_.set_event_sink([this](const sim::EventRecord& event) {
        options_.on_event(
            {event.index, event.time, event.node, sim::event_kind_name(event.kind), event.payload});
      });
    }
    for (const NodePlan& node : plan_.nodes) {
      world_.place(node.id, node.machine, [this, &node](Host& host) {
        return run_node(host, options_of(plan_, node, administrator_.wire_version(node.id)));
      });
      if (!node.spare) world_.start(node.id);
    }
    HistorySink* sink = watcher_ ? static_cast<HistorySink*>(&*watcher_) : &recorder_;
    if (scenario_.stop_at_violation() && !options_.gate)
      sink = &online_.emplace(*sink, recorder_.history());
    runs_.resize(plan_.clients.size());
    clients_running_ = static_cast<uint32_t>(runs_.size());
    for (std::size_t i = 0; i < plan_.clients.size(); ++i) {
      runs_[i] = {&plan_, &plan_.clients[i], &recorder_, sink, &clients_running_, false};
      world_.place(plan_.clients[i].id, plan_.clients[i].machine,
                   [run = &runs_[i]](Host& host) { return run_client(host, run); });
      world_.start(plan_.clients[i].id);
    }
    faults_.install(scenario_);
    administrator_.install();
    if (plan_.timeline.end != kNever)
      world_.at(plan_.timeline.end, "the faults are over", [this] { faults_.heal(); });
  }

  void watch() {
    WatcherOptions options;
    options.every = options_.snapshot_every;
    options.tell = options_.on_snapshot;
    options.share = [this] { return share_done(); };
    watcher_.emplace(plan_, observer_, recorder_, std::move(options));
    world_.set_observer(&*watcher_);
  }

  bool stopped() const {
    return violated() || (options_.until_event != 0 && world_.events() >= options_.until_event);
  }
  // A register broke, and that is where the run was to end.
  bool violated() const { return online_ && !online_->holds(); }

  void advance_to(Time until) {
    // An event of our own, so that the steps end at the moment however quiet the world is.
    bool there = false;
    world_.at(until, "phase", [&there] { there = true; });
    while (!there && !stopped() && turn([&there] { return there; })) {
    }
  }

  void advance_until_clients_are_done() {
    const auto done = [this] { return clients_running_ == 0; };
    while (!done() && !stopped() && turn(done)) {
    }
  }

  // Some events. False when nothing is left.
  template <class Enough>
  bool turn(const Enough& enough) {
    for (uint64_t i = 0; i < kEventsPerTurn && !enough() && !stopped(); ++i) {
      if (!step()) return false;
    }
    checkpoints_.look(world_);
    if (options_.on_progress) options_.on_progress(share_done());
    return true;
  }

  // One event, after standing still as often as that is asked for. False when none is left.
  bool step() {
    if (options_.branch.seed != 0 && !branched_ && world_.events() == options_.branch.event) {
      branched_ = true;
      world_.reseed(options_.branch.seed);
    }
    while (options_.on_stand && !world_.idle()) {
      if (world_.events() < onward_.until_event && world_.step(onward_.until)) return true;
      if (!world_.idle()) stand(false);
    }
    return world_.step();
  }

  void stand(bool over) {
    Standing here{.events = world_.events(),
                  .at = world_.now(),
                  .fingerprint = world_.fingerprint(),
                  .over = over,
                  .workload_start = plan_.timeline.start,
                  .workload_end = plan_.timeline.end};
    for (const NodePlan& node : plan_.nodes)
      here.nodes.push_back({node.id, world_.running(node.id), world_.incarnation(node.id)});
    here.clients = static_cast<uint32_t>(runs_.size());
    here.clients_at_work = clients_running_;
    here.operations = recorder_.history().operations.size();
    for (const Operation& operation : recorder_.history().operations)
      here.unanswered += operation.finished == kNever ? 1 : 0;
    here.frames_sent = world_.counters().frames_sent;
    here.frames_lost = world_.counters().frames_lost;
    onward_ = options_.on_stand(here);
    if (onward_.seed != 0) world_.reseed(onward_.seed);
  }

  double share_done() const {
    if (plan_.timeline.end != kNever) {
      return std::min(1.0,
                      static_cast<double>(world_.now()) / static_cast<double>(plan_.timeline.end));
    }
    const scenario::Pbs& pbs = scenario_.workload().pbs();
    const int reads =
        pbs.has_reads_per_key() ? static_cast<int>(pbs.reads_per_key()) : pbs.t_size();
    const uint32_t read_writes = pbs.writes_per_key() - pbs.unread_writes();
    const double all = static_cast<double>(pbs.keys()) *
                       (pbs.writes_per_key() + static_cast<double>(read_writes) * reads);
    return std::min(1.0, static_cast<double>(recorder_.history().operations.size()) / all);
  }

  void take_image(NodeId node) {
    if (options_.gate || !needs_restart_images(scenario_.expect())) return;
    restarts_.push_back({node, world_.now(),
                         concat("at the restart at ", format_span(world_.now())),
                         world_.image(node)});
  }

  void conclude() {
    result_.scenario = scenario_.name();
    result_.seed = plan_.world.seed;
    result_.fingerprint = world_.fingerprint();
    result_.events = world_.events();
    result_.simulated_seconds = static_cast<double>(world_.now()) / 1e9;
    result_.checkpoints.push_back({world_.events(), world_.now(), world_.fingerprint()});
    for (const sim::Tunable& tunable : plan_.tunables) {
      result_.faults.push_back(concat("tunable ", tunable.name, " = ", tunable.value));
    }
    result_.faults.insert(result_.faults.end(), faults_.lines().begin(), faults_.lines().end());
    result_.storm = storm_text(scenario_, plan_);
    for (const std::string& line : observer_.gave_up()) result_.faults.push_back(line);
    const History history = recorder_.take();
    if (options_.on_steps) {
      options_.on_steps(as_script(recorder_.take_steps(), history,
                                  static_cast<uint32_t>(plan_.clients.size()),
                                  plan_.timeline.start));
    }
    result_.operations = history.operations.size();
    result_.holds = true;
    if (!options_.gate && options_.until_event == 0) conclude_verdict(history);
    result_.history = encode_history(history);
    result_.history_hash = hash_bytes(result_.history);
  }

  std::vector<NodeId> damaged() const {
    std::vector<NodeId> nodes;
    for (const NodePlan& node : plan_.nodes)
      if (faults_.damaged(node.id)) nodes.push_back(node.id);
    return nodes;
  }

  std::vector<std::string> stuck() const {
    std::vector<std::string> lines;
    for (const NodePlan& node : plan_.nodes) {
      if (world_.running(node.id) || faults_.is_off(node.id)) continue;
      const std::string words = observer_.last_words(node.id);
      lines.push_back(concat("node ", node.id, " does not run at the end",
                             words.empty() ? "" : concat(": ", words)));
    }
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (!runs_[i].done) lines.push_back(concat("client-", i + 1, " is not done at the end"));
    }
    return lines;
  }

  void conclude_verdict(const History& history) {
    std::vector<TakenImage> finals;
    if (needs_final_images(scenario_.expect()) && !violated()) {
      for (const NodePlan& node : plan_.nodes) {
        if (faults_.is_off(node.id)) continue;
        finals.push_back({node.id, world_.now(), "at the end of the run", world_.image(node.id)});
      }
    }
    measure(history, result_.metrics);
    measure_t_visibility(scenario_, history, result_.t_visibility);
    const auto add = [&](const char* name, uint64_t value) {
      result_.metrics.push_back({name, static_cast<double>(value)});
    };
    add("restarts", restarts_.size());
    add("frames_sent", world_.counters().frames_sent);
    add("frames_lost", world_.counters().frames_lost);
    add("disk_calls", world_.counters().disk_calls);
    EngineOptions engine = plan_.node.engine;
    engine.scrub_every = 0;  // who reads an image reads all of it
    const Evidence evidence{history,
                            observer_,
                            read_images(std::move(restarts_), engine),
                            read_images(std::move(finals), engine),
                            healed_,
                            rested_,
                            damaged(),
                            stuck(),
                            administrator_.member_history(),
                            administrator_.orders(),
                            administrator_.carried_out(),
                            administrator_.unfinished(),
                            online_ ? online_->breaking() : kNoOperation};
    judge(scenario_, plan_, evidence, result_);
    add_prediction(scenario_, result_);
    for (const auto& [probe, times] : observer_.probes())
      add(concat("probe ", probe).c_str(), times);
  }

  const scenario::Scenario& scenario_;
  Plan plan_;
  const RunOptions& options_;
  RunResult& result_;
  HistoryRecorder recorder_;
  RunObserver observer_;
  std::optional<Watcher> watcher_;
  std::optional<OnlineJudge> online_;  // before watcher and recorder
  FaultSchedule faults_;
  Checkpoints checkpoints_;
  Administrator administrator_;
  std::vector<ClientRun> runs_;
  uint32_t clients_running_ = 0;
  std::vector<TakenImage> restarts_;
  Onward onward_;
  bool branched_ = false;
  Time healed_ = 0;
  Time rested_ = 0;
  sim::World world_;  // last: its processes use all of the above until they die
};

}  // namespace

Result<RunResult> run_scenario(const scenario::Scenario& scenario, uint64_t seed,
                               const RunOptions& options) {
  if (scenario.planted_bug_size() > 0 && !planted_build()) {
    return {Code::kInvalid,
            concat("scenario \"", scenario.name(), "\" switches on the planted bug ",
                   scenario.planted_bug(0),
                   ", which this build does not have; run it with script/ringside --planted")};
  }
  Result<Plan> plan = make_plan(scenario, seed, options.gate);
  if (!plan.ok()) return plan.error();
  set_planted_bugs({scenario.planted_bug().begin(), scenario.planted_bug().end()});
  RunResult result;
  Experiment(scenario, std::move(*plan), options, result).run();
  set_planted_bugs({});
  return result;
}

Result<RunResult> run_scenario_file(const std::string& path, uint64_t seed,
                                    const RunOptions& options) {
  Result<std::unique_ptr<scenario::Scenario>> scenario = load_scenario(path);
  if (!scenario.ok()) return scenario.error();
  return run_scenario(**scenario, seed, options);
}

}  // namespace ringside::lab
