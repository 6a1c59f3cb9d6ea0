// What a home answers to another one that compares a range with it.

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "protocols/replication/dynamo/anti_entropy.h"

namespace ringside {
namespace {

constexpr Duration kAnswerKept = 5 * kSecond;
constexpr std::size_t kNodesMax = 4'096;         // of one tree request
constexpr std::size_t kReplyBytes = 256u << 10;  // of rows; the first one always fits

KeyRange range_of(std::string_view begin, std::string_view end) {
  return {std::string(begin), std::string(end)};
}

}  // namespace

void AntiEntropy::message(Request request) {
  switch (request.kind) {
    case Kind::kTreeRequest: scope_.spawn(answer_tree(std::move(request))); break;
    case Kind::kLeafRequest: scope_.spawn(answer_leaf(std::move(request))); break;
    case Kind::kRowsRequest: scope_.spawn(answer_rows(std::move(request))); break;
    default: break;
  }
}

bool AntiEntropy::may_answer(std::string_view begin, std::string_view end) const {
  if (begin.empty() || begin[0] != kObjectRow || end.empty()) return false;
  // A part of a range may begin with a name that is shorter than a position.
  std::string first(begin.substr(0, kRowPrefixBytes));
  first.resize(kRowPrefixBytes, '\0');
  const Partitions::Held* held = partitions_.find(get_big_endian(first.data() + 1));
  if (held == nullptr || !held->whole) return false;
  const KeyRange rows = rows_of(held->range);
  return begin >= rows.begin && end <= rows.end && begin < end;
}

Task<void> AntiEntropy::answer_tree(Request request) {
  TreeRequest asked;
  const bool good = asked.parse(request.body()) && asked.depth <= RangeTrees::kDepthMax &&
                    asked.levels <= asked.depth;
  const PackedView<uint32_t> nodes(asked.nodes);
  if (!good || nodes.size() == 0 || nodes.size() > kNodesMax) {
    co_return refuse(request, Status::kInvalid);
  }
  if (!may_answer(asked.begin, asked.end)) co_return refuse(request, Status::kFailed);
  const KeyRange range = range_of(asked.begin, asked.end);
  const NodeId peer = request.from;
  const Answered& last = answered_[peer];
  const bool again = nodes[0] != 0 && last.at != 0 && last.hashes.range == range &&
                     !last.hashes.nodes.empty() && depth_of(last.hashes) == asked.depth &&
                     host_.clock().now() - last.at < kAnswerKept;
  if (!again) {
    Result<MerkleHashes> hashes = co_await trees_.hashes(range, asked.depth);
    if (!hashes.ok()) co_return refuse(request, Status::kFailed);
    answered_[peer] = {*std::move(hashes), host_.clock().now()};
  }
  const MerkleHashes& hashes = answered_[peer].hashes;
  std::vector<uint64_t> told;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    uint64_t first = nodes[i];
    for (uint32_t level = 0; level < asked.levels; ++level) first = 2 * first + 1;
    const uint64_t count = uint64_t{1} << asked.levels;
    if (first + count > hashes.nodes.size()) co_return refuse(request, Status::kInvalid);
    if (told.size() + 2 * count > 4 * kNodesMax) co_return refuse(request, Status::kInvalid);
    for (uint64_t node = first; node < first + count; ++node) {
      told.push_back(hashes.nodes[node].high);
      told.push_back(hashes.nodes[node].low);
    }
  }
  rpc_.reply(request, Status::kOk, TreeReply{packed(told)}.encode());
}

Task<void> AntiEntropy::answer_leaf(Request request) {
  LeafRequest asked;
  if (!asked.parse(request.body())) co_return refuse(request, Status::kInvalid);
  if (!may_answer(asked.begin, asked.end)) co_return refuse(request, Status::kFailed);
  const Result<std::vector<RowDigest>> mine =
      co_await trees_.digests(range_of(asked.begin, asked.end));
  if (!mine.ok()) co_return refuse(request, Status::kFailed);
  const PackedView<uint64_t> rows(asked.rows);
  absl::flat_hash_map<uint64_t, uint64_t> theirs;  // looked up, never walked
  for (std::size_t i = 0; i + 1 < rows.size(); i += 2) theirs.emplace(rows[i], rows[i + 1]);
  absl::flat_hash_set<uint64_t> here;
  std::vector<uint64_t> differ, wanted;
  for (const RowDigest& digest : *mine) {
    here.insert(digest.row);
    const auto found = theirs.find(digest.row);
    if (found == theirs.end() || found->second != digest.object) differ.push_back(digest.row);
  }
  for (std::size_t i = 0; i + 1 < rows.size(); i += 2) {
    if (!here.contains(rows[i])) wanted.push_back(rows[i]);
  }
  rpc_.reply(request, Status::kOk, LeafReply{packed(wanted), packed(differ)}.encode());
}

Task<void> AntiEntropy::answer_rows(Request request) {
  RowsRequest asked;
  if (!asked.parse(request.body())) co_return refuse(request, Status::kInvalid);
  if (!may_answer(asked.begin, asked.end)) co_return refuse(request, Status::kFailed);
  const PackedView<uint64_t> rows(asked.rows);
  absl::flat_hash_set<uint64_t> wanted;
  for (std::size_t i = 0; i < rows.size(); ++i) wanted.insert(rows[i]);
  const Result<std::vector<RowDigest>> mine =
      co_await trees_.digests(range_of(asked.begin, asked.end));
  if (!mine.ok()) co_return refuse(request, Status::kFailed);
  std::vector<std::string> objects;
  std::vector<std::string_view> names;
  std::size_t bytes = 0;
  for (const RowDigest& digest : *mine) {
    if (bytes >= kReplyBytes || !wanted.contains(digest.row)) continue;
    Result<std::optional<std::string>> object = co_await engine_.get(digest.name, View::kDurable);
    if (!object.ok()) co_return refuse(request, Status::kFailed);
    if (!*object) continue;
    bytes += digest.name.size() + (*object)->size();
    if (bytes > kReplyBytes && !objects.empty()) break;
    objects.push_back(**std::move(object));
    names.push_back(digest.name);
  }
  RowsReply reply;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    reply.rows.push_back({names[i].substr(kRowPrefixBytes), objects[i]});
  }
  rpc_.reply(request, Status::kOk, reply.encode());
}

}  // namespace ringside
