#include "protocols/replication/dynamo/tree_source.h"

#include <algorithm>
#include <utility>

#include "protocols/replication/dynamo/repair_wire.h"
#include "storage/slice.h"

namespace ringside {
namespace {

constexpr ScanLimits kTreeScan{.rows_max = 2'048, .bytes_max = 1u << 20, .fill_cache = false};
constexpr uint64_t kUnitsPerDigest = 60;

bool scan_ended(const Rows& rows) {
  uint64_t bytes = 0;
  for (const StoredEntry& row : rows) bytes += row.key.size() + row.value.size();
  return rows.size() < kTreeScan.rows_max && bytes < kTreeScan.bytes_max;
}

}  // namespace

Task<Result<MerkleHashes>> RangeTrees::hashes(KeyRange range, std::optional<uint32_t> depth) {
  Result<MerkleHashes> kept = co_await engine_.merkle(range);
  if (kept.ok()) {
    const uint32_t kept_depth = depth_of(*kept);
    if (kept_depth == depth.value_or(kept_depth) && kept_depth <= kDepthMax) co_return kept;
  } else if (kept.code() != Code::kInvalid && kept.code() != Code::kNotFound) {
    co_return kept;
  }
  // Of another depth, of another range, or none at all.
  co_return co_await scan(std::move(range), depth.value_or(kScanDepth));
}

Task<Result<MerkleHashes>> RangeTrees::scan(KeyRange range, uint32_t depth) {
  MerkleTree tree(range, depth);
  MerkleLeaf hasher;
  uint32_t leaf = 0;
  KeyRange left = range;
  Slice slice(host_);
  const Snapshot snapshot = engine_.snapshot();  // pages of one moment
  while (!left.empty()) {
    Result<Rows> rows = co_await engine_.scan(left.begin, left.end, kTreeScan, snapshot);
    if (!rows.ok()) co_return rows.error();
    for (const StoredEntry& row : *rows) {
      for (const uint32_t of_row = tree.leaf_of(row.key); leaf < of_row; ++leaf) {
        tree.set(leaf, hasher.hash(), 0);
        hasher = MerkleLeaf();
      }
      hasher.add(row.key, row.value, row.expires);
      ++rows_scanned_;
      slice.charge(kUnitsPerDigest + row.value.size() / 8);
      if (slice.spent()) co_await slice.let_others_run();
    }
    if (scan_ended(*rows)) break;
    left.begin = std::string(rows->back().key) + '\0';
  }
  for (; leaf < tree.leaves(); ++leaf) {
    tree.set(leaf, hasher.hash(), 0);
    hasher = MerkleLeaf();
  }
  co_return tree.hashes();
}

Task<Result<std::vector<RowDigest>>> RangeTrees::digests(KeyRange range) {
  std::vector<RowDigest> found;
  Slice slice(host_);
  while (!range.empty() && found.size() < kRowsMax) {
    Result<Rows> rows = co_await engine_.scan(range.begin, range.end, kTreeScan, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    for (const StoredEntry& row : *rows) {
      found.push_back(
          {row_hash(row.key), object_hash(row.value, row.expires), std::string(row.key)});
      ++rows_scanned_;
      slice.charge(kUnitsPerDigest + row.value.size() / 8);
      if (slice.spent()) co_await slice.let_others_run();
    }
    if (scan_ended(*rows)) break;
    range.begin = std::string(rows->back().key) + '\0';
  }
  if (found.size() > kRowsMax) found.resize(kRowsMax);
  co_return found;
}

}  // namespace ringside
