#include "protocols/partitions.h"

#include <algorithm>
#include <utility>

namespace ringside {
namespace {

// A mark: own row "partition/" + begin u64 big-endian → end u64, whole u8, ticket u64, big-endian.
constexpr std::string_view kMarkName = "partition/";
constexpr std::size_t kMarkBytes = 17;

std::string mark_row(uint64_t begin) {
  std::string row(1, kOwnRow);
  row += kMarkName;
  row.resize(row.size() + 8);
  put_big_endian(begin, row.data() + row.size() - 8);
  return row;
}

std::string mark_value(const Partitions::Held& held) {
  std::string value(kMarkBytes, '\0');
  put_big_endian(held.range.end, value.data());
  value[8] = held.whole ? 1 : 0;
  put_big_endian(held.ticket, value.data() + 9);
  return value;
}

}  // namespace

Task<Result<void>> Partitions::load() {
  // What recovery logged again is read only once it is durable.
  Result<void> settled = co_await engine_.durable(engine_.last_submitted());
  if (!settled.ok()) co_return settled;
  std::vector<KeyRange> missing;
  for (const KeyRange& range : {hint_rows(), own_rows()}) {
    const std::vector<TabletInfo> tablets = engine_.tablets();
    const bool there = std::any_of(tablets.begin(), tablets.end(), [&](const TabletInfo& tablet) {
      return tablet.range.overlaps(range);
    });
    if (!there) missing.push_back(range);
  }
  if (!missing.empty()) {
    Result<void> made = co_await engine_.create_tablets(std::move(missing));
    if (!made.ok() && made.code() != Code::kInvalid) co_return made;
    tablets_ = made.ok();
  }
  std::string begin = std::string(1, kOwnRow) + std::string(kMarkName);
  std::string end = begin;
  ++end.back();
  fresh_ = true;
  for (bool more = true; more;) {
    const ScanLimits limits;
    Result<Rows> rows = co_await engine_.scan(begin, end, limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    more = !rows->empty();
    for (const StoredEntry& row : *rows) {
      begin = std::string(row.key) + '\0';
      if (row.key.size() != 1 + kMarkName.size() + 8 || row.value.size() != kMarkBytes) {
        co_return Error{Code::kCorrupt, "a mark of a partition does not decode"};
      }
      Held held;
      held.range = {get_big_endian(row.key.data() + row.key.size() - 8),
                    get_big_endian(row.value.data())};
      held.whole = row.value[8] != 0;
      held.ticket = get_big_endian(row.value.data() + 9);
      held_[held.range.begin] = held;
      fresh_ = false;
    }
  }
  // A tablet without a mark was being made or dropped when the process died.
  for (const TabletInfo& tablet : engine_.tablets()) {
    uint64_t position = 0;
    std::string_view key;
    if (!parse_object_row(tablet.range.begin, position, key) || holds(position)) continue;
    host_.trace().probe("partitions.unmarked_tablet");
    Result<void> dropped = co_await engine_.drop_tablet(tablet.range);
    if (!dropped.ok()) co_return dropped;
  }
  co_return Result<void>();
}

Task<Result<void>> Partitions::hold(std::vector<PositionRange> ranges, bool whole,
                                    uint64_t ticket) {
  std::vector<Held> marks;
  std::vector<KeyRange> tablets;
  for (const PositionRange& range : ranges) {
    const Held* held = find(range.begin);
    if (held != nullptr && held->range == range) continue;
    marks.push_back({range, whole, ticket});
    tablets.push_back(rows_of(range));
  }
  if (marks.empty()) co_return Result<void>();
  if (tablets_) {
    Result<void> made = co_await engine_.create_tablets(std::move(tablets));
    if (!made.ok()) co_return made;
  }
  Result<void> kept = co_await keep(marks);
  if (!kept.ok()) co_return kept;
  for (const Held& mark : marks) held_[mark.range.begin] = mark;
  co_return Result<void>();
}

Task<Result<void>> Partitions::set_whole(PositionRange range, bool whole, uint64_t ticket) {
  CHECK(held_.contains(range.begin) && held_[range.begin].range == range);
  const Held mark{range, whole, ticket};
  if (!whole) held_[range.begin] = mark;  // at once: no read may see it whole any more
  Result<void> kept = co_await keep({mark});
  if (kept.ok()) held_[range.begin] = mark;
  co_return kept;
}

Task<Result<void>> Partitions::drop(PositionRange range) {
  CHECK(held_.contains(range.begin) && held_[range.begin].range == range);
  held_.erase(range.begin);
  Batch batch;
  batch.remove(mark_row(range.begin));
  if (!tablets_) batch.remove_range(rows_of(range).begin, rows_of(range).end);
  const Result<Lsn> lsn = engine_.submit(batch);
  if (!lsn.ok()) co_return lsn.error();
  Result<void> done = co_await engine_.durable(*lsn);
  if (done.ok() && tablets_) done = co_await engine_.drop_tablet(rows_of(range));
  co_return done;
}

Task<Result<void>> Partitions::keep(std::vector<Held> marks) {
  Batch batch;
  for (const Held& mark : marks) batch.put(mark_row(mark.range.begin), mark_value(mark));
  while (true) {
    const Result<Lsn> lsn = engine_.submit(batch);
    if (lsn.ok()) co_return co_await engine_.durable(*lsn);
    if (lsn.code() != Code::kOverloaded) co_return lsn.error();
    co_await engine_.room();
  }
}

}  // namespace ringside
