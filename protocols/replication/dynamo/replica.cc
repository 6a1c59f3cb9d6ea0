#include "protocols/replication/dynamo/replica.h"

#include <algorithm>

#include "protocols/keys.h"
#include "protocols/replication/dynamo/repair_wire.h"

namespace ringside {
namespace {

// Units charged for looking at two objects: a hundred nanoseconds, and one for every eight bytes.
uint64_t merge_units(std::size_t bytes) { return 100 + bytes / 8; }

Status refusal(Code code) {
  switch (code) {
    case Code::kOverloaded: return Status::kOverloaded;
    case Code::kInvalid: return Status::kInvalid;
    default: return Status::kFailed;
  }
}

}  // namespace

Replica::Replica(Rpc& rpc, Engine& engine, const DynamoOptions& options, DynamoStats& stats)
    : engine_(engine),
      host_(rpc.host()),
      versions_(Versioning::make(options)),
      actors_(host_),
      expired_kept_(options.expired_kept),
      stats_(stats),
      latches_(host_.ready()),
      acks_(rpc, engine),
      scope_(host_.ready()) {}

void Replica::get(std::string_view key, const Ack& ack) {
  const MemoryLookup found = engine_.lookup(ObjectRow(key).view(), View::kDurable);
  if (found.state == MemoryLookup::State::kNotInMemory) {
    scope_.spawn(get_later(std::string(key), ack));
    return;
  }
  const bool here = found.state == MemoryLookup::State::kFound;
  acks_.answer(ack, Status::kOk, GetReply{here, here ? found.value : std::string_view()}.encode());
}

Task<void> Replica::get_later(std::string key, Ack ack) {
  host_.trace().probe("dynamo.read_from_disk");
  const Time begin = host_.clock().now();
  const Result<std::optional<std::string>> read =
      co_await engine_.get(std::string(ObjectRow(key).view()), View::kDurable);
  if (observer_) observer_(host_.clock().now() - begin);
  if (!read.ok()) {
    acks_.answer(ack, Status::kFailed, encode_empty());
  } else if (*read) {
    acks_.answer(ack, Status::kOk, GetReply{true, **read}.encode());
  } else {
    acks_.answer(ack, Status::kOk, GetReply{}.encode());
  }
}

bool Replica::find(std::string_view key, Stored& stored) {
  const MemoryLookup found = engine_.lookup(ObjectRow(key).view(), View::kLatest);
  if (found.state == MemoryLookup::State::kNotInMemory) return false;
  stored.found = found.state == MemoryLookup::State::kFound;
  stored.object = stored.found ? found.value : std::string_view();
  stored.lsn = found.lsn;
  return true;
}

// A write that finds the key in memory takes no latch, and a cached block counts as memory. So what
// the disk said is good only if the key is still not in memory and nothing can have left memory
// meanwhile.
Task<Result<Replica::Stored>> Replica::fetch(std::string_view key, std::string& kept) {
  for (;;) {
    Stored stored;
    if (find(key, stored)) co_return stored;
    const uint64_t flushes = engine_.stats().flushes;
    Result<std::optional<std::string>> read =
        co_await engine_.get(std::string(ObjectRow(key).view()), View::kLatest);
    if (!read.ok()) co_return read.error();
    if (find(key, stored)) co_return stored;
    if (engine_.stats().flushes != flushes) continue;
    if (*read) {
      kept = std::move(**read);
      stored.found = true;
      stored.object = kept;
    }
    co_return stored;
  }
}

void Replica::merge(std::string_view key, std::string_view object, const Ack& ack) {
  Stored stored;
  if (find(key, stored)) {
    merge_into(stored, key, object, ack);
  } else {
    scope_.spawn(merge_later(std::string(key), std::string(object), ack));
  }
}

Task<void> Replica::merge_later(std::string key, std::string object, Ack ack) {
  host_.trace().probe("dynamo.merge_with_disk");
  KeyLatches::Use use(latches_, key);
  const Permit permit = co_await use.acquire();
  std::string kept;
  const Result<Stored> stored = co_await fetch(key, kept);
  if (stored.ok()) {
    merge_into(*stored, key, object, ack);
  } else {
    acks_.answer(ack, Status::kFailed, encode_empty());
  }
}

void Replica::merge_into(const Stored& stored, std::string_view key, std::string_view object,
                         const Ack& ack) {
  host_.cpu().charge(merge_units(object.size() + stored.object.size()));
  if (stored.found && stored.object == object) {
    acks_.when_durable(stored.lsn, ack);
    return;
  }
  if (!stored.found) {
    if (!versions_->valid(object)) return refuse_object(object, Status::kInvalid, ack);
    if (names_actor(object, actors_)) {
      host_.trace().probe("dynamo.removed_object_came_back");
      actors_.retire();
    }
  } else {
    switch (versions_->merge(stored.object, object, scratch_)) {
      case Versioning::Merge::kFirst: return acks_.when_durable(stored.lsn, ack);
      case Versioning::Merge::kSecond: break;
      case Versioning::Merge::kBoth: object = scratch_; break;
      case Versioning::Merge::kBadFirst: return refuse_object(stored.object, Status::kFailed, ack);
      case Versioning::Merge::kBadSecond: return refuse_object(object, Status::kInvalid, ack);
    }
  }
  const Result<Lsn> lsn = store(key, object);
  if (lsn.ok()) {
    acks_.when_durable(*lsn, ack);
  } else {
    acks_.answer(ack, refusal(lsn.code()), encode_empty());
  }
}

// An object that came is wrong for good; one that is stored is our own trouble.
void Replica::refuse_object(std::string_view object, Status status, const Ack& ack) {
  const std::optional<Versions> scheme = scheme_of(object);
  if (scheme && *scheme != versions_->scheme()) {
    host_.trace().probe("dynamo.object_of_another_scheme");
  } else if (status == Status::kInvalid) {
    host_.trace().probe("dynamo.bad_object");
  } else {
    host_.trace().probe("dynamo.bad_stored_object");
  }
  acks_.answer(ack, status, encode_empty());
}

bool Replica::put_now(std::string_view key, const LocalPut& put, Applied& applied) {
  Stored stored;
  if (!find(key, stored)) return false;
  applied = put_into(stored, key, put);
  return true;
}

Task<Applied> Replica::put_later(std::string_view key, LocalPut put) {
  host_.trace().probe("dynamo.put_with_disk");
  const std::string own_key(key);
  KeyLatches::Use use(latches_, own_key);
  const Permit permit = co_await use.acquire();
  std::string kept;
  const Result<Stored> stored = co_await fetch(own_key, kept);
  Applied applied;
  if (stored.ok()) {
    applied = put_into(*stored, own_key, put);
    if (applied.object.data() !=
        scratch_.data()) {  // the object as it was, whose bytes end with this frame
      scratch_.assign(applied.object);
      applied.object = scratch_;
    }
  }
  co_return applied;
}

Applied Replica::put_into(const Stored& stored, std::string_view key, const LocalPut& put) {
  host_.cpu().charge(merge_units(put.value.size() + stored.object.size()));
  std::optional<std::string_view> under;
  if (stored.found) under = stored.object;
  Applied applied;
  note(versions_->put(under, put.seen, new_version(put), actors_, scratch_), scratch_, applied);
  if (applied.status != Status::kOk) return applied;
  if (applied.object.empty()) {  // it stays as it was
    applied.lsn = stored.lsn;
    applied.object = stored.object;
    return applied;
  }
  const Result<Lsn> lsn = store(key, scratch_);
  if (lsn.ok()) {
    applied.lsn = *lsn;
  } else {
    applied.status = refusal(lsn.code());
  }
  return applied;
}

Applied Replica::put_elsewhere(const LocalPut& put, std::string& own) {
  Applied applied;
  note(versions_->put({}, put.seen, new_version(put), actors_, own), own, applied);
  return applied;
}

NewVersion Replica::new_version(const LocalPut& put) const {
  return {put.value,
          put.tombstone,
          put.operation,
          host_.clock().wall(),
          put.tombstone ? 0 : put.expires,
          put.known};
}

void Replica::note(const Versioning::Put& put, const std::string& out, Applied& applied) {
  applied.made = put.made;
  switch (put.state) {
    case Versioning::Put::State::kMade:
      applied.status = Status::kOk;
      applied.object = out;
      if (put.truncated != 0) {
        stats_.clock_entries_dropped += put.truncated;
        host_.trace().probe("dynamo.clock_truncated");
      }
      return;
    case Versioning::Put::State::kStale:
      applied.status = Status::kOk;
      host_.trace().probe("dynamo.put_came_too_late");
      return;
    case Versioning::Put::State::kRepeated:
      applied.status = Status::kOk;
      host_.trace().probe("dynamo.put_repeated");
      return;
    case Versioning::Put::State::kBadObject:
      applied.status = Status::kFailed;
      host_.trace().probe("dynamo.bad_stored_object");
      return;
    case Versioning::Put::State::kBadContext: applied.status = Status::kInvalid; return;
  }
}

Task<bool> Replica::forget(std::string key, uint64_t hash) {
  Result<Lsn> lsn = Lsn{0};
  {
    KeyLatches::Use use(latches_, key);
    const Permit permit = co_await use.acquire();
    std::string kept;
    const Result<Stored> stored = co_await fetch(key, kept);
    if (!stored.ok()) co_return false;
    if (stored->found && object_hash(stored->object) != hash) co_return false;
    lsn = stored->lsn;
    if (stored->found) {
      batch_.clear();
      batch_.remove(ObjectRow(key).view());
      lsn = engine_.submit(batch_);
    }
  }
  if (!lsn.ok()) co_return false;
  const Result<void> held = co_await engine_.durable(*lsn);
  co_return held.ok();
}

Result<Lsn> Replica::store(std::string_view key, std::string_view object) {
  batch_.clear();
  const Time expires = expiry_of(object);
  if (expires == 0) {
    batch_.put(ObjectRow(key).view(), object);
  } else {
    // For a while yet the row stands for a tombstone, so that replicas that lack it hear of it.
    const bool far = expires > kNever - expired_kept_;
    batch_.put_until(ObjectRow(key).view(), object, far ? kNever : expires + expired_kept_);
  }
  return engine_.submit(batch_);
}

}  // namespace ringside
