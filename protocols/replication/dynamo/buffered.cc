#include "protocols/replication/dynamo/buffered.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "protocols/replication/dynamo/hint_store.h"

namespace ringside {
namespace {

constexpr std::size_t kWrittenTogether = 64;

}  // namespace

BufferedWrites::BufferedWrites(Rpc& rpc, Engine& engine, Replica& replica, Elsewhere elsewhere,
                               const DynamoOptions& options, DynamoStats& stats)
    : rpc_(rpc),
      engine_(engine),
      host_(rpc.host()),
      replica_(replica),
      elsewhere_(std::move(elsewhere)),
      options_(options),
      stats_(stats),
      acks_(rpc, engine),
      scope_(host_.ready()) {}

bool BufferedWrites::merge(std::string_view key, std::string_view object, const Ack& ack) {
  if (!replica_.versions().valid(object)) {
    acks_.answer(ack, Status::kInvalid, encode_empty());
    return true;
  }
  std::string place = HintStore::place_of(key);
  const auto found = entries_.find(place);
  if (found == entries_.end()) {
    if (entries_.size() >= options_.buffer_objects) {
      host_.trace().probe("dynamo.write_buffer_full");
      return false;
    }
    entries_.emplace(std::move(place), Entry{std::string(object), ++turns_});
  } else {
    std::string both = merged(found->second.object, object);
    if (both != found->second.object) found->second = Entry{std::move(both), ++turns_};
  }
  ++stats_.buffered;
  host_.trace().probe("dynamo.put_buffered");
  acks_.answer(ack, Status::kOk, encode_empty());
  if (!writing_) scope_.spawn(write_behind());
  return true;
}

Task<void> BufferedWrites::write_behind() {
  writing_ = true;
  while (!entries_.empty()) {
    if (2 * entries_.size() < options_.buffer_objects) {
      co_await host_.clock().sleep(options_.buffer_for);
    }
    co_await write_some();
  }
  writing_ = false;
}

// An object leaves the buffer when the log holds it, so that at every moment a read finds it in one
// of the two.
Task<void> BufferedWrites::write_some() {
  struct Writing {
    Writing(Rpc& rpc, const std::string& where, uint64_t of)
        : place(where), turn(of), fanout(rpc, rpc.self()) {}
    std::string place;
    uint64_t turn;
    Fanout fanout;
  };
  const Time deadline = host_.clock().now() + options_.request_timeout;
  std::deque<Writing> batch;
  for (const auto& [place, entry] : entries_) {
    if (batch.size() == kWrittenTogether) break;
    batch.emplace_back(rpc_, place, entry.turn);
  }
  for (Writing& writing : batch) {
    writing.fanout.send(Kind::kReplicaPutRequest, 0, deadline, encode_empty());
    const auto entry = entries_.find(writing.place);
    replica_.merge(HintStore::key_at(writing.place), entry->second.object,
                   Ack{rpc_.self(), Kind::kReplicaPutRequest, 0, writing.fanout.call()});
  }
  uint32_t written = 0;
  for (Writing& writing : batch) {
    co_await writing.fanout.wait(1, deadline);
    const Fanout::Leg& leg = writing.fanout[0];
    const auto entry = entries_.find(writing.place);
    if (leg.state == Fanout::Leg::State::kFailed && leg.status == Status::kInvalid) {
      host_.trace().probe("dynamo.buffered_elsewhere");
      elsewhere_(HintStore::key_at(writing.place), entry->second.object);
      entries_.erase(entry);
      ++written;
    } else if (leg.state == Fanout::Leg::State::kOk) {
      if (entry->second.turn == writing.turn) entries_.erase(entry);
      ++stats_.buffer_written;
      ++written;
    }
  }
  if (written == 0) co_await host_.clock().sleep(options_.buffer_for);  // the engine is full
}

void BufferedWrites::get(std::string_view key, const Ack& ack) {
  const MemoryLookup found = engine_.lookup(ObjectRow(key).view(), View::kLatest);
  if (found.state == MemoryLookup::State::kNotInMemory) {
    scope_.spawn(get_later(std::string(key), buffered(HintStore::place_of(key)), ack));
    return;
  }
  answer_merged(buffered(HintStore::place_of(key)),
                found.state == MemoryLookup::State::kFound ? found.value : std::string_view(), ack);
}

// A copy: what is in the buffer now may have left it for the engine when the disk answers, too late
// to be in the answer.
Task<void> BufferedWrites::get_later(std::string key, std::string held, Ack ack) {
  const Result<std::optional<std::string>> stored =
      co_await engine_.get(std::string(ObjectRow(key).view()), View::kLatest);
  if (!stored.ok()) {
    acks_.answer(ack, Status::kFailed, encode_empty());
    co_return;
  }
  answer_merged(std::move(held), *stored ? std::string_view(**stored) : std::string_view(), ack);
}

std::string BufferedWrites::merged(std::string_view first, std::string_view second) const {
  std::string both;
  switch (replica_.versions().merge(first, second, both)) {
    case Versioning::Merge::kFirst:
    case Versioning::Merge::kBadSecond: return std::string(first);
    case Versioning::Merge::kSecond:
    case Versioning::Merge::kBadFirst: return std::string(second);
    case Versioning::Merge::kBoth: return both;
  }
  return both;
}

std::string BufferedWrites::buffered(const std::string& place) const {
  const auto entry = entries_.find(place);
  return entry == entries_.end() ? std::string() : entry->second.object;
}

// Objects are never empty; an empty one is none.
void BufferedWrites::answer_merged(std::string held, std::string_view stored, const Ack& ack) {
  if (held.empty()) {
    return acks_.answer(ack, Status::kOk, GetReply{!stored.empty(), stored}.encode());
  }
  host_.trace().probe("dynamo.read_from_write_buffer");
  const std::string both = merged(held, stored);
  acks_.answer(ack, Status::kOk, GetReply{true, both}.encode());
}

}  // namespace ringside
