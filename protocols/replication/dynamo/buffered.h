// BufferedWrites: puts that are acknowledged from memory (paper, section 6.1). A replica merges
// what it is sent into a bounded buffer of objects and answers at once; a writer brings them to the
// engine a little later, each object once however often it was put, in the order of the ring. Reads
// see the buffer. The coordinator has one of the N homes write through its log, but it waits for W
// answers of whoever: all of them may be from memory, and then a power loss of all of them loses an
// acknowledged put. That is the paper's bargain, latency for durability, and why it is off unless
// asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"
#include "protocols/replication/dynamo/ack_queue.h"
#include "protocols/replication/dynamo/options.h"
#include "protocols/replication/dynamo/replica.h"
#include "storage/engine.h"

namespace ringside {

class BufferedWrites {
 public:
  // What the engine will never take, because its range was given away meanwhile, goes to
  // `elsewhere`.
  using Elsewhere = std::function<void(std::string_view key, std::string_view object)>;
  BufferedWrites(Rpc& rpc, Engine& engine, Replica& replica, Elsewhere elsewhere,
                 const DynamoOptions& options, DynamoStats& stats);

  // Merges and answers at once. False: the buffer is full, write it yourself.
  bool merge(std::string_view key, std::string_view object, const Ack& ack);
  // Answers with a GetReply of the latest: what is in the buffer and what the engine was given.
  void get(std::string_view key, const Ack& ack);

  std::size_t objects() const { return entries_.size(); }

 private:
  struct Entry {
    std::string object;
    uint64_t turn = 0;  // another one whenever it changes
  };

  Task<void> write_behind();
  Task<void> write_some();
  Task<void> get_later(std::string key, std::string held, Ack ack);
  std::string buffered(const std::string& place) const;
  std::string merged(std::string_view first, std::string_view second) const;
  void answer_merged(std::string held, std::string_view stored, const Ack& ack);

  Rpc& rpc_;
  Engine& engine_;
  Host& host_;
  Replica& replica_;
  Elsewhere elsewhere_;
  const DynamoOptions& options_;
  DynamoStats& stats_;
  absl::btree_map<std::string, Entry> entries_;  // by place: position u64 big-endian, key
  uint64_t turns_ = 0;
  bool writing_ = false;
  AckQueue acks_;
  Scope scope_;
};

}  // namespace ringside
