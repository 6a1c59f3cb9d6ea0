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

// Ends compare as what lies behind them: 0 is the end of the circle.
bool ends_within(uint64_t end, uint64_t other) { return other == 0 || (end != 0 && end <= other); }

bool lies_in(const PositionRange& inner, const PositionRange& outer) {
  return inner.begin >= outer.begin && ends_within(inner.end, outer.end);
}

// The tablets that hold objects, in order, and what of the circle each covers.
struct ObjectTablet {
  KeyRange rows;
  PositionRange positions;
  bool objects_alone = false;  // of other rows, too, when the engine has one tablet of everything
};

std::vector<ObjectTablet> object_tablets(const Engine& engine) {
  const std::string first(1, kObjectRow), behind(1, kHintRow);
  std::vector<ObjectTablet> found;
  for (TabletInfo& tablet : engine.tablets()) {
    if (!tablet.range.overlaps(first, behind)) continue;
    ObjectTablet object{{}, {}, tablet.range.begin >= first && tablet.range.end <= behind};
    std::string_view key;
    parse_object_row(tablet.range.begin, object.positions.begin, key);
    parse_object_row(tablet.range.end, object.positions.end, key);
    if (tablet.range.end.empty()) object.objects_alone = false;
    object.rows = std::move(tablet.range);
    found.push_back(std::move(object));
  }
  return found;
}

// What of a range no tablet covers.
std::vector<KeyRange> uncovered(const std::vector<ObjectTablet>& tablets, PositionRange range) {
  std::vector<KeyRange> left;
  for (const ObjectTablet& tablet : tablets) {
    if (!tablet.positions.overlaps(range)) continue;
    if (tablet.positions.begin > range.begin) {
      left.push_back(rows_of({range.begin, tablet.positions.begin}));
    }
    if (ends_within(range.end, tablet.positions.end)) return left;
    range.begin = tablet.positions.end;
  }
  left.push_back(rows_of(range));
  return left;
}

}  // namespace

Task<Result<void>> Partitions::load() {
  Permit permit = co_await turn_.acquire();
  // What recovery logged again is read only once it is durable.
  Result<void> done = co_await engine_.durable(engine_.last_submitted());
  if (done.ok()) done = co_await drop_lost_hints();
  if (done.ok()) done = co_await make_own_tablets();
  if (!done.ok()) co_return done;
  const Result<bool> read = co_await read_marks();
  if (!read.ok()) {
    if (read.code() != Code::kCorrupt || !tablets_) co_return read.error();
    done = co_await forget_marks();
    if (!done.ok()) co_return done;
  }
  if (tablets_) done = co_await match_tablets();
  co_return done;
}

// Hints that cannot be read would stop every scan of them for ever. The homes repair each other.
Task<Result<void>> Partitions::drop_lost_hints() {
  const std::vector<Suspect> suspects = engine_.suspects();
  const bool lost = std::any_of(suspects.begin(), suspects.end(), [](const Suspect& suspect) {
    return suspect.range.overlaps(hint_rows());
  });
  if (!lost) co_return Result<void>();
  for (const TabletInfo& tablet : engine_.tablets()) {
    if (tablet.range != hint_rows()) continue;
    host_.trace().probe("partitions.hints_lost");
    co_return co_await engine_.drop_tablet(hint_rows());
  }
  co_return Result<void>();
}

Task<Result<void>> Partitions::make_own_tablets() {
  std::vector<KeyRange> missing;
  for (const KeyRange& range : {hint_rows(), own_rows()}) {
    const std::vector<TabletInfo> tablets = engine_.tablets();
    const bool there = std::any_of(tablets.begin(), tablets.end(), [&](const TabletInfo& tablet) {
      return tablet.range.overlaps(range);
    });
    if (!there) missing.push_back(range);
  }
  if (missing.empty()) co_return Result<void>();
  Result<void> made = co_await engine_.create_tablets(std::move(missing));
  if (!made.ok() && made.code() != Code::kInvalid) co_return made;
  tablets_ = made.ok();
  co_return Result<void>();
}

// kCorrupt when the marks cannot be read.
Task<Result<bool>> Partitions::read_marks() {
  std::string begin = std::string(1, kOwnRow) + std::string(kMarkName);
  std::string end = begin;
  ++end.back();
  held_.clear();
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
  co_return true;
}

// The node's own rows are lost, the marks among them: what lies in tablets may be anything.
Task<Result<void>> Partitions::forget_marks() {
  host_.trace().probe("partitions.marks_lost");
  held_.clear();
  fresh_ = false;
  std::vector<KeyRange> own;
  Marks marks;
  for (const ObjectTablet& tablet : object_tablets(engine_)) {
    if (!tablet.objects_alone) co_return Error{Code::kCorrupt, "the marks of partitions are lost"};
    marks.push_back({tablet.positions, false, 0});
  }
  for (const TabletInfo& tablet : engine_.tablets()) {
    if (tablet.range.overlaps(own_rows())) own.push_back(tablet.range);
  }
  for (KeyRange& range : own) {
    Result<void> dropped = co_await engine_.drop_tablet(std::move(range));
    if (!dropped.ok()) co_return dropped;
  }
  Result<void> made = co_await engine_.create_tablet(own_rows());
  if (!made.ok()) co_return made;
  Result<void> kept = co_await keep({}, marks);
  if (!kept.ok()) co_return kept;
  for (const Held& mark : marks) held_[mark.range.begin] = mark;
  co_return Result<void>();
}

// Tablets that nobody marked were being made or dropped when the process died.
Task<Result<void>> Partitions::match_tablets() {
  const std::vector<ObjectTablet> tablets = object_tablets(engine_);
  for (const ObjectTablet& tablet : tablets) {
    if (!tablet.objects_alone || overlaps_held(tablet.positions)) continue;
    host_.trace().probe("partitions.unmarked_tablet");
    Result<void> dropped = co_await engine_.drop_tablet(tablet.rows);
    if (!dropped.ok()) co_return dropped;
  }
  Marks lost;
  std::vector<KeyRange> missing;
  for (const auto& [begin, held] : held_) {
    const std::vector<KeyRange> gaps = uncovered(tablets, held.range);
    if (gaps.empty()) continue;
    missing.insert(missing.end(), gaps.begin(), gaps.end());
    lost.push_back({held.range, false, held.ticket});
  }
  if (lost.empty()) co_return Result<void>();
  host_.trace().probe("partitions.mark_without_tablet");
  Result<void> done = co_await keep({}, lost);
  if (done.ok()) done = co_await engine_.create_tablets(std::move(missing));
  for (const Held& mark : lost) held_[mark.range.begin] = mark;
  co_return done;
}

bool Partitions::overlaps_held(const PositionRange& range) const {
  const std::vector<PositionRange> left = not_held(range);
  return left.size() != 1 || left.front() != range;
}

bool Partitions::holds_all(const PositionRange& range) const { return not_held(range).empty(); }

bool Partitions::whole_all(const PositionRange& range) const {
  return holds_all(range) && std::all_of(held_.begin(), held_.end(), [&](const auto& held) {
           return !held.second.range.overlaps(range) || held.second.whole;
         });
}

std::vector<PositionRange> Partitions::not_held(const PositionRange& range) const {
  std::vector<PositionRange> left;
  uint64_t at = range.begin;
  auto next = held_.upper_bound(at);
  if (next != held_.begin()) --next;
  for (; next != held_.end(); ++next) {
    const PositionRange& held = next->second.range;
    if (!held.overlaps({at, range.end})) {
      if (held.begin >= at) break;
      continue;
    }
    if (held.begin > at) left.push_back({at, held.begin});
    if (held.end == 0 || ends_within(range.end, held.end)) return left;
    at = held.end;
  }
  left.push_back({at, range.end});
  return left;
}

Task<Result<void>> Partitions::hold(std::vector<PositionRange> ranges, bool whole,
                                    uint64_t ticket) {
  Permit permit = co_await turn_.acquire();
  Marks marks;
  std::vector<KeyRange> missing;
  const std::vector<ObjectTablet> tablets = object_tablets(engine_);
  for (const PositionRange& range : ranges) {
    for (const PositionRange& part : not_held(range)) {
      marks.push_back({part, whole, ticket});
      if (!tablets_) continue;
      const std::vector<KeyRange> gaps = uncovered(tablets, part);
      missing.insert(missing.end(), gaps.begin(), gaps.end());
    }
  }
  if (marks.empty()) co_return Result<void>();
  if (!missing.empty()) {
    Result<void> made = co_await engine_.create_tablets(std::move(missing));
    if (!made.ok()) co_return made;
  }
  Result<void> kept = co_await keep({}, marks);
  if (!kept.ok()) co_return kept;
  for (const Held& mark : marks) held_[mark.range.begin] = mark;
  co_return Result<void>();
}

Task<Result<void>> Partitions::set_whole(PositionRange range, bool whole, uint64_t ticket) {
  std::vector<PositionRange> one{range};
  co_return co_await set_whole_all(std::move(one), whole, ticket);
}

Task<Result<void>> Partitions::set_whole_all(std::vector<PositionRange> ranges, bool whole,
                                             uint64_t ticket) {
  Permit permit = co_await turn_.acquire();
  Marks marks;
  for (const PositionRange& range : ranges) {
    if (!holds_as(range)) co_return Error{Code::kNotFound, "the range is held no longer"};
  }
  for (const PositionRange& range : ranges) {
    marks.push_back({range, whole, ticket});
    if (!whole) held_[range.begin].whole = false;  // at once: no read may see it whole any more
  }
  if (marks.empty()) co_return Result<void>();
  Result<void> kept = co_await keep({}, marks);
  if (!kept.ok()) co_return kept;
  for (const Held& mark : marks) held_[mark.range.begin] = mark;
  co_return kept;
}

Task<Result<void>> Partitions::drop(PositionRange range) {
  Permit permit = co_await turn_.acquire();
  if (!holds_as(range)) co_return Error{Code::kNotFound, "the range is held no longer"};
  const Held gone = held_[range.begin];
  held_.erase(range.begin);
  // A tablet goes when nothing else that is held lies in it; of others the rows go.
  std::vector<KeyRange> tablets, rows;
  const KeyRange all = rows_of(range);
  for (ObjectTablet& tablet : object_tablets(engine_)) {
    if (!tablet.positions.overlaps(range)) continue;
    if (tablet.objects_alone && !overlaps_held(tablet.positions)) {
      tablets.push_back(std::move(tablet.rows));
    } else if (rows.empty()) {
      rows.push_back(all);
    }
  }
  if (!tablets_) rows.push_back(all);
  Result<void> done = co_await keep({gone}, {}, std::move(rows));
  for (std::size_t i = 0; done.ok() && i < tablets.size(); ++i) {
    done = co_await engine_.drop_tablet(tablets[i]);
  }
  co_return done;
}

Task<Result<void>> Partitions::renew(PositionRange range, uint64_t ticket) {
  Permit permit = co_await turn_.acquire();
  if (!holds_as(range)) co_return Error{Code::kNotFound, "the range is held no longer"};
  std::vector<KeyRange> tablets, rows;
  std::vector<PositionRange> struck{range};
  for (ObjectTablet& tablet : object_tablets(engine_)) {
    if (!tablet.positions.overlaps(range)) continue;
    if (!tablet.objects_alone) {
      rows.push_back(rows_of(range));
      continue;
    }
    struck.push_back(tablet.positions);
    tablets.push_back(std::move(tablet.rows));
  }
  if (!tablets_) rows.push_back(rows_of(range));
  Marks marks;
  for (auto& [begin, held] : held_) {
    const bool in = std::any_of(struck.begin(), struck.end(),
                                [&](const auto& part) { return held.range.overlaps(part); });
    if (!in) continue;
    held.whole = false;
    marks.push_back({held.range, false, ticket});
  }
  Result<void> done = co_await keep({}, marks, std::move(rows));
  for (std::size_t i = 0; done.ok() && i < tablets.size(); ++i) {
    done = co_await engine_.drop_tablet(tablets[i]);
  }
  std::vector<KeyRange> missing;
  const std::vector<ObjectTablet> left = object_tablets(engine_);
  for (const Held& mark : marks) {
    held_[mark.range.begin] = mark;
    if (!tablets_) continue;
    const std::vector<KeyRange> gaps = uncovered(left, mark.range);
    missing.insert(missing.end(), gaps.begin(), gaps.end());
  }
  if (done.ok() && !missing.empty()) done = co_await engine_.create_tablets(std::move(missing));
  co_return done;
}

Task<Result<void>> Partitions::cut_at(std::vector<uint64_t> positions) {
  Permit permit = co_await turn_.acquire();
  std::sort(positions.begin(), positions.end());
  Marks come;
  for (const auto& [begin, held] : held_) {
    Held rest = held;
    for (auto at = std::upper_bound(positions.begin(), positions.end(), begin);
         at != positions.end() && rest.range.contains(*at); ++at) {
      if (*at == rest.range.begin) continue;  // named twice
      come.push_back({{rest.range.begin, *at}, held.whole, held.ticket});
      rest.range.begin = *at;
    }
    if (rest.range.begin != begin) come.push_back(rest);
  }
  if (come.empty()) co_return Result<void>();
  host_.trace().probe("partitions.cut");
  Result<void> kept = co_await keep({}, come);
  if (!kept.ok()) co_return kept;
  for (const Held& mark : come) held_[mark.range.begin] = mark;
  co_return kept;
}

Task<Result<void>> Partitions::join(std::vector<PositionRange> ranges) {
  Permit permit = co_await turn_.acquire();
  Marks gone, come;
  for (const PositionRange& range : ranges) {
    if (holds_as(range) || !holds_all(range)) continue;
    Marks parts;
    bool fit = true;
    uint64_t ticket = 0;
    for (auto at = held_.upper_bound(range.begin) == held_.begin()
                       ? held_.begin()
                       : std::prev(held_.upper_bound(range.begin));
         at != held_.end() && at->second.range.overlaps(range); ++at) {
      fit = fit && at->second.whole && lies_in(at->second.range, range);
      ticket = std::max(ticket, at->second.ticket);
      parts.push_back(at->second);
    }
    if (!fit || parts.empty()) continue;
    gone.insert(gone.end(), parts.begin() + 1, parts.end());
    come.push_back({range, true, ticket});
  }
  if (come.empty()) co_return Result<void>();
  Result<void> kept = co_await keep(gone, come);
  if (!kept.ok()) co_return kept;
  for (const Held& mark : gone) held_.erase(mark.range.begin);
  for (const Held& mark : come) held_[mark.range.begin] = mark;
  co_return kept;
}

Task<Result<void>> Partitions::keep(Marks gone, Marks come, std::vector<KeyRange> rows_gone) {
  Batch batch;
  for (const KeyRange& rows : rows_gone) batch.remove_range(rows.begin, rows.end);
  for (const Held& mark : gone) batch.remove(mark_row(mark.range.begin));
  for (const Held& mark : come) batch.put(mark_row(mark.range.begin), mark_value(mark));
  if (batch.empty()) co_return Result<void>();
  while (true) {
    const Result<Lsn> lsn = engine_.submit(batch);
    if (lsn.ok()) co_return co_await engine_.durable(*lsn);
    if (lsn.code() != Code::kOverloaded) co_return lsn.error();
    co_await engine_.room();
  }
}

}  // namespace ringside
