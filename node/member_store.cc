#include "node/member_store.h"

#include <algorithm>
#include <map>
#include <string>

#include "protocols/keys.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr std::string_view kMemberName = "member/";
constexpr std::string_view kHistoryName = "history/";
constexpr std::string_view kIncarnationName = "incarnation";

std::string own_row(std::string_view name) { return std::string(1, kOwnRow) + std::string(name); }

void append_big_endian(std::string& row, uint64_t value) {
  row.resize(row.size() + 8);
  put_big_endian(value, row.data() + row.size() - 8);
}

std::string member_row(NodeId id) {
  std::string row = own_row(kMemberName);
  append_big_endian(row, id);
  return row;
}

std::string history_row(NodeId id, const Seat& seat) {
  std::string row = own_row(kHistoryName);
  append_big_endian(row, seat.ticket);
  append_big_endian(row, id);
  append_big_endian(row, seat.version);
  return row;
}

std::string history_value(Time wall, const Seat& seat) {
  std::string value(8, '\0');
  store<uint64_t>(value.data(), static_cast<uint64_t>(wall));
  return value + encode(seat);
}

// The row behind every row that begins with `name`.
std::string end_of(std::string_view name) {
  std::string end = own_row(name);
  ++end.back();
  return end;
}

}  // namespace

Task<Result<std::vector<MemberRecord>>> MemberStore::read() {
  std::vector<MemberRecord> records;
  std::string begin = own_row(kMemberName);
  for (bool more = true; more;) {
    const ScanLimits limits;
    Result<Rows> rows = co_await engine_.scan(begin, end_of(kMemberName), limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    more = !rows->empty();
    for (const StoredEntry& row : *rows) {
      begin = std::string(row.key) + '\0';
      if (!parse(row.value, records.emplace_back()))
        co_return Error{Code::kCorrupt, "a kept record of a member"};
    }
  }
  co_return records;
}

Task<Result<uint64_t>> MemberStore::begin_incarnation(uint64_t least) {
  const std::string row = own_row(kIncarnationName);
  const Result<std::optional<std::string>> kept = co_await engine_.get(row, View::kLatest);
  if (!kept.ok()) co_return kept.error();
  uint64_t incarnation = 1;
  if (*kept) {
    if ((*kept)->size() != 8) co_return Error{Code::kCorrupt, "the kept count of starts"};
    incarnation = load<uint64_t>((*kept)->data()) + 1;
  }
  incarnation = std::max(incarnation, least);
  std::string value(8, '\0');
  store<uint64_t>(value.data(), incarnation);
  Batch batch;
  batch.put(row, value);
  const Result<void> written = co_await write(std::move(batch));
  if (!written.ok()) co_return written.error();
  co_return incarnation;
}

Task<Result<void>> MemberStore::keep(std::vector<MemberRecord> records,
                                     std::vector<MemberRecord> decided) {
  Batch batch;
  for (const MemberRecord& record : records) batch.put(member_row(record.id), encode(record));
  for (const MemberRecord& record : decided) {
    if (record.seat.ticket == 0) continue;  // founded
    batch.put(history_row(record.id, record.seat),
              history_value(host_.clock().wall(), record.seat));
  }
  if (batch.empty()) co_return Result<void>();
  co_return co_await write(std::move(batch));
}

Task<Result<void>> MemberStore::write(Batch batch) {
  while (true) {
    const Result<Lsn> lsn = engine_.submit(batch);
    if (lsn.ok()) co_return co_await engine_.durable(*lsn);
    if (lsn.code() != Code::kOverloaded) co_return lsn.error();
    co_await engine_.room();
  }
}

Task<Result<std::vector<MemberStore::Step>>> MemberStore::history(std::size_t most) {
  std::vector<Step> steps;
  std::string begin = own_row(kHistoryName);
  const std::size_t name_bytes = begin.size();
  for (bool more = true; more;) {
    const ScanLimits limits;
    Result<Rows> rows = co_await engine_.scan(begin, end_of(kHistoryName), limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    more = !rows->empty();
    for (const StoredEntry& row : *rows) {
      begin = std::string(row.key) + '\0';
      Step& step = steps.emplace_back();
      if (row.key.size() != name_bytes + 24 || row.value.size() < 8 ||
          !parse(std::string_view(row.value).substr(8), step.seat))
        co_return Error{Code::kCorrupt, "a kept step of a change"};
      step.ticket = get_big_endian(row.key.data() + name_bytes);
      step.id = static_cast<NodeId>(get_big_endian(row.key.data() + name_bytes + 8));
      step.wall = static_cast<Time>(load<uint64_t>(row.value.data()));
    }
    if (steps.size() > most)
      steps.erase(steps.begin(), steps.end() - static_cast<std::ptrdiff_t>(most));
  }
  co_return steps;
}

}  // namespace ringside
