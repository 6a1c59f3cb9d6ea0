#include "cli/network_verbs.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/admin.h"
#include "cli/engine.h"
#include "cli/kv.h"
#include "cli/serve.h"
#include "cli/status.h"

namespace ringside::cli {
namespace {

void add_serve(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ServeOptions>();
  options->port = 7001;
  CLI::App* verb = app.add_subcommand(
      "serve", "Run real nodes over sockets and disks: all in one process, or one a process");
  verb->add_option("--nodes", options->nodes,
                   "founding nodes of the cluster, numbered from 1; fixed when it is made")
      ->capture_default_str();
  verb->add_option("--data", options->data, "directory; node I keeps its files in node-I")
      ->required();
  CLI::Option* port = verb->add_option(
      "--port", options->port, "node I listens at 127.0.0.1, this port + I - 1; 0: any free");
  port->capture_default_str();
  CLI::Option* id = verb->add_option("--node-id", options->node_id, "run this node alone")
                        ->check(CLI::PositiveNumber);
  verb->add_option("--listen", options->listen, "HOST:PORT where it listens")
      ->needs(id)
      ->excludes(port);
  verb->add_option(
          "--join", options->join,
          "HOST:PORT of other nodes, separated by commas; a node beyond --nodes asks for a seat")
      ->delimiter(',')
      ->needs(id);
  verb->add_option("--n", options->n, "copies of a key (3, or as many as there are nodes)");
  verb->add_option("--r", options->r, "replies that a get waits for (a majority)");
  verb->add_option("--w", options->w, "replies that a put waits for (a majority)");
  verb->add_flag("--no-io-uring", options->thread_pool_files, "use threads for file work");
  verb->add_flag("--verbose", options->verbose, "trace events on stderr");
  verb->footer(
      "Prints `ready HOST:PORT ...` once every node serves; ends on SIGINT and SIGTERM.\n"
      "Examples:\n"
      "  ringside serve --nodes 3 --data /tmp/cluster\n"
      "  ringside serve --nodes 3 --node-id 1 --listen 127.0.0.1:7001 --data /tmp/cluster\n"
      "  ringside serve --nodes 3 --node-id 2 --listen 127.0.0.1:7002 --join 127.0.0.1:7001 --data "
      "/tmp/cluster\n"
      "  ringside serve --nodes 3 --node-id 4 --listen 127.0.0.1:7004 --join 127.0.0.1:7001 --data "
      "/tmp/cluster\n"
      "Exit code: 0 ended by a signal, 2 bad input, 4 a node gave up.");
  verb->callback([verb, options, &exit_code] {
    if (verb->count("--n") == 0) options->n = std::min(3u, options->nodes);
    if (verb->count("--r") == 0) options->r = options->n / 2 + 1;
    if (verb->count("--w") == 0) options->w = options->n / 2 + 1;
    exit_code = run_serve(*options);
  });
}

void add_kv_verb(CLI::App& kv, KvOptions::Verb verb, const char* name, const char* help,
                 int& exit_code) {
  const auto options = std::make_shared<KvOptions>();
  options->verb = verb;
  CLI::App* command = kv.add_subcommand(name, help);
  command->add_option("KEY", options->key, "the key")->required();
  if (verb == KvOptions::Verb::kPut)
    command->add_option("VALUE", options->value, "the value")->required();
  command->add_option("--at", options->at, "HOST:PORT of any node")->required();
  if (verb != KvOptions::Verb::kGet) {
    command->add_option("--context", options->context,
                        "what this write has seen, as get printed it");
  }
  command->add_flag("--json", options->json, "the result as JSON on stdout");
  const auto timeout_ms = std::make_shared<unsigned>(5'000);
  command->add_option("--timeout-ms", *timeout_ms, "give up after this long")
      ->check(CLI::Range(1u, 3'600'000u));
  command->callback([options, timeout_ms, &exit_code] {
    options->timeout = *timeout_ms * kMillisecond;
    exit_code = run_kv(*options);
  });
}

void add_kv(CLI::App& app, int& exit_code) {
  CLI::App* kv =
      app.add_subcommand("kv", "One operation against a running cluster: get, put, delete");
  kv->require_subcommand(1);
  add_kv_verb(*kv, KvOptions::Verb::kGet, "get", "The siblings of a key, and their context",
              exit_code);
  add_kv_verb(*kv, KvOptions::Verb::kPut, "put",
              "Writes a value; with --context it replaces what that has seen", exit_code);
  add_kv_verb(*kv, KvOptions::Verb::kDelete, "delete", "Deletes; with --context what that has seen",
              exit_code);
  kv->footer(
      "Examples:\n"
      "  ringside kv put cart milk --at 127.0.0.1:7001\n"
      "  ringside kv get cart --at 127.0.0.1:7002\n"
      "  ringside kv put cart milk,eggs --context 0a1b --at 127.0.0.1:7003\n"
      "Exit code: 0 done, 1 failed or unknown outcome, 2 bad input.");
}

CLI::App* add_engine_verb(CLI::App& engine, EngineArguments::Verb verb, const char* name,
                          const char* help, const std::shared_ptr<EngineArguments>& arguments,
                          int& exit_code) {
  arguments->verb = verb;
  CLI::App* command = engine.add_subcommand(name, help);
  command->add_option("DIR", arguments->directory, "a node's directory, or the engine's own")
      ->required();
  command->add_option("--key", arguments->key_file,
                      "a file of 32 bytes: the key it is sealed with");
  command->add_flag("--json", arguments->json, "the result as JSON on stdout");
  command->callback([arguments, &exit_code] { exit_code = run_engine(*arguments); });
  return command;
}

void add_engine_dump(CLI::App& engine, int& exit_code) {
  const auto arguments = std::make_shared<EngineArguments>();
  CLI::App* dump =
      add_engine_verb(engine, EngineArguments::Verb::kDump, "dump",
                      "Every live key and value, a line each, tab between", arguments, exit_code);
  dump->add_option(
      "--from", arguments->from,
      "no keys before this one, written as dump prints it; keys come in the order of the ring");
  dump->add_option("--to", arguments->to, "no keys from this one on");
  dump->add_option("--limit", arguments->limit, "at most so many keys, or batches")
      ->check(CLI::PositiveNumber);
  dump->add_flag("--raw", arguments->raw,
                 "values as the engine keeps them, and the node's own keys too");
  CLI::Option* changes =
      dump->add_option("--changes", arguments->after,
                       "the batches after this one, or all that there are, in place of keys")
          ->expected(0, 1)
          ->excludes("--from")
          ->excludes("--to");
  dump->footer(
      "A backslash is printed as \\\\, a control character and what is no UTF-8 as \\xNN. With "
      "--json,\n"
      "what is no UTF-8 is hexadecimal, in a field whose name ends in _hex.\n"
      "Examples:\n"
      "  ringside engine dump data/node-1 --from cart --limit 10\n"
      "  ringside engine dump data/node-1 --raw --json\n"
      "  ringside engine dump data/node-1 --changes 1200");
  dump->callback([arguments, changes, &exit_code] {
    arguments->changes = changes->count() > 0;
    exit_code = run_engine(*arguments);
  });
}

void add_engine(CLI::App& app, int& exit_code) {
  CLI::App* engine = app.add_subcommand(
      "engine", "Look into the directory of a node that is not running: inspect, verify, dump");
  engine->require_subcommand(1);
  add_engine_verb(*engine, EngineArguments::Verb::kInspect, "inspect",
                  "Its manifest, tables and log, and what recovery makes of them",
                  std::make_shared<EngineArguments>(), exit_code);
  add_engine_verb(*engine, EngineArguments::Verb::kVerify, "verify",
                  "Reads everything and names what is wrong, with file and offset",
                  std::make_shared<EngineArguments>(), exit_code);
  add_engine_dump(*engine, exit_code);
  engine->footer(
      "Nothing in the directory is changed: what recovery writes stays in memory. It is refused "
      "while a\n"
      "server has it.\n"
      "Examples:\n"
      "  ringside engine inspect data/node-1\n"
      "  ringside engine verify data/node-1 --json\n"
      "  ringside engine dump data/node-1 | head\n"
      "Exit code: 0 done, or nothing wrong; 1 something is wrong with what is there; 2 bad input.");
}

void add_status(CLI::App& app, int& exit_code) {
  const auto arguments = std::make_shared<StatusArguments>();
  CLI::App* verb = app.add_subcommand(
      "status", "What a running cluster says of itself: members, shares, changes, suspicions");
  verb->add_option("--at", arguments->at, "HOST:PORT of any node")->required();
  verb->add_flag("--json", arguments->json, "as JSON on stdout; with --watch a line each time");
  verb->add_flag("--watch", arguments->watch, "again every second, until interrupted");
  verb->footer(
      "The members are the asked node's; each is asked what it says of itself.\n"
      "Examples:\n"
      "  ringside status --at 127.0.0.1:7001\n"
      "  ringside status --at 127.0.0.1:7001 --watch\n"
      "Exit code: 0 shown, 1 the node did not answer, 2 bad input.");
  verb->callback([arguments, &exit_code] { exit_code = run_status(*arguments); });
}

CLI::App* add_admin_verb(CLI::App& admin, AdminOrder::Verb verb, const char* name, const char* help,
                         const std::shared_ptr<AdminArguments>& arguments, int& exit_code) {
  arguments->order.verb = verb;
  CLI::App* command = admin.add_subcommand(name, help);
  command->add_option("--at", arguments->at, "HOST:PORT of any member")->required();
  command->add_flag("--json", arguments->json, "the answer as JSON on stdout");
  command->callback([arguments, &exit_code] { exit_code = run_admin(*arguments); });
  return command;
}

void add_place(CLI::App* command, const std::shared_ptr<AdminArguments>& arguments) {
  AdminOrder& order = arguments->order;
  command->add_option("--address", order.address, "HOST:PORT where it listens, if not known yet");
  command->add_option("--capacity", order.capacity, "its share, in percent of an ordinary node");
  command->add_option("--zone", order.zone, "where it is: copies spread over zones");
  command->add_option("--rack", order.rack, "and over racks");
  command->add_option("--machine", order.machine, "nodes of one machine never hold two copies");
}

void add_admin(CLI::App& app, int& exit_code) {
  using Verb = AdminOrder::Verb;
  CLI::App* admin = app.add_subcommand(
      "admin", "Orders to a running cluster: join, leave, replace, remove, cancel; history");
  admin->require_subcommand(1);
  const auto order = [&](Verb verb, const char* name, const char* help, const char* who) {
    const auto arguments = std::make_shared<AdminArguments>();
    CLI::App* command = add_admin_verb(*admin, verb, name, help, arguments, exit_code);
    if (verb == Verb::kReplace)
      command->add_option("DEAD", arguments->order.replaces, "who never comes back")->required();
    command->add_option("ID", arguments->order.id, who)->required();
    if (verb == Verb::kJoin || verb == Verb::kReplace) add_place(command, arguments);
  };
  order(Verb::kJoin, "join", "A running node becomes a member and takes its share", "the node");
  order(Verb::kLeave, "leave", "A member hands over what it holds and is gone", "the member");
  order(Verb::kReplace, "replace", "A running node takes the place of a dead member",
        "who takes its place");
  order(Verb::kRemove, "remove", "A member that is dead for good is taken out of the ring",
        "the dead member");
  order(Verb::kCancel, "cancel", "A change is undone, while reads do not go by the next ring yet",
        "the node that joins or leaves");
  const auto arguments = std::make_shared<AdminArguments>();
  arguments->history = true;
  add_admin_verb(*admin, Verb::kJoin, "history",
                 "Every step of every change, as a node heard of it", arguments, exit_code);
  admin->footer(
      "An order may be repeated; `ringside status` shows how far it is.\n"
      "Examples:\n"
      "  ringside admin join 4 --at 127.0.0.1:7001\n"
      "  ringside admin replace 2 5 --at 127.0.0.1:7001 --address 127.0.0.1:7005\n"
      "  ringside admin history --at 127.0.0.1:7003 --json\n"
      "Exit code: 0 accepted, 1 refused or no answer, 2 bad input.");
}

}  // namespace

void add_network_verbs(CLI::App& app, int& exit_code) {
  add_serve(app, exit_code);
  add_kv(app, exit_code);
  add_engine(app, exit_code);
  add_status(app, exit_code);
  add_admin(app, exit_code);
}

}  // namespace ringside::cli
