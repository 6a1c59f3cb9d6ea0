#include "lab/watcher.h"

#include "lab/text.h"

namespace ringside::lab {
namespace {

constexpr int kEventsMax = 16;
constexpr char kUp = 'u', kDown = 'd', kRestarting = 'r';

}  // namespace

Watcher::Watcher(const Plan& plan, sim::Observer& observer, HistoryRecorder& recorder,
                 WatcherOptions options)
    : observer_(observer),
      recorder_(recorder),
      options_(std::move(options)),
      next_(options_.every),
      nodes_(plan.nodes.size(), kDown) {}

void Watcher::finish(Time now) {
  snapshot_.set_last(true);
  tell(now);
}

void Watcher::tell(Time now) {
  snapshot_.set_now(now);
  snapshot_.set_share(options_.share());
  snapshot_.set_nodes(nodes_);
  for (auto& [name, probe] : probes_) {
    if (probe.told) continue;
    probe.told = true;
    record::Snapshot::Probe* out = snapshot_.add_reached();
    out->set_name(name);
    out->set_times(probe.times);
    out->set_first(probe.first);
  }
  options_.tell(snapshot_.SerializeAsString());
  snapshot_.clear_reached();
  snapshot_.clear_event();
  next_ = now - now % options_.every + options_.every;
}

char* Watcher::state(NodeId node) {
  // Node i lives at place i - 1 of the plan (lab/plan.h); clients have ids far above.
  return node >= 1 && node <= nodes_.size() ? &nodes_[node - 1] : nullptr;
}

void Watcher::note(Time at, std::string text) {
  if (snapshot_.event_size() == kEventsMax) snapshot_.mutable_event()->DeleteSubrange(0, 1);
  record::Snapshot::Event* event = snapshot_.add_event();
  event->set_at(at);
  event->set_text(std::move(text));
}

void Watcher::on_send(Time at, const Frame& frame) {
  look(at);
  snapshot_.set_frames_sent(snapshot_.frames_sent() + 1);
  char* const sender = state(frame.from);
  if (sender != nullptr && *sender == kRestarting) *sender = kUp;
  observer_.on_send(at, frame);
}

void Watcher::on_deliver(Time at, const Frame& frame) {
  look(at);
  observer_.on_deliver(at, frame);
}

void Watcher::on_lost(Time at, const Frame& frame, std::string_view why) {
  look(at);
  snapshot_.set_frames_lost(snapshot_.frames_lost() + 1);
  observer_.on_lost(at, frame, why);
}

// A probe's time may lie a little ahead of the world's, so it starts no snapshot.
void Watcher::on_probe(Time at, NodeId node, std::string_view name) {
  auto found = probes_.find(name);
  if (found == probes_.end()) found = probes_.emplace(name, Probe{0, at, false}).first;
  ++found->second.times;
  found->second.told = false;
  observer_.on_probe(at, node, name);
}

void Watcher::on_trace(Time at, NodeId node, const TraceEvent& event) {
  observer_.on_trace(at, node, event);
}

void Watcher::on_start(Time at, NodeId node, uint64_t incarnation) {
  look(at);
  if (char* const now = state(node)) *now = incarnation > 1 ? kRestarting : kUp;
  observer_.on_start(at, node, incarnation);
}

void Watcher::on_stop(Time at, NodeId node, std::string_view why) {
  look(at);
  if (char* const now = state(node)) {
    *now = kDown;
    note(at, concat("node ", node, " stops: ", why));
  }
  observer_.on_stop(at, node, why);
}

void Watcher::on_fault(Time at, std::string_view what) {
  look(at);
  note(at, std::string(what));
  observer_.on_fault(at, what);
}

void Watcher::finished(Handle operation, const Completion& completion) {
  const bool put = recorder_.history().operations[operation].is_put();
  if (completion.outcome == Outcome::kOk) {
    if (put) {
      snapshot_.set_writes_ok(snapshot_.writes_ok() + 1);
    } else {
      snapshot_.set_reads_ok(snapshot_.reads_ok() + 1);
    }
  } else if (completion.outcome == Outcome::kFailed) {
    snapshot_.set_failed(snapshot_.failed() + 1);
  } else {
    snapshot_.set_unknown(snapshot_.unknown() + 1);
  }
  recorder_.finished(operation, completion);
}

}  // namespace ringside::lab
