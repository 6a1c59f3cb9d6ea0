#include "protocols/replication/dynamo/replica.h"

#include <algorithm>

#include "protocols/keys.h"

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

Replica::Replica(Rpc& rpc, Engine& engine)
    : engine_(engine),
      host_(rpc.host()),
      actor_(host_.random("dynamo.actor").next()),
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
  const Result<std::optional<std::string>> read =
      co_await engine_.get(std::string(ObjectRow(key).view()), View::kDurable);
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
  Object incoming;
  if (!incoming.decode(object)) {
    host_.trace().probe("dynamo.bad_object");
    acks_.answer(ack, Status::kInvalid, encode_empty());
    return;
  }
  if (stored.found) {
    Object local;
    if (!local.decode(stored.object)) {
      host_.trace().probe("dynamo.bad_stored_object");
      acks_.answer(ack, Status::kFailed, encode_empty());
      return;
    }
    if (local.includes(incoming)) {
      acks_.when_durable(stored.lsn, ack);
      return;
    }
    if (!incoming.includes(local)) {
      local.merge(incoming);
      scratch_.resize(local.encoded_size());
      local.encode(scratch_.data());
      object = scratch_;
    }
  }
  const Result<Lsn> lsn = store(key, object);
  if (lsn.ok()) {
    acks_.when_durable(*lsn, ack);
  } else {
    acks_.answer(ack, refusal(lsn.code()), encode_empty());
  }
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
  Applied applied;
  Object local;
  if (stored.found) {
    if (!local.decode(stored.object)) {
      host_.trace().probe("dynamo.bad_stored_object");
      return applied;
    }
    // The operation came before: from here, or through another coordinator whose version reached
    // us.
    applied.dot = put.known;
    for (const Version& version : local.siblings) {
      if (version.operation == put.operation) applied.dot = version.dot;
    }
    if (applied.dot.counter != 0 && local.context.covers(applied.dot)) {
      host_.trace().probe("dynamo.put_repeated");
      applied.status = Status::kOk;
      applied.lsn = stored.lsn;
      applied.object = stored.object;
      return applied;
    }
  }
  const uint64_t last = std::max(local.context.last(actor_), put.seen->last(actor_));
  if (last == ~uint64_t{0}) {
    applied.status = Status::kInvalid;
    return applied;
  }
  applied.dot = {actor_, last + 1};
  local.put(*put.seen, Version{applied.dot, put.operation, put.tombstone, put.value});
  scratch_.resize(local.encoded_size());
  local.encode(scratch_.data());
  const Result<Lsn> lsn = store(key, scratch_);
  applied.status = lsn.ok() ? Status::kOk : refusal(lsn.code());
  if (!lsn.ok()) return applied;
  applied.lsn = *lsn;
  applied.object = scratch_;
  return applied;
}

Result<Lsn> Replica::store(std::string_view key, std::string_view object) {
  batch_.clear();
  batch_.put(ObjectRow(key).view(), object);
  return engine_.submit(batch_);
}

}  // namespace ringside
