#include "storage/merkle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/bug.h"
#include "runtime/check.h"
#include "storage/format.h"

namespace ringside {
namespace {

using Wide = unsigned __int128;

MerkleHash merkle_hash_of(const void* bytes, std::size_t size) {
  const XXH128_hash_t hash = XXH3_128bits(bytes, size);
  return {.high = hash.high64, .low = hash.low64};
}

MerkleHash merkle_parent(const MerkleHash& left, const MerkleHash& right) {
  const uint64_t words[] = {left.high, left.low, right.high, right.low};
  return merkle_hash_of(words, sizeof words);
}

// A bound continued to any length: with zeros, or, where it is no bound at all, with 0xff, which no
// key can pass.
unsigned char byte_at(std::string_view key, std::size_t at, unsigned char beyond) {
  return at < key.size() ? static_cast<unsigned char>(key[at]) : beyond;
}

bool is_tree(std::size_t nodes) { return nodes > 0 && std::has_single_bit(nodes + 1); }

}  // namespace

KeyDivision::KeyDivision(KeyRange range, uint32_t depth) : range_(std::move(range)), depth_(depth) {
  CHECK(depth <= kDepthMax);
  CHECK(!range_.empty());
  const bool open = range_.end.empty();
  // Zeros that continue `begin` count as common too: a key between the bounds that lacks them is
  // continued with the same zeros. Against an open end it stops at the first byte below 0xff.
  const std::size_t at_most = open ? range_.begin.size() : range_.end.size();
  while (skip_ < at_most &&
         byte_at(range_.begin, skip_, 0) == byte_at(range_.end, skip_, open ? 0xff : 0))
    ++skip_;
  first_ = number_of(range_.begin);
  const Wide end = open ? Wide{1} << 64 : Wide{number_of(range_.end)};
  const Wide width = end - first_;
  divided_ = width >= parts();
  if (!divided_) return;
  last_offset_ = static_cast<uint64_t>(width - 1);
  shift_ = static_cast<uint32_t>(std::countl_zero(last_offset_ | 1));
  // The shifted width is in [2^63, 2^64], so that the reciprocal keeps its 64 bits' worth.
  reciprocal_ = static_cast<uint64_t>((Wide{parts()} << 64) / (width << shift_));
}

uint64_t KeyDivision::number_of(std::string_view key) const {
  uint64_t number = 0;
  if (key.size() >= skip_ + sizeof number) {
    std::memcpy(&number, key.data() + skip_, sizeof number);
    return __builtin_bswap64(number);
  }
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | byte_at(key, skip_ + i, 0);
  return number;
}

// floor(width * index / parts)
uint64_t KeyDivision::offset_of(uint32_t index) const {
  return static_cast<uint64_t>((Wide{last_offset_} + 1) * index >> depth_);
}

uint32_t KeyDivision::part_of(std::string_view key) const {
  if (!divided_) return 0;
  // A key may have the number of an end that goes on beyond it.
  const uint64_t offset = std::min(number_of(key) - first_, last_offset_);
  // Never too great, and too small by a few at most, as the reciprocal is rounded down.
  auto part = static_cast<uint32_t>(Wide{offset << shift_} * reciprocal_ >> 64);
  while (part + 1 < parts() && offset_of(part + 1) <= offset) ++part;
  return part;
}

// The least key that is in part `index` or after it.
std::string KeyDivision::start_of(uint32_t index) const {
  if (index == 0) return range_.begin;
  if (index == parts() || !divided_) return range_.end;
  uint64_t number = first_ + offset_of(index);
  std::string key = range_.begin.substr(0, skip_);
  key.resize(skip_, '\0');
  // Without trailing zeros: a short key counts as if it had them.
  for (; number != 0; number <<= 8) key.push_back(static_cast<char>(number >> 56));
  return key;
}

KeyRange KeyDivision::part(uint32_t index) const {
  CHECK(index < parts());
  return {start_of(index), start_of(index + 1)};
}

void MerkleLeaf::add(std::string_view key, std::string_view value, int64_t expires) {
  const MerkleHash of_key = merkle_hash_of(key.data(), key.size());
  const MerkleHash of_value = merkle_hash_of(value.data(), value.size());
  const uint64_t words[] = {hash_.high, hash_.low,     of_key.high,
                            of_key.low, of_value.high, of_value.low,
                            key.size(), value.size(),  static_cast<uint64_t>(expires)};
  hash_ = merkle_hash_of(words, sizeof words);
  if (expires != 0 && (first_expiry_ == 0 || expires < first_expiry_)) first_expiry_ = expires;
}

MerkleTree::MerkleTree(KeyRange range, uint32_t depth)
    : division_(std::move(range), depth),
      dirty_((leaves() + 63) / 64),
      nodes_(2 * std::size_t{leaves()} - 1),
      stale_(leaves() - 1, true),
      first_expiry_(leaves()) {
  for (uint32_t leaf = 0; leaf < leaves(); ++leaf) mark_leaf(leaf);
}

void MerkleTree::mark_range(std::string_view begin, std::string_view end) {
  if (!range().overlaps(begin, end)) return;
  const uint32_t first = begin <= range().begin ? 0 : division_.part_of(begin);
  uint32_t last = leaves() - 1;
  if (!end.empty() && before_end(end, range().end)) {
    last = division_.part_of(end);
    if (last > first && leaf_range(last).begin >= end) --last;
  }
  for (uint32_t leaf = first; leaf <= last; ++leaf) {
    if (leaf % 64 == 0 && last - leaf >= 63) {
      dirty_[leaf / 64] = ~uint64_t{0};
      leaf += 63;
    } else {
      mark_leaf(leaf);
    }
  }
}

void MerkleTree::expire(int64_t now) {
  if (RINGSIDE_BUG(merkle_blind_to_expiry)) return;
  if (now < read_by_) {
    mark_range({}, {});
    read_by_ = 0;
  }
  read_by(now);
  if (earliest_expiry_ == 0 || now < earliest_expiry_) return;
  earliest_expiry_ = 0;
  for (uint32_t leaf = 0; leaf < leaves(); ++leaf) {
    int64_t& expiry = first_expiry_[leaf];
    if (expiry == 0) continue;
    if (expiry <= now) {
      mark_leaf(leaf);
      expiry = 0;
    } else if (earliest_expiry_ == 0 || expiry < earliest_expiry_) {
      earliest_expiry_ = expiry;
    }
  }
}

std::optional<uint32_t> MerkleTree::next_dirty(uint32_t from) const {
  if (from >= leaves()) return std::nullopt;
  std::size_t word = from / 64;
  uint64_t bits = dirty_[word] & ~uint64_t{0} << from % 64;
  while (bits == 0) {
    if (++word == dirty_.size()) return std::nullopt;
    bits = dirty_[word];
  }
  return static_cast<uint32_t>(64 * word) + static_cast<uint32_t>(std::countr_zero(bits));
}

uint32_t MerkleTree::last_of_run(uint32_t first) const {
  std::size_t word = first / 64;
  uint64_t clean = ~dirty_[word] & ~uint64_t{0} << first % 64;
  while (clean == 0 && ++word < dirty_.size()) clean = ~dirty_[word];
  if (clean == 0) return leaves() - 1;
  const auto end =
      static_cast<uint32_t>(64 * word) + static_cast<uint32_t>(std::countr_zero(clean));
  return std::min(end, leaves()) - 1;
}

void MerkleTree::begin(uint32_t leaf) {
  dirty_[leaf / 64] &= ~(uint64_t{1} << leaf % 64);
  first_expiry_[leaf] = 0;
}

void MerkleTree::set(uint32_t leaf, MerkleHash hash, int64_t first_expiry) {
  first_expiry_[leaf] = first_expiry;
  if (first_expiry != 0 && (earliest_expiry_ == 0 || first_expiry < earliest_expiry_))
    earliest_expiry_ = first_expiry;
  std::size_t node = stale_.size() + leaf;
  if (nodes_[node] == hash) return;
  nodes_[node] = hash;
  // What is above a stale node is stale.
  while (node != 0) {
    node = (node - 1) / 2;
    if (stale_[node]) return;
    stale_[node] = true;
  }
}

MerkleHashes MerkleTree::hashes() {
  for (std::size_t node = stale_.size(); node-- > 0;) {  // children before parents
    if (!stale_[node]) continue;
    nodes_[node] = merkle_parent(nodes_[2 * node + 1], nodes_[2 * node + 2]);
    stale_[node] = false;
    ++rehashed_;
  }
  return {range(), nodes_};
}

Result<std::vector<uint32_t>> differing_leaves(const MerkleHashes& a, const MerkleHashes& b) {
  if (a.range != b.range || a.nodes.size() != b.nodes.size() || !is_tree(a.nodes.size()))
    return Error{Code::kInvalid, "two Merkle trees of different shapes"};
  const std::size_t inner = a.nodes.size() / 2;
  std::vector<uint32_t> leaves;
  std::vector<std::size_t> to_look_at = {0};
  while (!to_look_at.empty()) {
    const std::size_t node = to_look_at.back();
    to_look_at.pop_back();
    if (a.nodes[node] == b.nodes[node]) continue;
    if (node >= inner) {
      leaves.push_back(static_cast<uint32_t>(node - inner));
      continue;
    }
    to_look_at.push_back(2 * node + 2);
    to_look_at.push_back(2 * node + 1);
  }
  return leaves;
}

}  // namespace ringside
