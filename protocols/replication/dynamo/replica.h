// Replica: one node's copies of objects, over its engine. Reads show what is durable; a merge or a
// put builds on the latest state and is acknowledged when the log holds it, also when it changed
// nothing because the state already covered it. While the key is in memory everything happens at
// once; otherwise a coroutine asks the disk under the key's latch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/replication/dynamo/ack_queue.h"
#include "protocols/replication/dynamo/latch.h"
#include "protocols/replication/dynamo/versioning.h"
#include "protocols/rpc.h"
#include "storage/engine.h"

namespace ringside {

// A put that this replica coordinates.
struct LocalPut {
  std::string_view seen;  // the context of what the client replaces
  std::string_view value;
  bool tombstone = false;
  uint64_t operation = 0;
  Made known;        // what this operation already made here
  Time expires = 0;  // by the wall clock; 0: never
};

struct Applied {
  Status status = Status::kFailed;  // anything but ok: nothing happened
  Lsn lsn = 0;                      // acknowledge when the log holds it
  Made made;                        // the put's version
  std::string_view object;  // the key's object, put included; valid until the next suspension
};

class Replica {
 public:
  Replica(Rpc& rpc, Engine& engine, const DynamoOptions& options, DynamoStats& stats);

  // Answers with a GetReply.
  void get(std::string_view key, const Ack& ack);
  // Merges an encoded object in, and answers when that is durable.
  void merge(std::string_view key, std::string_view object, const Ack& ack);

  // Makes a new version, or finds the one that the operation already has. False: the key is not in
  // memory, use put_later.
  bool put_now(std::string_view key, const LocalPut& put, Applied& applied);
  Task<Applied> put_later(std::string_view key, LocalPut put);
  // Answers the caller's own leg when what `put_*` applied is durable.
  void acknowledge(const Applied& applied, const Ack& ack) { acks_.when_durable(applied.lsn, ack); }

  // A version for a key that is not stored here: all that is known of the object is what the client
  // has seen. `own` holds the object.
  Applied put_elsewhere(const LocalPut& put, std::string& own);

  const Versioning& versions() const { return *versions_; }
  // Objects of keys that were once removed here may have come back otherwise than by `merge`.
  void rows_came_back() { actors_.retire(); }

  // Removes the key when it holds exactly the object of this hash (repair_wire.h) and nothing newer
  // is on its way to the log. True when nothing is there any more, durably.
  Task<bool> forget(std::string key, uint64_t hash);

  // Told how long each read took that had to ask the disk.
  void on_disk_read(std::function<void(Duration)> observer) { observer_ = std::move(observer); }

 private:
  struct Stored {
    bool found = false;
    std::string_view object;
    Lsn lsn = 0;
  };

  bool find(std::string_view key, Stored& stored);
  void merge_into(const Stored& stored, std::string_view key, std::string_view object,
                  const Ack& ack);
  void refuse_object(std::string_view object, Status status, const Ack& ack);
  NewVersion new_version(const LocalPut& put) const;
  Applied put_into(const Stored& stored, std::string_view key, const LocalPut& put);
  // Notes what came of a put; `applied.object` is `out` when it made one.
  void note(const Versioning::Put& put, const std::string& out, Applied& applied);
  Result<Lsn> store(std::string_view key, std::string_view object);
  Task<void> get_later(std::string key, Ack ack);
  Task<void> merge_later(std::string key, std::string object, Ack ack);
  // With the key's latch held: what is stored, in memory or on disk; `kept` holds the bytes of the
  // latter.
  Task<Result<Stored>> fetch(std::string_view key, std::string& kept);

  Engine& engine_;
  Host& host_;
  const std::unique_ptr<Versioning> versions_;
  Actors actors_;
  const Duration expired_kept_;
  DynamoStats& stats_;
  Batch batch_;          // used anew by every write
  std::string scratch_;  // the encoding of the last object that was built
  KeyLatches latches_;
  AckQueue acks_;
  std::function<void(Duration)> observer_;
  Scope scope_;
};

}  // namespace ringside
