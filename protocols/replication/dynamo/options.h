// What a node's Dynamo can be told, and what it counts.
#pragma once

#include <cstdint>

#include "runtime/time.h"

namespace ringside {

enum class Coordinate : uint8_t {
  kReplica,     // puts are coordinated by one of the key's first N nodes; gets by whoever is asked
  kNonReplica,  // both by a node that is none of them, so that no leg is local (for latency models)
};

struct DynamoOptions {
  uint32_t n = 3;
  uint32_t r = 2;
  uint32_t w = 2;
  bool read_repair = true;
  Duration read_repair_wait = 20 * kMillisecond;  // for stragglers, after the client was answered
  Duration request_timeout = kSecond;             // the most that a coordinator waits for replicas
  Coordinate coordinate = Coordinate::kReplica;
  char reserved_key = '\xff';  // clients may not use keys that begin so
};

struct DynamoStats {
  uint64_t gets = 0, puts = 0;  // coordinated
  uint64_t forwards = 0;        // handed to another coordinator
  uint64_t puts_unknown = 0, puts_failed = 0, gets_failed = 0;
  uint64_t replica_gets = 0, replica_puts = 0;  // answered for others
  uint64_t repairs = 0;                         // objects pushed to replicas that lacked them
  uint64_t siblings_returned = 0;               // gets whose replicas did not agree
};

}  // namespace ringside
