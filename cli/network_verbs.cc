#include "cli/network_verbs.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/kv.h"
#include "cli/serve.h"

namespace ringside::cli {
namespace {

void add_serve(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ServeOptions>();
  options->port = 7001;
  CLI::App* verb = app.add_subcommand(
      "serve", "Run real nodes over sockets and disks: all in one process, or one a process");
  verb->add_option("--nodes", options->nodes,
                   "nodes of the cluster, numbered from 1; fixed when it is made")
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
  verb->add_option("--join", options->join, "HOST:PORT of other nodes, separated by commas")
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

}  // namespace

void add_network_verbs(CLI::App& app, int& exit_code) {
  add_serve(app, exit_code);
  add_kv(app, exit_code);
}

}  // namespace ringside::cli
