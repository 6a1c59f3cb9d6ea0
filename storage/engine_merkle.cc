// Merkle trees are brought up to date: dirty leaves that lie next to each other are read in one
// scan, so that the first hashing after a restart is one pass over the tablet, and not a seek a
// leaf.

#include <utility>

#include "storage/engine_impl.h"

namespace ringside {
namespace {

// Of hashing a row: its own, and one for every so many bytes.
constexpr uint64_t kUnitsPerHashedRow = 60;
constexpr uint64_t kHashedBytesPerUnit = 8;

}  // namespace

// Hashes are computed of what was submitted; they are told once all of that is durable. A batch
// that arrives while a leaf is read marks it again.
Task<Result<MerkleHashes>> EngineImpl::merkle(KeyRange range) {
  const std::shared_ptr<Tablet> tablet = find_tablet(range);
  if (tablet == nullptr) {
    co_return Error{Code::kNotFound, "there is no tablet of exactly [" + range.begin + ", …)"};
  }
  if (tablet->merkle == nullptr) co_return Error{Code::kInvalid, "Merkle trees are off"};
  MerkleTree& tree = *tablet->merkle;
  Permit permit = co_await tablet->merkle_turn->acquire();
  tree.expire(wall());
  for (std::optional<uint32_t> first = tree.next_dirty(0); first;) {
    const uint32_t last = tree.last_of_run(*first);
    Result<void> done = co_await hash_leaves(tablet, *first, last);
    if (!done.ok()) co_return done.error();
    first = tree.next_dirty(last + 1);
  }
  const MerkleHashes hashes = tree.hashes();
  Result<void> held = co_await durable_.wait(log_->last());
  if (!held.ok()) co_return held.error();
  co_return hashes;
}

// The leaves first … last, from one scan in pages. A leaf begins anew with every page until the
// page that shows its first key, so that what was marked until then is seen by a scan; a mark that
// comes later stays.
Task<Result<void>> EngineImpl::hash_leaves(std::shared_ptr<Tablet> tablet, uint32_t first,
                                           uint32_t last) {
  MerkleTree& tree = *tablet->merkle;
  KeyRange left{tree.leaf_range(first).begin, tree.leaf_range(last).end};
  MerkleLeaf hasher;       // of `leaf`
  uint32_t leaf = first;   // those before it are set
  bool half_read = false;  // a page ended within it
  Slice slice(host_);
  while (leaf <= last && !left.empty()) {
    for (uint32_t ahead = half_read ? leaf + 1 : leaf; ahead <= last; ++ahead) tree.begin(ahead);
    const ScanLimits limits{.rows_max = 10'000, .bytes_max = 1u << 20, .fill_cache = false};
    Result<Rows> rows = co_await scan_rows(left, limits, log_->last());
    tree.read_by(wall());
    if (rows.ok() && tablet->dropped) rows = Error{Code::kNotFound, "the tablet was dropped"};
    if (!rows.ok()) {
      for (; leaf <= last; ++leaf) tree.mark_leaf(leaf);
      co_return rows.error();
    }
    uint64_t bytes = 0;
    for (const StoredEntry& row : *rows) {
      for (const uint32_t of_row = tree.leaf_of(row.key); leaf < of_row; ++leaf) {
        tree.set(leaf, hasher.hash(), hasher.first_expiry());
        hasher = MerkleLeaf();
      }
      hasher.add(row.key, row.value, row.expires);
      const uint64_t row_bytes = row.key.size() + row.value.size();
      bytes += row_bytes;
      slice.charge(kUnitsPerHashedRow + row_bytes / kHashedBytesPerUnit);
      if (slice.spent()) co_await slice.let_others_run();
    }
    if (rows->size() < limits.rows_max && bytes < limits.bytes_max) break;
    left.begin = std::string(rows->back().key) + '\0';
    half_read = true;
  }
  for (; leaf <= last; ++leaf) {
    tree.set(leaf, hasher.hash(), hasher.first_expiry());
    hasher = MerkleLeaf();
  }
  stats_.slice_units_max = std::max(stats_.slice_units_max, slice.longest());
  co_return Result<void>();
}

}  // namespace ringside
