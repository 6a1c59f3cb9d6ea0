#include "protocols/replication/dynamo/transfer.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace ringside {
namespace {

constexpr std::size_t kMergesAtOnce = 64;
constexpr std::size_t kFetchesAtOnce = 16;
constexpr uint64_t kOwnRowsAtOnce = 1'000;
constexpr int kAttempts = 4;
constexpr Duration kMergeTimeout = 10 * kSecond;
constexpr Duration kOverloadPause = 10 * kMillisecond;

// Where the rows behind a key begin; of no key, where the range does.
std::string begin_behind(PositionRange range, std::string_view key) {
  if (key.empty()) return rows_of(range).begin;
  return std::string(ObjectRow(key).view()) + '\0';
}

}  // namespace

Transfer::Transfer(Rpc& rpc, Engine& engine, const Partitions& partitions, Replica& replica,
                   const TransferOptions& options, TransferStats& stats)
    : rpc_(rpc),
      host_(rpc.host()),
      engine_(engine),
      partitions_(partitions),
      replica_(replica),
      options_(options),
      stats_(stats),
      reading_(host_.ready(), options.pages_at_once),
      scope_(host_.ready()) {}

// Of the node itself, when it moves more than it may.
Task<void> Transfer::pace(uint64_t bytes) {
  if (admit_) co_await admit_(bytes);
  if (options_.bytes_per_second == 0) co_return;
  const Time now = host_.clock().now();
  const Time begin = std::max(now, free_at_);
  free_at_ = begin + static_cast<Duration>(bytes * kSecond / options_.bytes_per_second);
  if (begin > now) co_await host_.clock().sleep_until(begin);
}

Task<std::vector<Transfer::Offer>> Transfer::ask(Kind kind, PositionRange range, uint64_t ticket,
                                                 std::vector<NodeId> nodes, std::size_t enough) {
  ++stats_.offers_asked;
  std::vector<Offer> offers;
  if (nodes.empty()) co_return offers;
  Fanout fanout(rpc_, nodes);
  const Time deadline = host_.clock().now() + options_.page_timeout;
  fanout.send(kind, 0, deadline, RangeRequest{range, ticket}.encode());
  while (true) {
    offers.clear();
    std::size_t whole = 0;
    for (const Fanout::Leg& leg : fanout) {
      Offer offer{leg.peer, leg.state == Fanout::Leg::State::kOk, {}};
      if (offer.answered && !offer.reply.parse(leg.body())) offer = Offer{leg.peer, false, {}};
      whole += offer.reply.whole;
      offers.push_back(offer);
    }
    const Gather& gather = fanout.gather();
    if (whole >= enough || gather.outstanding() == 0) co_return offers;
    const Gather::Outcome outcome = co_await fanout.wait(gather.succeeded() + 1, deadline);
    if (outcome == Gather::Outcome::kDeadline) co_return offers;
  }
}

// Asks a node for several things at once, and again for what stays unanswered. Fewer replies than
// messages: it is silent, or said no.
Task<std::vector<Buffer>> Transfer::ask_all(NodeId node, Kind kind, std::vector<Buffer> messages) {
  std::vector<Buffer> replies(messages.size());
  std::size_t answered = 0;
  for (int attempt = 0; attempt < kAttempts && answered < messages.size(); ++attempt) {
    if (attempt > 0) host_.trace().probe("transfer.asked_again");
    std::deque<std::pair<std::size_t, Fanout>> asked;
    const Time deadline = host_.clock().now() + options_.page_timeout;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (replies[i].size() > 0) continue;
      asked.emplace_back(std::piecewise_construct, std::forward_as_tuple(i),
                         std::forward_as_tuple(rpc_, node));
      asked.back().second.send(kind, 0, deadline, Buffer::copy_of(messages[i].view()));
    }
    for (auto& [place, fanout] : asked) {
      if (co_await fanout.wait(1, deadline) == Gather::Outcome::kReached) {
        replies[place] = fanout[0].bytes;
        ++answered;
      } else if (fanout[0].answered_by != kNoNode) {
        co_return std::vector<Buffer>();
      }
    }
  }
  if (answered < messages.size()) replies.clear();
  co_return replies;
}

Task<Transfer::Page> Transfer::ask_page(NodeId source, PositionRange range, uint64_t ticket,
                                        std::string after, bool digests, bool even_partial) {
  ++stats_.pages_asked;
  Page page;
  const PageRequest request{range, ticket, after, options_.page_bytes, digests, even_partial};
  std::vector<Buffer> messages{request.encode()};
  std::vector<Buffer> replies = co_await ask_all(source, Kind::kPageRequest, std::move(messages));
  if (replies.empty()) co_return page;
  page.frame = std::move(replies[0]);
  page.ok = page.reply.parse(page.frame.view().substr(kHeaderBytes));
  // Rows are the range's, and they go on: or the pull would never end.
  std::string last = after.empty() ? std::string() : std::string(ObjectRow(after).view());
  for (const PageRow& row : page.reply.rows) {
    const std::string name(ObjectRow(row.key).view());
    page.ok = page.ok && name > last && range.contains(Ring::position_of(row.key));
    last = name;
  }
  page.ok = page.ok && (page.reply.last || !page.reply.rows.empty());
  if (!page.ok) host_.trace().probe("transfer.bad_page");
  co_return page;
}

Task<bool> Transfer::pull(Pull pull, Epoch epoch) {
  TransferMark mark;
  mark.range = pull.range;
  mark.source = pull.source;
  mark.ticket = pull.ticket;
  mark.tablets = tablets_of(pull.range);
  const Result<std::vector<TransferMark>> before = co_await marks(pull.range, pull.ticket);
  if (!before.ok()) co_return false;
  for (const TransferMark& earlier : *before) {
    if (earlier.source != pull.source) continue;
    if (earlier.done) co_return true;
    host_.trace().probe("transfer.resumed");
    ++stats_.resumed;
    mark.after = earlier.after;
  }
  const bool digests = pull.how == How::kDifferences;
  while (true) {
    Page page = co_await ask_page(pull.source, pull.range, pull.ticket, mark.after, digests,
                                  pull.how == How::kLeftovers);
    if (!page.ok || epoch.over()) co_return false;
    const bool last = page.reply.last;
    std::string next =
        page.reply.rows.empty() ? mark.after : std::string(page.reply.rows.back().key);
    const bool taken = digests ? co_await take_differences(pull, mark.after, std::move(page), epoch)
                               : co_await take_objects(std::move(page), epoch);
    // Rows that went to tablets which are there no longer are not here.
    if (!taken || epoch.over() || tablets_of(pull.range) != mark.tablets) co_return false;
    mark.after = std::move(next);
    mark.done = last;
    Batch batch;
    batch.put(mark.row(), mark.value());
    const Result<Lsn> kept = co_await submit(std::move(batch));
    if (!kept.ok()) co_return false;
    if (last) co_return true;
  }
}

Task<bool> Transfer::take_objects(Page page, Epoch epoch) {
  co_await pace(page.frame.size());
  stats_.bytes_pulled += page.frame.size();
  stats_.rows_pulled += page.reply.rows.size();
  co_return co_await merge(page.reply.rows, epoch);
}

// Asks for the objects whose digests are not what this node has.
Task<bool> Transfer::take_differences(Pull pull, std::string after, Page page, Epoch epoch) {
  if (page.reply.rows.empty()) co_return true;
  co_await pace(page.frame.size());
  stats_.bytes_pulled += page.frame.size();
  const Result<Digests> own =
      co_await own_digests(pull.range, after, std::string(page.reply.rows.back().key));
  if (!own.ok()) {
    ++merges_failed_;
    co_return false;
  }
  std::vector<std::string_view> differ;
  for (const PageRow& row : page.reply.rows) {
    const auto found = own->find(ObjectRow(row.key).view());
    if (found == own->end() || found->second != row.digest) differ.push_back(row.key);
  }
  stats_.rows_alike += page.reply.rows.size() - differ.size();
  for (std::size_t begin = 0; begin < differ.size(); begin += kFetchesAtOnce) {
    const std::size_t end = std::min(differ.size(), begin + kFetchesAtOnce);
    std::vector<Buffer> messages;
    for (std::size_t i = begin; i < end; ++i) messages.push_back(GetRequest{differ[i]}.encode());
    const std::vector<Buffer> replies =
        co_await ask_all(pull.source, Kind::kReplicaGetRequest, std::move(messages));
    if (replies.empty() || epoch.over()) co_return false;
    std::vector<PageRow> rows;
    uint64_t bytes = 0;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      GetReply reply;
      if (!reply.parse(replies[i].view().substr(kHeaderBytes))) co_return false;
      if (reply.found) rows.push_back({differ[begin + i], reply.object, 0});
      bytes += reply.object.size();
    }
    co_await pace(bytes);
    stats_.bytes_pulled += bytes;
    stats_.rows_pulled += rows.size();
    if (!co_await merge(std::move(rows), epoch)) co_return false;
  }
  co_return true;
}

Task<Result<Transfer::Digests>> Transfer::own_digests(PositionRange range, std::string after,
                                                      std::string last_key) {
  Digests digests;
  std::string begin = begin_behind(range, after);
  const std::string end = std::string(ObjectRow(last_key).view()) + '\0';
  while (true) {
    const ScanLimits limits{.rows_max = kOwnRowsAtOnce, .fill_cache = false};
    const Result<Rows> rows = co_await engine_.scan(begin, end, limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    uint64_t bytes = 0;
    for (const StoredEntry& row : *rows) {
      digests[std::string(row.key)] = hash_bytes(row.value);
      bytes += row.key.size() + row.value.size();
    }
    host_.cpu().charge(bytes / 8);
    if (rows->size() < limits.rows_max && bytes < limits.bytes_max) break;
    begin = std::string(rows->back().key) + '\0';
  }
  co_return digests;
}

// True when all of them are durable here.
Task<bool> Transfer::merge(std::vector<PageRow> rows, Epoch epoch) {
  for (std::size_t begin = 0; begin < rows.size();) {
    const std::size_t end = std::min(rows.size(), begin + kMergesAtOnce);
    const std::vector<NodeId> legs(end - begin, rpc_.self());
    Fanout fanout(rpc_, legs);
    const Time deadline = host_.clock().now() + kMergeTimeout;
    fanout.send(Kind::kReplicaPutRequest, 0, deadline, encode_empty());
    for (std::size_t i = begin; i < end; ++i) {
      replica_.merge(rows[i].key, rows[i].object,
                     Ack{rpc_.self(), Kind::kReplicaPutRequest, 0, fanout.call()});
    }
    const Gather::Outcome outcome =
        co_await fanout.wait(static_cast<uint32_t>(legs.size()), deadline);
    if (epoch.over()) co_return false;
    if (outcome == Gather::Outcome::kReached) {
      begin = end;
      continue;
    }
    const bool overloaded = std::any_of(fanout.begin(), fanout.end(), [](const Fanout::Leg& leg) {
      return leg.status == Status::kOverloaded;
    });
    if (!overloaded) {
      ++merges_failed_;
      co_return false;
    }
    co_await engine_.room();
    co_await host_.clock().sleep(kOverloadPause);
    if (epoch.over()) co_return false;
  }
  co_return true;
}

uint64_t Transfer::tablets_of(PositionRange range) const {
  uint64_t mixed = 0;
  const KeyRange rows = rows_of(range);
  for (const TabletInfo& tablet : engine_.tablets()) {
    if (tablet.range.overlaps(rows)) mixed = mix(mixed, tablet.id);
  }
  return mixed;
}

Task<Result<std::vector<TransferMark>>> Transfer::marks(PositionRange range, uint64_t ticket) {
  std::vector<TransferMark> found;
  const std::string begin = TransferMark::rows_begin(range.begin);
  const uint64_t tablets = tablets_of(range);
  const Result<Rows> rows =
      co_await engine_.scan(begin, begin + std::string(5, '\xff'), ScanLimits(), View::kLatest);
  if (!rows.ok()) co_return rows.error();
  for (const StoredEntry& row : *rows) {
    TransferMark mark;
    if (!mark.parse(row.key, row.value)) {
      co_return Error{Code::kCorrupt, "a mark of a transfer does not decode"};
    }
    if (mark.range == range && mark.ticket == ticket && mark.tablets == tablets)
      found.push_back(std::move(mark));
  }
  co_return found;
}

Task<Result<void>> Transfer::forget(PositionRange range) {
  const std::string begin = TransferMark::rows_begin(range.begin);
  const Result<Rows> rows =
      co_await engine_.scan(begin, begin + std::string(5, '\xff'), ScanLimits(), View::kLatest);
  if (!rows.ok()) co_return rows.error();
  if (rows->empty()) co_return Result<void>();
  Batch batch;
  for (const StoredEntry& row : *rows) batch.remove(row.key);
  const Result<Lsn> lsn = co_await submit(std::move(batch));
  if (!lsn.ok()) co_return lsn.error();
  co_return co_await engine_.durable(*lsn);
}

Task<Result<Lsn>> Transfer::submit(Batch batch) {
  while (true) {
    const Result<Lsn> lsn = engine_.submit(batch);
    if (lsn.ok() || lsn.code() != Code::kOverloaded) co_return lsn;
    co_await engine_.room();
    co_await host_.clock().sleep(kOverloadPause);
  }
}

}  // namespace ringside
