// MerkleTree: the hashes of one tablet's live keys and values, in memory alone. A leaf covers a
// part of the tablet's range; a write sets its leaf's dirty bit and reads nothing. Hashes are
// recomputed when somebody asks, leaf by leaf, and above them only the paths that changed:
//
//   tree.expire(now);
//   for (std::optional<uint32_t> leaf = tree.next_dirty(0); leaf; leaf = tree.next_dirty(*leaf +
//   1)) {
//     tree.begin(*leaf);  // its bit is clear; a mark from now on sets it again
//     MerkleLeaf hasher;
//     … hasher.add(key, value, expires) for what is live in tree.leaf_range(*leaf) …
//     tree.set(*leaf, hasher.hash(), hasher.first_expiry());  // or mark_leaf, if the scan failed
//   }
//   MerkleHashes hashes = tree.hashes();
//
// One such pass ends however fast others write, and shows all that was marked before it began. What
// was marked before `begin` must be visible to the scan that follows it. A new tree is dirty
// all over: after a restart every leaf is read once. Trees of the same range and depth are divided
// alike, so that replicas compare them (differing_leaves) without another word.
//
// Hashes are XXH3-128. A leaf's: H starts as 0, and for each entry in key order H becomes the hash
// of { H high, low; key hash high, low; value hash high, low; key size, value size, expiry }, u64
// little-endian each. A node's: the hash of { left high, low; right high, low }. They find
// differences, not forgers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine.h"
#include "storage/key_range.h"

namespace ringside {

// A key range in 2^depth parts of equal width, where a key counts as the number (64 bits,
// big-endian, short keys continued with zeros) that follows what all keys of the range begin with.
// Bounds that differ by less than one number a part make one part of everything, the first.
class KeyDivision {
 public:
  static constexpr uint32_t kDepthMax = 20;

  KeyDivision(KeyRange range, uint32_t depth);

  const KeyRange& range() const { return range_; }
  uint32_t parts() const { return uint32_t{1} << depth_; }
  // Of a key of the range.
  uint32_t part_of(std::string_view key) const;
  // The parts follow each other without a gap; together they are the range. Some may be empty().
  KeyRange part(uint32_t index) const;

 private:
  uint64_t number_of(std::string_view key) const;
  // How far beyond the first number this part starts.
  uint64_t offset_of(uint32_t index) const;
  std::string start_of(uint32_t index) const;

  KeyRange range_;
  uint32_t depth_;
  bool divided_;              // false: one part is everything
  std::size_t skip_ = 0;      // bytes that all keys of the range begin with
  uint64_t first_ = 0;        // the number of range.begin
  uint64_t last_offset_ = 0;  // width - 1, so that 2^64 fits
  uint32_t shift_ = 0;        // makes the width's highest bit the highest of 64
  uint64_t reciprocal_ = 0;   // parts a shifted number, times 2^64
};

// The hash of one leaf's entries, in key order.
class MerkleLeaf {
 public:
  // `expires`: wall clock, ns; 0: never. Leave out what has expired already.
  void add(std::string_view key, std::string_view value, int64_t expires);
  MerkleHash hash() const { return hash_; }
  int64_t first_expiry() const { return first_expiry_; }  // 0: nothing expires

 private:
  MerkleHash hash_;
  int64_t first_expiry_ = 0;
};

class MerkleTree {
 public:
  MerkleTree(KeyRange range, uint32_t depth);

  const KeyRange& range() const { return division_.range(); }
  uint32_t leaves() const { return division_.parts(); }
  KeyRange leaf_range(uint32_t leaf) const { return division_.part(leaf); }
  uint32_t leaf_of(std::string_view key) const { return division_.part_of(key); }

  // Something changed: a key of the range; the keys that the range shares with [begin, end), where
  // an empty `end` has no bound; anything in a leaf.
  void mark(std::string_view key) { mark_leaf(division_.part_of(key)); }
  void mark_range(std::string_view begin, std::string_view end);
  void mark_leaf(uint32_t leaf) { dirty_[leaf / 64] |= uint64_t{1} << leaf % 64; }
  // Marks the leaves in which something has expired by now (wall clock, ns); all of them when the
  // clock went back behind a time by which rows were read: what it hid then may live again.
  void expire(int64_t now);
  // Rows that go into leaves were read by this clock.
  void read_by(int64_t now) { read_by_ = std::max(read_by_, now); }

  // The first dirty leaf from `from` on.
  std::optional<uint32_t> next_dirty(uint32_t from) const;
  // The last of the dirty leaves that follow each other from `first`, which is dirty, on.
  uint32_t last_of_run(uint32_t first) const;
  void begin(uint32_t leaf);
  void set(uint32_t leaf, MerkleHash hash, int64_t first_expiry);

  // As of the last `set` of each leaf; {0, 0} where there was none.
  MerkleHashes hashes();
  // Nodes above the leaves that were hashed so far.
  uint64_t rehashed() const { return rehashed_; }

 private:
  KeyDivision division_;
  std::vector<uint64_t> dirty_;  // a bit a leaf
  std::vector<MerkleHash> nodes_;
  std::vector<bool> stale_;  // by inner node: something below it changed
  std::vector<int64_t> first_expiry_;
  int64_t earliest_expiry_ = 0;  // nothing expires before it; 0: nothing expires
  int64_t read_by_ = 0;
  uint64_t rehashed_ = 0;
};

// The leaves in which two trees differ, ascending; only nodes below a difference are looked at.
// kInvalid when they are not trees of one range and depth.
Result<std::vector<uint32_t>> differing_leaves(const MerkleHashes& a, const MerkleHashes& b);

}  // namespace ringside
