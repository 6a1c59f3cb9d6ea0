// RangeTrees: the Merkle tree of a range of rows, as two replicas compare it. A tablet of an engine
// that keeps trees has its hashes at hand; of any other range, and of engines without trees, they
// are made by a scan, so that a leaf with many rows is compared as a tree of its own. Only what is
// durable counts.
#pragma once

#include <bit>
#include <optional>
#include <string>
#include <vector>

#include "protocols/keys.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"
#include "storage/merkle.h"

namespace ringside {

// A row as it is told apart from another replica's.
struct RowDigest {
  uint64_t row = 0;     // row_hash
  uint64_t object = 0;  // object_hash
  std::string name;     // of the row
};

class RangeTrees {
 public:
  static constexpr uint32_t kDepthMax = 12;          // that anybody may ask for
  static constexpr uint32_t kScanDepth = 6;          // of a partition whose engine keeps no tree
  static constexpr std::size_t kRowsMax = 1u << 16;  // of a list of digests

  RangeTrees(Host& host, Engine& engine) : host_(host), engine_(engine) {}

  // Of the engine's own depth, or kScanDepth, when none is given.
  Task<Result<MerkleHashes>> hashes(KeyRange range, std::optional<uint32_t> depth);
  // In the order of the rows; the first kRowsMax.
  Task<Result<std::vector<RowDigest>>> digests(KeyRange range);

  uint64_t rows_scanned() const { return rows_scanned_; }

 private:
  Task<Result<MerkleHashes>> scan(KeyRange range, uint32_t depth);

  Host& host_;
  Engine& engine_;
  uint64_t rows_scanned_ = 0;
};

inline uint32_t depth_of(const MerkleHashes& hashes) {
  return static_cast<uint32_t>(std::bit_width(hashes.nodes.size() + 1)) - 2;
}
inline KeyRange leaf_of(const MerkleHashes& hashes, uint32_t leaf) {
  return KeyDivision(hashes.range, depth_of(hashes)).part(leaf);
}

}  // namespace ringside
