// The giver's side of a transfer: it answers what it has, reads pages for others, and pushes what
// a home lacks.

#include <algorithm>
#include <utility>

#include "protocols/replication/dynamo/transfer.h"

namespace ringside {
namespace {

constexpr std::size_t kPutsAtOnce = 16;
constexpr uint64_t kPageRowsMax = 1'000;
constexpr uint64_t kPageBytesMax = 1u << 20;
constexpr uint64_t kDigestScanBytes = 256u << 10;

std::string row_behind(PositionRange range, std::string_view key) {
  if (key.empty()) return rows_of(range).begin;
  return std::string(ObjectRow(key).view()) + '\0';
}

bool ended(const Rows& rows, const ScanLimits& limits) {
  uint64_t bytes = 0;
  for (const StoredEntry& row : rows) bytes += row.key.size() + row.value.size();
  return rows.size() < limits.rows_max && bytes < limits.bytes_max;
}

}  // namespace

void Transfer::message(Request request) {
  switch (request.kind) {
    case Kind::kOfferRequest:
    case Kind::kConfirmRequest: serve_range(request); break;
    case Kind::kPageRequest: scope_.spawn(serve_page(std::move(request))); break;
    default: break;
  }
}

void Transfer::serve_range(const Request& request) {
  RangeRequest asked;
  if (!asked.parse(request.body())) {
    rpc_.reply(request, Status::kInvalid, encode_empty());
    return;
  }
  RangeReply reply;
  reply.held = partitions_.holds_all(asked.range);
  reply.whole = partitions_.whole_all(asked.range);
  if (request.kind == Kind::kOfferRequest && reply.held) {
    const KeyRange rows = rows_of(asked.range);
    for (const TabletInfo& tablet : engine_.tablets()) {
      if (!tablet.range.overlaps(rows)) continue;
      reply.keys += tablet.keys;
      reply.bytes += tablet.memory_bytes + tablet.table_bytes;
    }
  }
  rpc_.reply(request, Status::kOk, reply.encode());
}

bool Transfer::may_serve(const PageRequest& page) const {
  return page.even_partial ? partitions_.holds_all(page.range) : partitions_.whole_all(page.range);
}

Task<void> Transfer::serve_page(Request request) {
  PageRequest page;
  if (!page.parse(request.body()) ||
      (!page.after.empty() && !page.range.contains(Ring::position_of(page.after)))) {
    rpc_.reply(request, Status::kInvalid, encode_empty());
    co_return;
  }
  const Permit permit = co_await reading_.acquire();
  if (host_.clock().now() >= request.deadline) co_return;  // whoever asked, asks again
  ScanLimits limits{.rows_max = kPageRowsMax, .fill_cache = false};
  limits.bytes_max = page.digests ? kDigestScanBytes : std::min(page.bytes_max, kPageBytesMax);
  if (admit_) co_await admit_(limits.bytes_max);
  Result<Rows> rows = Error{Code::kUnavailable, "the range is not whole here"};
  if (may_serve(page)) {
    const KeyRange range = rows_of(page.range);
    rows = co_await engine_.scan(row_behind(page.range, page.after), range.end, limits,
                                 View::kDurable);
  }
  // What was whole when the scan began may be no longer.
  if (!rows.ok() || !may_serve(page)) {
    ++stats_.pages_refused;
    host_.trace().probe("transfer.page_refused");
    rpc_.reply(request, Status::kFailed, encode_empty());
    co_return;
  }
  PageReply reply;
  reply.last = ended(*rows, limits);
  for (const StoredEntry& row : *rows) {
    uint64_t position = 0;
    PageRow out;
    if (!parse_object_row(row.key, position, out.key)) continue;
    if (page.digests) {
      out.digest = hash_bytes(row.value);
    } else {
      out.object = row.value;
    }
    host_.cpu().charge(row.value.size() / 8);
    reply.rows.push_back(out);
  }
  ++stats_.pages_served;
  rpc_.reply(request, Status::kOk, reply.encode());
}

Task<bool> Transfer::push(PositionRange range, uint64_t ticket, NodeId home, Epoch epoch) {
  const std::string end = rows_of(range).end;
  std::string after;
  while (true) {
    const ScanLimits limits{
        .rows_max = kPageRowsMax, .bytes_max = options_.page_bytes, .fill_cache = false};
    std::vector<Row> own;
    bool last = false;
    {
      const Result<Rows> rows =
          co_await engine_.scan(row_behind(range, after), end, limits, View::kLatest);
      if (!rows.ok()) co_return false;
      last = ended(*rows, limits);
      for (const StoredEntry& row : *rows) {
        uint64_t position = 0;
        std::string_view key;
        if (parse_object_row(row.key, position, key))
          own.push_back({std::string(key), std::string(row.value)});
      }
    }
    if (epoch.over()) co_return false;
    if (own.empty()) co_return true;
    std::string next = own.back().key;
    const bool put = co_await put_what_differs(range, ticket, home, after, std::move(own), epoch);
    if (!put || epoch.over()) co_return false;
    if (last) co_return true;
    after = std::move(next);
  }
}

// Of own rows that follow each other behind `after`.
Task<bool> Transfer::put_what_differs(PositionRange range, uint64_t ticket, NodeId home,
                                      std::string after, std::vector<Row> rows, Epoch epoch) {
  Digests theirs;
  const std::string last(ObjectRow(rows.back().key).view());
  while (true) {
    const Page page = co_await ask_page(home, range, ticket, after, /*digests=*/true,
                                        /*even_partial=*/true);
    if (!page.ok || epoch.over()) co_return false;
    co_await pace(page.frame.size());
    for (const PageRow& row : page.reply.rows) theirs[std::string(row.key)] = row.digest;
    if (page.reply.last || ObjectRow(page.reply.rows.back().key).view() >= last) break;
    after = page.reply.rows.back().key;
  }
  std::erase_if(rows, [&](const Row& row) {
    const auto found = theirs.find(row.key);
    return found != theirs.end() && found->second == hash_bytes(row.object);
  });
  if (rows.empty()) co_return true;
  host_.trace().probe("transfer.rows_given_back");
  co_return co_await put_to(home, std::move(rows));
}

Task<bool> Transfer::put_to(NodeId home, std::vector<Row> rows) {
  for (std::size_t begin = 0; begin < rows.size(); begin += kPutsAtOnce) {
    const std::size_t end = std::min(rows.size(), begin + kPutsAtOnce);
    uint64_t bytes = 0;
    for (std::size_t i = begin; i < end; ++i) bytes += rows[i].key.size() + rows[i].object.size();
    co_await pace(bytes);
    std::vector<Buffer> messages;
    for (std::size_t i = begin; i < end; ++i)
      messages.push_back(ReplicaPutRequest{rows[i].key, rows[i].object, true}.encode());
    const std::vector<Buffer> replies =
        co_await ask_all(home, Kind::kReplicaPutRequest, std::move(messages));
    if (replies.empty()) co_return false;
    stats_.rows_pushed += end - begin;
    stats_.bytes_pushed += bytes;
  }
  co_return true;
}

}  // namespace ringside
