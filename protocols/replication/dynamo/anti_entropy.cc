#include "protocols/replication/dynamo/anti_entropy.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace ringside {
namespace {

constexpr uint32_t kLevelsAtOnce = 3;     // of a tree: eight hashes a node that differs
constexpr std::size_t kLeafRowsMax = 64;  // more are compared as a tree
constexpr std::size_t kRowsPerLeaf = 8;   // of such a tree
constexpr uint32_t kNestingMax = 4;
constexpr std::size_t kBatchRows = 64;      // that travel at once
constexpr uint64_t kExchangeBytes = 4'096;  // what a question costs the disks, about

uint32_t depth_for(std::size_t rows) {
  uint32_t depth = 1;
  while (depth < RangeTrees::kDepthMax && rows >> depth > kRowsPerLeaf) ++depth;
  return depth;
}

// The nodes `levels` below `node`, from left to right: the first of them, and how many.
std::pair<uint32_t, uint32_t> nodes_below(uint32_t node, uint32_t levels) {
  uint32_t first = node;
  for (uint32_t level = 0; level < levels; ++level) first = 2 * first + 1;
  return {first, uint32_t{1} << levels};
}

}  // namespace

AntiEntropy::AntiEntropy(Rpc& rpc, Engine& engine, Partitions& partitions, Replica& replica,
                         const RingView& view, uint32_t n, UpkeepOptions options,
                         UpkeepStats& stats, Background& background)
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
      trees_(host_, engine),
      scope_(host_.ready()) {}

Task<void> AntiEntropy::run() {
  // Nodes that start together do not ask together.
  const uint64_t start = host_.random("anti_entropy")
                             .below(static_cast<uint64_t>(std::max<Duration>(options_.every, 1)));
  co_await host_.clock().sleep(static_cast<Duration>(start));
  while (true) {
    const Time next = host_.clock().now() + options_.every;
    co_await round();
    co_await host_.clock().sleep_until(std::max(next, host_.clock().now() + kMillisecond));
  }
}

Task<void> AntiEntropy::round() {
  co_await mend_suspects();
  std::vector<PositionRange> ranges;
  for (const auto& [begin, held] : partitions_.all()) {
    if (held.whole) ranges.push_back(held.range);
  }
  const uint64_t turn = turn_++;
  std::vector<NodeId> silent;
  for (const PositionRange& range : ranges) {
    const Homes others = other_homes(range);
    for (std::size_t i = 0; i < others.size(); ++i) {
      const NodeId peer = others[(turn + range.begin % 61 + i) % others.size()];
      if (std::find(silent.begin(), silent.end(), peer) != silent.end()) continue;
      const With with = co_await compare(range, peer);
      if (!with.silent) break;
      silent.push_back(peer);
    }
  }
  ++stats_.rounds;
}

Homes AntiEntropy::other_homes(PositionRange range) const {
  Homes homes = view_->write_homes(range.begin, n_);
  const auto self = std::find(homes.begin(), homes.end(), rpc_.self());
  if (self == homes.end()) return {};
  homes.erase(self);
  return homes;
}

Task<AntiEntropy::With> AntiEntropy::compare(PositionRange range, NodeId peer) {
  With with{.peer = peer};
  co_await compare_tree(with, rows_of(range), std::nullopt, 0);
  ++stats_.ranges_compared;
  if (with.damaged) co_await give_up(range);
  if (with.broken) {
    ++stats_.unanswered;
  } else if (!with.differed) {
    ++stats_.ranges_clean;
  } else {
    host_.trace().probe("anti_entropy.mended");
  }
  co_return with;
}

Task<void> AntiEntropy::mend_suspects() {
  for (const Suspect& suspect : engine_.suspects()) {
    std::vector<PositionRange> damaged;
    for (const auto& [begin, held] : partitions_.all()) {
      if (held.whole && rows_of(held.range).overlaps(suspect.range)) damaged.push_back(held.range);
    }
    for (const PositionRange& range : damaged) co_await give_up(range);
  }
}

// Another home's word for it comes first: as long as nobody else answers for the range, what can
// still be read here is served.
Task<void> AntiEntropy::give_up(PositionRange range) {
  if (!refill_) co_return;
  bool somebody = false;
  for (const NodeId peer : other_homes(range)) {
    With with{.peer = peer};
    const std::string first = rows_of(range).begin;  // no row has this name
    const std::string end = first + '\0';
    co_await ask(with, Kind::kLeafRequest, LeafRequest{first, end, {}}.encode(), stats_.hash_bytes);
    somebody = somebody || with.answered;
  }
  if (!somebody || !partitions_.whole(range.begin)) co_return;
  host_.trace().probe("anti_entropy.damaged_range");
  ++stats_.suspects;
  const Result<void> marked = co_await partitions_.set_whole(range, false);
  if (marked.ok()) refill_(range);
}

Task<Buffer> AntiEntropy::ask(With& with, Kind kind, Buffer message, uint64_t& count) {
  co_await background_.admit(kExchangeBytes + message.size());
  count += message.size() - kHeaderBytes;
  Fanout fanout(rpc_, with.peer);
  const Time until = deadline();
  fanout.send(kind, 0, until, std::move(message));
  if (co_await fanout.wait(1, until) != Gather::Outcome::kReached) {
    with.broken = true;
    with.silent = fanout[0].answered_by == kNoNode;
    co_return Buffer();
  }
  with.answered = true;
  count += fanout[0].body().size();
  co_return fanout[0].bytes;
}

// From the root down, a few levels at a time, as long as something differs.
Task<void> AntiEntropy::compare_tree(With& with, KeyRange range, std::optional<uint32_t> depth,
                                     uint32_t nesting) {
  const Result<MerkleHashes> mine = co_await trees_.hashes(range, depth);
  if (!mine.ok()) co_return fail(with, mine.error());
  const uint32_t leaves_at = depth_of(*mine);
  std::vector<uint32_t> differ = {0};
  uint32_t levels = 0;
  for (uint32_t at = 0;; at += levels, levels = std::min(kLevelsAtOnce, leaves_at - at)) {
    const Buffer answer = co_await ask(
        with, Kind::kTreeRequest,
        TreeRequest{range.begin, range.end, leaves_at, levels, packed(differ)}.encode(),
        stats_.hash_bytes);
    TreeReply reply;
    if (with.broken || !reply.parse(answer.view().substr(kHeaderBytes))) {
      with.broken = true;
      co_return;
    }
    const PackedView<uint64_t> theirs(reply.hashes);
    std::vector<uint32_t> below;
    std::size_t place = 0;
    for (const uint32_t node : differ) {
      const auto [first, count] = nodes_below(node, levels);
      if (place + 2 * count > theirs.size()) {
        with.broken = true;
        co_return;
      }
      for (uint32_t i = 0; i < count; ++i, place += 2) {
        const MerkleHash hash{theirs[place], theirs[place + 1]};
        if (!(mine->nodes[first + i] == hash)) below.push_back(first + i);
      }
    }
    if (below.empty()) co_return;
    differ = std::move(below);
    if (at + levels == leaves_at) break;
  }
  with.differed = true;
  const auto first_leaf = static_cast<uint32_t>(mine->nodes.size() / 2);
  for (const uint32_t node : differ) {
    if (with.broken) co_return;
    co_await compare_rows(with, leaf_of(*mine, node - first_leaf), nesting);
  }
}

Task<void> AntiEntropy::compare_rows(With& with, KeyRange range, uint32_t nesting) {
  if (range.empty()) co_return;
  const Result<std::vector<RowDigest>> mine = co_await trees_.digests(range);
  if (!mine.ok()) co_return fail(with, mine.error());
  if (mine->size() > kLeafRowsMax && nesting < kNestingMax) {
    co_await compare_tree(with, range, depth_for(mine->size()), nesting + 1);
    co_return;
  }
  ++stats_.leaves;
  std::vector<uint64_t> told;
  for (const RowDigest& digest : *mine) {
    told.push_back(digest.row);
    told.push_back(digest.object);
  }
  const Buffer answer =
      co_await ask(with, Kind::kLeafRequest,
                   LeafRequest{range.begin, range.end, packed(told)}.encode(), stats_.hash_bytes);
  LeafReply reply;
  if (with.broken || !reply.parse(answer.view().substr(kHeaderBytes))) {
    with.broken = true;
    co_return;
  }
  const PackedView<uint64_t> theirs(reply.theirs);
  std::vector<uint64_t> to_fetch(theirs.size());
  for (std::size_t i = 0; i < theirs.size(); ++i) to_fetch[i] = theirs[i];
  absl::flat_hash_map<uint64_t, const std::string*> names;  // looked up, never walked
  for (const RowDigest& digest : *mine) names.emplace(digest.row, &digest.name);
  std::vector<std::string> to_push;
  const PackedView<uint64_t> wanted(reply.wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = names.find(wanted[i]);
    if (found != names.end()) to_push.push_back(*found->second);
  }
  co_await fetch(with, range, std::move(to_fetch));
  if (!with.broken) co_await push(with, std::move(to_push));
}

// What does not come is gone there, or comes in another round.
Task<void> AntiEntropy::fetch(With& with, KeyRange range, std::vector<uint64_t> rows) {
  for (std::size_t from = 0; from < rows.size() && !with.broken;) {
    const std::size_t count = std::min(kBatchRows, rows.size() - from);
    const std::vector<uint64_t> batch(rows.begin() + static_cast<std::ptrdiff_t>(from),
                                      rows.begin() + static_cast<std::ptrdiff_t>(from + count));
    const Buffer answer =
        co_await ask(with, Kind::kRowsRequest,
                     RowsRequest{range.begin, range.end, packed(batch)}.encode(), stats_.row_bytes);
    RowsReply reply;
    if (with.broken || !reply.parse(answer.view().substr(kHeaderBytes))) {
      with.broken = true;
      co_return;
    }
    from += std::max<std::size_t>(reply.rows.size(), 1);
    co_await merge_all(with, std::move(reply));  // views of `answer`
  }
}

// Merges what was fetched, and pushes back what is more than that.
Task<void> AntiEntropy::merge_all(With& with, RowsReply reply) {
  std::vector<std::unique_ptr<Fanout>> merged;
  uint64_t bytes = 0;
  for (const RowsReply::Row& row : reply.rows) {
    merged.push_back(std::make_unique<Fanout>(rpc_, rpc_.self()));
    bytes += row.object.size();
    // A key that this node does not hold has been invented.
    if (row.key.empty() || row.key.size() > kKeyBytesMax ||
        !partitions_.holds(Ring::position_of(row.key))) {
      with.broken = true;
      co_return;
    }
    merged.back()->send(Kind::kReplicaPutRequest, 0, deadline(),
                        encode_empty());  // to itself alone
    replica_.merge(row.key, row.object,
                   Ack{rpc_.self(), Kind::kReplicaPutRequest, 0, merged.back()->call()});
  }
  co_await background_.admit(bytes);
  std::vector<std::string> more;
  for (std::size_t i = 0; i < reply.rows.size(); ++i) {
    if (co_await merged[i]->wait(1, deadline()) != Gather::Outcome::kReached) {
      with.broken = true;
      continue;
    }
    ++stats_.rows_fetched;
    host_.trace().probe("anti_entropy.row_fetched");
    const std::string name(ObjectRow(reply.rows[i].key).view());
    const Result<std::optional<std::string>> here = co_await engine_.get(name, View::kDurable);
    if (here.ok() && *here && **here != reply.rows[i].object) more.push_back(name);
  }
  if (!with.broken) co_await push(with, std::move(more));
}

Task<void> AntiEntropy::push(With& with, std::vector<std::string> names) {
  uint64_t sent = 0;
  for (std::size_t from = 0; from < names.size() && !with.broken; from += kBatchRows) {
    std::vector<std::unique_ptr<Fanout>> pushed;
    const std::size_t end = std::min(names.size(), from + kBatchRows);
    for (std::size_t i = from; i < end; ++i) {
      co_await background_.admit(sent);
      // Read and sent at once: what waits in between may meanwhile be forgotten everywhere else.
      const Result<std::optional<std::string>> object =
          co_await engine_.get(names[i], View::kDurable);
      uint64_t position = 0;
      std::string_view key;
      if (!object.ok() || !*object || !parse_object_row(names[i], position, key)) continue;
      Buffer message = ReplicaPutRequest{key, **object, true}.encode();
      stats_.row_bytes += message.size() - kHeaderBytes;
      sent = message.size();
      pushed.push_back(std::make_unique<Fanout>(rpc_, with.peer));
      pushed.back()->send(Kind::kReplicaPutRequest, 0, deadline(), std::move(message));
    }
    for (const std::unique_ptr<Fanout>& one : pushed) {
      if (co_await one->wait(1, deadline()) != Gather::Outcome::kReached) {
        with.broken = true;
        continue;
      }
      ++stats_.rows_pushed;
      host_.trace().probe("anti_entropy.row_pushed");
    }
  }
}

}  // namespace ringside
