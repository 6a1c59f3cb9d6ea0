#include "protocols/replication/dynamo/reaper.h"

#include <algorithm>
#include <utility>

#include "runtime/bug.h"

namespace ringside {
namespace {

constexpr std::size_t kTombstonesMax = 256;  // of a range, in one pass
constexpr ScanLimits kReapScan{.rows_max = 1'024, .bytes_max = 256u << 10, .fill_cache = false};

}  // namespace

Reaper::Reaper(Rpc& rpc, Engine& engine, Partitions& partitions, Replica& replica,
               const RingView& view, uint32_t n, UpkeepOptions options, UpkeepStats& stats,
               Background& background)
    : rpc_(rpc),
      host_(rpc.host()),
      engine_(engine),
      partitions_(partitions),
      replica_(replica),
      view_(&view),
      n_(n),
      options_(options),
      stats_(stats),
      background_(background),
      scope_(host_.ready()) {}

Task<void> Reaper::run() {
  while (true) {
    co_await host_.clock().sleep(options_.reap_every);
    co_await pass();
  }
}

std::vector<uint32_t> Reaper::homes_of(PositionRange range) const {
  const auto homes = view_->read_homes(range.begin, n_);
  return {homes.begin(), homes.end()};
}

Task<void> Reaper::pass() {
  std::vector<PositionRange> mine;
  for (const auto& [begin, held] : partitions_.all()) {
    const std::vector<uint32_t> homes = homes_of(held.range);
    const bool first = !homes.empty() && homes.front() == rpc_.self();
    if (held.whole && (first || RINGSIDE_BUG(tombstone_collected_before_repair))) {
      mine.push_back(held.range);
    }
  }
  std::vector<Old> agreed;
  stats_.reap_waiting = 0;
  for (const PositionRange& range : mine) {
    Old old = co_await search(range);
    if (old.tombstones.empty()) continue;
    if (RINGSIDE_BUG(tombstone_collected_before_repair)) {
      for (const Tombstone& one : old.tombstones) {
        if (co_await replica_.forget(one.key, one.object)) ++stats_.reaped;
      }
      continue;
    }
    const std::size_t found = old.tombstones.size();
    stats_.reap_asked += found;
    co_await ask_everyone(old);
    stats_.reap_agreed += old.tombstones.size();
    stats_.reap_waiting += found - old.tombstones.size();
    if (old.tombstones.size() < found) host_.trace().probe("reaper.not_everyone_agrees");
    if (!old.tombstones.empty()) agreed.push_back(std::move(old));
  }
  if (agreed.empty()) co_return;
  co_await host_.clock().sleep(options_.reap_grace);
  for (Old& old : agreed) {
    co_await ask_everyone(old);
    if (!old.tombstones.empty()) co_await remove_everywhere(std::move(old));
  }
}

Task<Reaper::Old> Reaper::search(PositionRange range) {
  Old old{.range = range, .tombstones = {}};
  KeyRange left = rows_of(range);
  const Time now = host_.clock().wall();
  while (!left.empty() && old.tombstones.size() < kTombstonesMax) {
    const Result<Rows> rows =
        co_await engine_.scan(left.begin, left.end, kReapScan, View::kDurable);
    if (!rows.ok() || rows->empty()) break;
    uint64_t bytes = 0;
    for (const StoredEntry& row : *rows) {
      bytes += row.key.size() + row.value.size();
      const std::optional<Time> dead = dead_since(row.value, now);
      uint64_t position = 0;
      std::string_view key;
      if (!dead || now - *dead < options_.reap_after) continue;
      if (!parse_object_row(row.key, position, key)) continue;
      if (old.tombstones.size() == kTombstonesMax) break;
      old.tombstones.push_back({std::string(key), object_hash(row.value)});
    }
    left.begin = std::string(rows->back().key) + '\0';
    co_await background_.admit(bytes);
  }
  co_return old;
}

ReapRequest Reaper::request_for(const Old& old, const std::vector<uint32_t>& homes,
                                bool remove) const {
  ReapRequest request{old.range.begin, old.range.end, packed(homes), remove, {}};
  for (const Tombstone& one : old.tombstones) request.rows.push_back({one.key, one.object});
  return request;
}

// The homes first: most disagreement is theirs.
Task<void> Reaper::ask_everyone(Old& old) {
  const std::vector<uint32_t> homes = homes_of(old.range);
  const bool mine = quiet() && !homes.empty() && homes.front() == rpc_.self();
  if (!mine) {
    old.tombstones.clear();
    co_return;
  }
  std::vector<NodeId> others;
  for (const Member& member : view_->now->members()) {
    if (std::find(homes.begin(), homes.end(), member.id) == homes.end()) {
      others.push_back(member.id);
    }
  }
  co_await ask_some(old, homes);
  co_await ask_some(old, std::move(others));
}

Task<void> Reaper::ask_some(Old& old, std::vector<NodeId> members) {
  if (members.empty() || old.tombstones.empty()) co_return;
  const std::vector<uint32_t> homes = homes_of(old.range);
  std::vector<uint32_t> agree(old.tombstones.size());
  uint32_t asked = 0;
  if (std::find(members.begin(), members.end(), rpc_.self()) != members.end()) {
    ++asked;
    for (const uint32_t row : co_await answer(request_for(old, homes, false), rpc_.self())) {
      ++agree[row];
    }
    std::erase(members, rpc_.self());
  }
  if (!members.empty()) {
    Fanout fanout(rpc_, members);
    const Time until = host_.clock().now() + options_.request_timeout;
    fanout.send(Kind::kReapRequest, 0, until, request_for(old, homes, false).encode());
    co_await fanout.wait(static_cast<uint32_t>(members.size()), until);
    for (const Fanout::Leg& leg : fanout) {
      ++asked;
      ReapReply reply;
      if (leg.state != Fanout::Leg::State::kOk || !reply.parse(leg.body())) continue;
      const PackedView<uint32_t> same(reply.same);
      uint32_t next = 0;  // rows are told in their order, once each
      for (std::size_t i = 0; i < same.size(); ++i) {
        if (same[i] < next || same[i] >= agree.size()) continue;
        ++agree[same[i]];
        next = same[i] + 1;
      }
    }
  }
  std::vector<Tombstone> left;
  for (std::size_t i = 0; i < agree.size(); ++i) {
    if (agree[i] == asked) left.push_back(std::move(old.tombstones[i]));
  }
  old.tombstones = std::move(left);
}

Task<void> Reaper::remove_everywhere(Old old) {
  const std::vector<uint32_t> homes = homes_of(old.range);
  std::vector<NodeId> others = homes;
  std::erase(others, rpc_.self());
  const Time until = host_.clock().now() + options_.request_timeout;
  Fanout fanout(rpc_, others);
  if (!others.empty()) {
    fanout.send(Kind::kReapRequest, 0, until, request_for(old, homes, true).encode());
  }
  const std::vector<uint32_t> gone = co_await answer(request_for(old, homes, true), rpc_.self());
  stats_.reaped += gone.size();
  if (!gone.empty()) host_.trace().probe("reaper.reaped");
  if (!others.empty()) co_await fanout.wait(static_cast<uint32_t>(others.size()), until);
}

// Whether the whole node has nothing against it: its view of the members, hints, and what it holds.
bool Reaper::agrees(const ReapRequest& asked) const {
  const PositionRange range{asked.begin, asked.end};
  if (!quiet()) return false;
  const std::vector<uint32_t> homes = homes_of(range);
  if (packed(homes) != asked.homes) return false;
  if (hints_ && hints_(range)) {
    host_.trace().probe("reaper.hint_waits");
    return false;
  }
  const bool home = std::find(homes.begin(), homes.end(), rpc_.self()) != homes.end();
  if (home) {
    const Partitions::Held* held = partitions_.find(range.begin);
    return held != nullptr && held->whole && held->range == range;
  }
  for (const auto& [begin, held] : partitions_.all()) {
    if (held.range.overlaps(range)) return false;
  }
  return true;
}

Task<std::vector<uint32_t>> Reaper::answer(ReapRequest asked, NodeId from) {
  std::vector<uint32_t> same;
  const std::vector<uint32_t> homes = homes_of({asked.begin, asked.end});
  const auto is_home = [&](NodeId node) {
    return std::find(homes.begin(), homes.end(), node) != homes.end();
  };
  // To remove, the exact object is reason enough: everyone has agreed.
  if (asked.remove ? !is_home(from) : !agrees(asked)) co_return same;
  const bool home = is_home(rpc_.self());
  const Result<void> settled = co_await engine_.durable(engine_.last_submitted());
  if (!settled.ok()) co_return same;
  for (uint32_t row = 0; row < asked.rows.size(); ++row) {
    const std::string key(asked.rows[row].key);
    if (key.size() > kKeyBytesMax) continue;
    if (asked.remove) {
      if (co_await replica_.forget(key, asked.rows[row].object)) same.push_back(row);
      continue;
    }
    bool good = !home;
    if (home) {
      const Result<std::optional<std::string>> object =
          co_await engine_.get(std::string(ObjectRow(key).view()), View::kDurable);
      good = object.ok() && *object && object_hash(**object) == asked.rows[row].object;
    }
    if (good) same.push_back(row);
  }
  // What was true when this began must still be.
  if (!asked.remove && !agrees(asked)) same.clear();
  co_return same;
}

void Reaper::message(Request request) {
  if (request.kind == Kind::kReapRequest) scope_.spawn(answer_other(std::move(request)));
}

Task<void> Reaper::answer_other(Request request) {
  ReapRequest asked;
  if (!asked.parse(request.body()) || asked.rows.size() > kTombstonesMax) {
    rpc_.reply(request, Status::kInvalid, encode_empty());
    co_return;
  }
  const std::vector<uint32_t> same = co_await answer(std::move(asked), request.from);
  rpc_.reply(request, Status::kOk, ReapReply{packed(same)}.encode());
}

}  // namespace ringside
