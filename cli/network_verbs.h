// The command-line grammar of `serve`, `kv`, `engine`, `status` and `admin`. CLI11 is costly to
// compile, so it stays behind this declaration.
#pragma once

namespace CLI {
class App;
}

namespace ringside::cli {

// Adds the subcommands; when one of them is called, `exit_code` becomes its result.
void add_network_verbs(CLI::App& app, int& exit_code);

}  // namespace ringside::cli
