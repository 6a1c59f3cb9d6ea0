// HintStore: what this node keeps for homes that did not answer (hinted handoff; paper, section
// 4.6), each object apart from the node's own, with the home for which it is meant. A hint is
// acknowledged when the log holds it, merged with one that is there, and survives restarts. It
// carries its object whole, context included, so that merging it anywhere, however late, never
// brings back what was superseded. All of them together are bounded; beyond that nobody is stood in
// for.
//
//   row    0x02, intended u32 big-endian, position u64 big-endian, key  →  the encoded object
//
// An index of the rows is in memory: it says who waits for how much without a look at the disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"
#include "protocols/keys.h"
#include "protocols/replication/dynamo/ack_queue.h"
#include "protocols/replication/dynamo/latch.h"
#include "protocols/replication/dynamo/options.h"
#include "protocols/replication/dynamo/versioning.h"
#include "storage/engine.h"

namespace ringside {

class HintStore {
 public:
  struct Hint {
    uint64_t bytes = 0;  // that it counts for
    uint64_t turn = 0;   // another one whenever the row is written
  };
  // By place: position u64 big-endian, key.
  using Hints = absl::btree_map<std::string, Hint>;

  HintStore(Rpc& rpc, Engine& engine, const Versioning& versions, const DynamoOptions& options,
            DynamoStats& stats);

  // Reads what was kept before a restart; nothing is taken before. kCorrupt.
  Task<Result<void>> load();

  // Answers ok when it is durable; kOverloaded when there is no room.
  void keep(std::string_view key, std::string_view object, NodeId intended, const Ack& ack);
  // Answers with a GetReply: everything durable that is kept of the key, merged.
  void get(std::string_view key, const Ack& ack);

  // What waits for whom. Owners without hints are not listed.
  const std::map<NodeId, Hints>& all() const { return owners_; }
  uint64_t waiting_for(NodeId owner) const;
  // While that is not known, the answer is yes.
  bool waiting_for(PositionRange range) const;
  uint64_t count() const { return count_; }
  uint64_t bytes() const { return bytes_; }
  bool loaded() const { return loaded_; }

  // The object of a hint; nothing when it is gone.
  Task<Result<std::optional<std::string>>> read(NodeId owner, std::string place);
  // Forgets a hint that was not written again since it had this turn. False: it was, or the engine
  // takes nothing now; it stays.
  bool remove(NodeId owner, const std::string& place, uint64_t turn);

  static std::string place_of(std::string_view key);
  static uint64_t position_at(std::string_view place);
  static std::string_view key_at(std::string_view place);

 private:
  struct Row {
    std::string name;
    NodeId owner;
    std::string place;
  };

  static std::string row_of(NodeId owner, std::string_view place);
  const Hint* find(NodeId owner, const std::string& place) const;
  Task<void> keep_later(Row row, std::string object, Ack ack);
  Task<void> get_later(std::string key, Ack ack);
  void merge_into(const Row& row, std::string_view stored, Lsn lsn, std::string_view object,
                  const Ack& ack);
  void store(const Row& row, std::string_view object, const Ack& ack);
  void note(const Row& row, uint64_t bytes);
  void add_to(std::string& merged, std::string_view object);
  void publish();

  Rpc& rpc_;
  Engine& engine_;
  Host& host_;
  const Versioning& versions_;
  const DynamoOptions& options_;
  DynamoStats& stats_;
  bool loaded_ = false;
  bool complete_ = true;  // all of them could be read
  uint64_t turns_ = 0;
  uint64_t count_ = 0;
  uint64_t bytes_ = 0;
  std::map<NodeId, Hints> owners_;
  Batch batch_;
  std::string scratch_;
  KeyLatches latches_;
  AckQueue acks_;
  Scope scope_;
};

}  // namespace ringside
