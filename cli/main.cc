// The `ringside` command: its grammar and its help. CLI11 is costly to compile and stays in this
// file (and in network_verbs.cc).
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/report.h"
#include "cli/verbs.h"
#if __has_include("cli/network_verbs.h") && defined(RINGSIDE_NETWORK_VERBS)
#include "cli/network_verbs.h"
#endif

namespace {

using namespace ringside::cli;

void add_run(CLI::App& app, RunArguments& arguments, int& code) {
  CLI::App* verb =
      app.add_subcommand("run", "Play a scenario under a seed, or under many, and judge it");
  verb->add_option("FILE", arguments.file, "the scenario")->required();
  CLI::Option* seed = verb->add_option("--seed", arguments.seed,
                                       "the seed (if none is given the scenario's own, or 1)");
  CLI::Option* seeds =
      verb->add_option("--seeds", arguments.seeds, "many seeds: N for 1 to N, or A..B")
          ->excludes(seed);
  verb->add_option("--jobs", arguments.jobs,
                   "worlds at once with --seeds (as many as there are cores)");
  verb->add_option("--faults", arguments.faults,
                   "a recording: meet its faults in place of the scenario's own");
  CLI::Option* json = verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->add_flag("--no-times", arguments.no_times, "JSON without what the wall clock says")
      ->needs(json);
  verb->add_option("--shard", arguments.shard,
                   "I/N: play every N-th of the seeds, and leave what `ringside merge` needs")
      ->needs(seeds);
  CLI::Option* watch = verb->add_flag("--watch", arguments.watch,
                                      "show the run as it plays; where stdout is no terminal, a "
                                      "line for each simulated second")
                           ->excludes(seeds)
                           ->excludes(json);
  verb->add_option("--speed", arguments.speed,
                   "simulated seconds a real one (as fast as it goes if not given)")
      ->check(CLI::PositiveNumber)
      ->needs(watch);
  verb->add_option("--out", arguments.out,
                   "where the recording goes (a directory with --seeds; runs/ if not given)");
  verb->footer(
      "Examples:\n"
      "  ringside run scenarios/failures/cart_zone_outage.textproto --seed 7\n"
      "  ringside run scenarios/failures/cart_zone_outage.textproto --watch --speed 2\n"
      "  ringside run scenarios/papers/pbs_lnkd_ssd.textproto --seeds 1..20 --jobs 2\n"
      "  ringside run scenarios/failures/registers_swarm.textproto --seeds 1000 --json\n"
      "  ringside run scenarios/failures/registers_swarm.textproto --seeds 1000 --shard 3/8 "
      "--out shards\n"
      "  ringside run scenarios/failures/cart_zone_outage.textproto --faults "
      "runs/registers_swarm-seed-3.run\n"
      "Exit code: 0 all expectations hold, 1 violated, 2 bad input, 4 crashed.");
  verb->callback([&, seed] {
    arguments.seed_given = seed->count() > 0;
    code = run(arguments);
  });
}

void add_replay(CLI::App& app, ReplayArguments& arguments, int& code) {
  CLI::App* verb =
      app.add_subcommand("replay", "Play a recording again and hold it against what was recorded");
  verb->add_option("RUN", arguments.file, "the recording (.run)")->required();
  verb->add_flag("--shaken", arguments.shaken,
                 "without the pool of coroutine frames and with freed memory overwritten, which "
                 "shows uses of dead memory");
  CLI::Option* until = verb->add_option("--until", arguments.until, "stop after this many events")
                           ->check(CLI::PositiveNumber);
  verb->add_flag("--break", arguments.stop, "raise SIGTRAP there, for a debugger")->needs(until);
  CLI::Option* json = verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->add_flag("--events", arguments.events, "print every event as it runs, and its log")
      ->excludes(json);
  CLI::Option* seek =
      verb->add_option("--seek", arguments.seek,
                       "tell the state at these moments, in this order, backwards too: times of "
                       "the log (900ms) or\nnumbers of events (120000)")
          ->excludes(until);
  verb->add_flag("--walk", arguments.walk,
                 "go forwards and backwards by commands from stdin; `help` says which there are")
      ->excludes(until)
      ->excludes(seek)
      ->excludes(json);
  verb->footer(
      "Examples:\n"
      "  ringside replay runs/cart_zone_outage-seed-7.run\n"
      "  ringside replay runs/cart_zone_outage-seed-7.run --seek 35s 34.9s 120000\n"
      "  ringside replay runs/cart_zone_outage-seed-7.run --walk\n"
      "  gdb --args ringside replay runs/cart_zone_outage-seed-7.run --until 120000 --break\n"
      "Exit code: 0 the same to the last event, 2 bad input (or another build's run that differs), "
      "3 not\n"
      "deterministic, 4 crashed.");
  verb->callback([&] { code = replay(arguments); });
}

void add_hunt(CLI::App& app, HuntArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand(
      "hunt", "Search for seeds that fail, guided by what runs show; a bundle for each failure");
  verb->add_option("FILE|DIR", arguments.target, "a scenario, or a directory of scenarios");
  verb->add_option("--for", arguments.time, "how long, such as 90s or 2h");
  verb->add_option("--seeds", arguments.seeds,
                   "how many seeds (1000 if neither this nor --for is given)")
      ->check(CLI::PositiveNumber);
  verb->add_option("--seed", arguments.seed, "the hunt's own seed (1 if none is given)")
      ->check(CLI::PositiveNumber);
  verb->add_option("--jobs", arguments.jobs, "worlds at once (as many as there are cores)");
  verb->add_option("--out", arguments.out, "directory for its state and bundles (hunts/…)");
  verb->add_option("--resume", arguments.resume, "directory of a hunt to go on with");
  verb->add_option("--shard", arguments.shard, "I/N: the I-th of N parts of the hunt");
  verb->add_option("--lanes", arguments.lanes,
                   "searches that do not learn from each other, dealt to shards (8)")
      ->check(CLI::PositiveNumber);
  verb->add_flag("--unguided", arguments.unguided, "seed after seed, whatever runs show");
  CLI::Option* json = verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->add_flag("--no-times", arguments.no_times, "JSON without what the wall clock says")
      ->needs(json);
  verb->footer(
      "Examples:\n"
      "  ringside hunt scenarios/failures/registers_swarm.textproto --seeds 2000\n"
      "  ringside hunt scenarios/dynamo --for 10min --out tonight\n"
      "  ringside hunt --resume tonight --for 8h\n"
      "  ringside hunt scenarios/dynamo/swarm_dynamo.textproto --seeds 20000 --shard 3/8 --out "
      "shards\n"
      "The same scenarios, --seed, --lanes and --seeds play the same seeds, whatever --jobs is.\n"
      "Exit code: 0 nothing fails, 1 something does, 2 bad input.");
  verb->callback([&] { code = hunt(arguments); });
}

void add_merge(CLI::App& app, MergeArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand(
      "merge", "Put together what the shards of `hunt` or of `run --seeds` left");
  verb->add_option("DIRS", arguments.places, "directories (or files) of all shards")->required();
  verb->add_flag("--json", arguments.json, "as JSON: what one process prints with --no-times");
  verb->footer(
      "Examples:\n"
      "  ringside merge shards\n"
      "  ringside merge shards-1 shards-2 --json\n"
      "Exit code: as of what is merged; 2 when a shard is missing, or of something else.");
  verb->callback([&] { code = merge(arguments); });
}

void add_shrink(CLI::App& app, ShrinkArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand(
      "shrink", "Make a failing recording small: a scenario that fails alike, by itself");
  verb->add_option("RUN", arguments.file, "the recording (.run)")->required();
  verb->add_option("--jobs", arguments.jobs, "worlds at once (as many as there are cores)");
  verb->add_option("--for", arguments.time, "at most so long, such as 2min (10min if not given)");
  verb->add_option("--expectation", arguments.expectation,
                   "whose violation to keep, or \"deterministic\": that it is another run when "
                   "memory is shaken\n(the first of the verdict if not given)");
  verb->add_option("--out", arguments.out,
                   "X.run: the recording; the scenario goes to X.textproto (RUN-shrunk.run if not "
                   "given)");
  verb->add_option("--regression", arguments.regression,
                   "file the scenario as scenarios/regressions/NAME.textproto");
  verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->footer(
      "Examples:\n"
      "  ringside shrink runs/swarm_dynamo-seed-17.run\n"
      "  ringside shrink runs/swarm_dynamo-seed-17.run --out small.run --jobs 2 --for 2min\n"
      "  ringside shrink runs/swarm_dynamo-seed-17.run --regression hint_lost_at_restart\n"
      "Exit code: 0 shrunk, and it fails by itself; 2 bad input, or nothing is violated; 3 it does "
      "not fail\nagain; 4 crashed.");
  verb->callback([&] { code = shrink(arguments); });
}

void add_explain(CLI::App& app, ExplainArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand(
      "explain", "Which faults a failure needs, and what became of the write that it lost");
  verb->add_option("RUN", arguments.file, "the recording (.run), best a shrunk one")->required();
  verb->add_option("--jobs", arguments.jobs, "worlds at once (as many as there are cores)");
  verb->add_option("--for", arguments.time,
                   "look for sets of faults at most so long (10min if not given)");
  verb->add_option("--expectation", arguments.expectation,
                   "whose violation, or \"deterministic\" (the first of the verdict if not given)");
  verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->footer(
      "Examples:\n"
      "  ringside explain small.run\n"
      "  ringside explain runs/registers_3_1_1-seed-1.run --json\n"
      "Exit code: 0 explained; 2 bad input, or nothing is violated; 3 it does not fail again.");
  verb->callback([&] { code = explain(arguments); });
}

void add_diff(CLI::App& app, DiffArguments& arguments, int& code) {
  CLI::App* verb =
      app.add_subcommand("diff", "Play two recordings and name the first event that differs");
  verb->add_option("RUN_A", arguments.a, "a recording (.run)")->required();
  verb->add_option("RUN_B", arguments.b, "another")->required();
  verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->footer(
      "Example:\n  ringside diff runs/cart_zone_outage-seed-7.run "
      "runs/cart_zone_outage-seed-8.run\n"
      "Exit code: 0 the same, 1 they differ, 2 bad input.");
  verb->callback([&] { code = diff(arguments); });
}

void add_branch(CLI::App& app, BranchArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand(
      "branch", "Other futures of a recording from a moment on: how many of them violate");
  verb->add_option("RUN", arguments.file, "the recording (.run)")->required();
  verb->add_option("--at", arguments.at,
                   "the moment: a time of the log (1500ms), or an event's number (120000)")
      ->required();
  CLI::Option* seeds =
      verb->add_option("--seeds", arguments.seeds, "how many futures (20 if not given)")
          ->check(CLI::PositiveNumber);
  CLI::Option* record = verb->add_option("--record", arguments.record,
                                         "play the future of this number alone, and record it")
                            ->check(CLI::PositiveNumber)
                            ->excludes(seeds);
  verb->add_option("--out", arguments.out,
                   "where its recording goes (RUN-future-N.run if not given)")
      ->needs(record);
  verb->add_option("--jobs", arguments.jobs, "worlds at once (as many as there are cores)");
  verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->footer(
      "Examples:\n"
      "  ringside branch small.run --at 900ms --seeds 200\n"
      "  ringside branch small.run --at 120000 --seeds 200 --json\n"
      "  ringside branch small.run --at 900ms --record 7 --out seventh.run\n"
      "Exit code: 0 no future violates, 1 some do, 2 bad input (or another build's run that "
      "differs), 3 not\ndeterministic, 4 crashed.");
  verb->callback([&] { code = branch(arguments); });
}

void add_log(CLI::App& app, LogArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand(
      "log", "The virtual-time log of a recording: frames, probes, faults, clients");
  verb->add_option("RUN", arguments.file, "the recording (.run)")->required();
  verb->add_option("--node", arguments.node, "only what happens at this node");
  verb->add_option("--key", arguments.key, "only what concerns this key");
  verb->footer(
      "Examples:\n"
      "  ringside log runs/registers_3_1_1-seed-1.run --key r3\n"
      "  ringside log runs/cart_zone_outage-seed-7.run --node 2 --key cart-17");
  verb->callback([&] { code = log(arguments); });
}

void add_topology(CLI::App& app, TopologyArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand(
      "topology", "Draw a scenario's places: regions, zones, machines, latencies, faults");
  verb->add_option("FILE", arguments.file, "the scenario")->required();
  verb->add_option("--svg", arguments.svg, "also as a drawing, in this file");
  verb->add_flag("--json", arguments.json, "the same as JSON on stdout");
  verb->footer(
      "Examples:\n"
      "  ringside topology scenarios/failures/cart_zone_outage.textproto\n"
      "  ringside topology scenarios/failures/cart_zone_outage.textproto --svg cart.svg");
  verb->callback([&] { code = topology(arguments); });
}

void add_check(CLI::App& app, CheckArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand("check", "Are these scenarios well-formed?");
  verb->add_option("FILES", arguments.files, "scenarios")->required();
  verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->footer(
      "Example:\n  ringside check scenarios/*/*.textproto\nExit code: 0 all are, 2 some are not.");
  verb->callback([&] { code = check(arguments); });
}

void add_judge(CLI::App& app, JudgeArguments& arguments, int& code) {
  CLI::App* verb = app.add_subcommand("judge",
                                      "Is a history linearizable, are transactions isolated? Ours, "
                                      "Jepsen's (EDN), Porcupine's logs");
  verb->add_option("HISTORY", arguments.file, "a recording (.run), a history, or a log")
      ->required();
  verb->add_option(
      "--model", arguments.model,
      "register, counter, set, queue or cart (what the history suggests if not given);\n"
      "of transactions a level of isolation (strict-serializable)");
  verb->add_option("--k", arguments.k, "registers: a read may return one of the last K values")
      ->check(CLI::Range(1, 2));
  verb->add_option("--budget", arguments.budget,
                   "configurations that a search may visit for each object (2,000,000)")
      ->check(CLI::PositiveNumber);
  verb->add_flag("--json", arguments.json, "the result as JSON on stdout");
  verb->footer(
      "Examples:\n"
      "  ringside judge runs/registers_3_1_1-seed-1.run\n"
      "  ringside judge runs/registers_3_1_1-seed-1.run --k 2\n"
      "  ringside judge history.edn --json\n"
      "  ringside judge etcd_002.log\n"
      "  ringside judge list-append.edn --model snapshot-isolation\n"
      "Exit code: 0 it holds, 1 violated, or not known within the budget, 2 bad input.");
  verb->callback([&] { code = judge(arguments); });
}

}  // namespace

int main(int count, char** values) {
  CLI::App app(
      "A complete Dynamo-style database inside one seeded, single-threaded world. A scenario plus "
      "a seed is a whole\n"
      "failure history: run it, replay it to the last byte, read its log.",
      "ringside");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "the help of every verb");
  app.footer(
      "Examples:\n"
      "  ringside run scenarios/papers/pbs_lnkd_ssd.textproto\n"
      "  ringside replay runs/pbs_lnkd_ssd-seed-1.run\n"
      "  ringside VERB --help");
  int code = kHolds;
  RunArguments run_arguments;
  ReplayArguments replay_arguments;
  ShrinkArguments shrink_arguments;
  ExplainArguments explain_arguments;
  DiffArguments diff_arguments;
  BranchArguments branch_arguments;
  LogArguments log_arguments;
  HuntArguments hunt_arguments;
  MergeArguments merge_arguments;
  TopologyArguments topology_arguments;
  CheckArguments check_arguments;
  JudgeArguments judge_arguments;
  add_run(app, run_arguments, code);
  add_replay(app, replay_arguments, code);
  add_shrink(app, shrink_arguments, code);
  add_explain(app, explain_arguments, code);
  add_diff(app, diff_arguments, code);
  add_branch(app, branch_arguments, code);
  add_log(app, log_arguments, code);
  add_hunt(app, hunt_arguments, code);
  add_merge(app, merge_arguments, code);
  add_topology(app, topology_arguments, code);
  add_check(app, check_arguments, code);
  add_judge(app, judge_arguments, code);
#ifdef RINGSIDE_NETWORK_VERBS
  ringside::cli::add_network_verbs(app, code);
#endif
  try {
    app.parse(count, values);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kHolds : kBadInput;
  }
  return code;
}
