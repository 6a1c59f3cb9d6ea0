// `ringside serve`: real nodes over real sockets and disks. Either every node of a small cluster in
// one process on loopback, or one node a process; then the members' addresses are learnt through a
// seed node, passed on, and kept beside the data for the next start. Prints one `ready` line on
// stdout, ends on SIGINT and SIGTERM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/network.h"

namespace ringside::cli {

struct ServeOptions {
  uint32_t nodes = 3;
  uint16_t port = 0;   // all in one process: node i listens at port + i - 1; 0: any that are free
  NodeId node_id = 0;  // one node a process: which; 0: all in this one
  std::string listen;  // one node a process: HOST:PORT
  std::vector<std::string>
      join;          // one node a process: other nodes' HOST:PORT, any that is up will do
  std::string data;  // directory; node i keeps its files in DATA/node-i
  uint32_t n = 3, r = 2, w = 2;
  bool verbose = false;  // trace events on stderr
  bool thread_pool_files = false;
};

// The process's exit code: 0 ended by a signal, 2 bad input (one line on stderr), 4 a node gave up.
int run_serve(const ServeOptions& options);

}  // namespace ringside::cli
