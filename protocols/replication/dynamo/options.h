// What a node's Dynamo can be told, and what it counts.
#pragma once

#include <cstdint>

#include "runtime/time.h"

namespace ringside {

enum class Coordinate : uint8_t {
  kReplica,     // puts are coordinated by one of the key's first N nodes; gets by whoever is asked
  kNonReplica,  // both by a node that is none of them, so that no leg is local (for latency models)
};

// How versions of a key are told apart.
enum class Versions : uint8_t {
  kDotted,          // dotted version vectors
  kVectorClock,     // the paper's: one clock a version, truncated above a threshold
  kLastWriterWins,  // one version, the one with the latest time
};

struct DynamoOptions {
  uint32_t n = 3;
  uint32_t r = 2;
  uint32_t w = 2;
  bool read_repair = true;
  Duration read_repair_wait = 20 * kMillisecond;  // for stragglers, after the client was answered
  Duration request_timeout = kSecond;             // the most that a coordinator waits for replicas
  Coordinate coordinate = Coordinate::kReplica;

  Versions versions = Versions::kDotted;
  uint32_t clock_entries_max = 10;  // vector clocks: above it the oldest entry is dropped

  Duration expired_kept = 10 * kSecond;  // an expired object's row stands that long for a tombstone

  bool sloppy = true;                  // stand-ins take the place of homes that are silent
  Duration sloppy_after = 0;           // for so long; 0: a quarter of the time, at most 100 ms
  uint64_t hint_bytes_max = 64 << 20;  // kept for others; beyond it nobody is stood in for
  uint32_t hints_in_flight_max = 16;   // to one owner, while hints are delivered
  Duration hedge_after = 0;     // gets ask R homes, and the others after this; 0: all at once
  bool fastest_replier = true;  // a put is coordinated by the fastest replier of the read before
  bool buffered_writes =
      false;  // a put is acknowledged from memory; one replica of N makes it durable first
  uint32_t buffer_objects = 1'000;
  Duration buffer_for = 50 * kMillisecond;  // before it is written
  // For models alone: each put reaches one random set of W homes and nobody else, each get asks one
  // random set of R.
  bool random_quorums = false;
};

struct DynamoStats {
  uint64_t gets = 0, puts = 0;  // coordinated
  uint64_t forwards = 0;        // handed to another coordinator
  uint64_t puts_unknown = 0, puts_failed = 0, gets_failed = 0;
  uint64_t replica_gets = 0, replica_puts = 0;  // answered for others
  uint64_t not_held = 0;                        // asked about a range that this node does not hold
  uint64_t repairs = 0;                         // objects pushed to replicas that lacked them
  uint64_t siblings_returned = 0;               // gets whose replicas did not agree
  uint64_t stand_ins_asked = 0;                 // to take a put, or to answer a get
  uint64_t sloppy_puts = 0;                     // acknowledged with less than W homes
  uint64_t sloppy_gets = 0;                     // answered with less than R homes
  uint64_t hedged_gets = 0;                     // that asked more than R
  uint64_t hints_kept = 0, hints_refused = 0;   // for others
  uint64_t hints_delivered = 0;                 // and deleted
  uint64_t hint_rounds_failed = 0;              // of delivery, to who did not answer
  uint64_t hints_waiting = 0, hint_bytes = 0;   // now
  uint64_t buffered = 0;                        // puts acknowledged from memory
  uint64_t buffer_written = 0;                  // objects that went from there to the engine
  uint64_t siblings_read[4] = {};      // gets that found no object, one version, two, more …
  uint64_t siblings_read_max = 0;      // … and the most versions that one found
  uint64_t clock_entries_dropped = 0;  // by the truncation of vector clocks

  void note_read(std::size_t siblings) {
    ++siblings_read[siblings < 3 ? siblings : 3];
    if (siblings > siblings_read_max) siblings_read_max = siblings;
  }
};

}  // namespace ringside
