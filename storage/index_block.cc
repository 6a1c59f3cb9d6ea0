#include "storage/index_block.h"

#include "runtime/check.h"
#include "storage/format.h"
#include "storage/key_prefix.h"

namespace ringside {
namespace {

constexpr std::size_t kWordBytes = 8;
constexpr std::size_t kIndexHeaderBytes = 8;
// A word, a place, two lengths of one byte, an offset of five, a length of three, a checksum.
constexpr std::size_t kPieceBytes = 8 + 4 + 2 + 5 + 3 + 8;

std::string_view after_word(std::string_view rest) {
  return rest.substr(std::min(rest.size(), kWordBytes));
}

}  // namespace

void IndexBlockBuilder::add(std::string_view separator, const BlockHandle& handle) {
  CHECK(pieces_.empty() || separator >= pieces_.back().separator);
  pieces_.push_back({std::string(separator), handle});
  bytes_ += kPieceBytes + separator.size();
}

void IndexBlockBuilder::finish(std::string& out) {
  CHECK(!pieces_.empty());
  const std::size_t prefix = common_prefix(pieces_.front().separator, pieces_.back().separator);
  append_fixed(out, static_cast<uint32_t>(pieces_.size()));
  append_fixed(out, static_cast<uint32_t>(prefix));
  out.append(pieces_.front().separator, 0, prefix);
  std::string rests;
  std::string places;
  for (const Piece& piece : pieces_) {
    const std::string_view rest = std::string_view(piece.separator).substr(prefix);
    append_fixed(out, first_word(rest));
    append_fixed(places, static_cast<uint32_t>(rests.size()));
    append_varint(rests, rest.size());
    rests.append(after_word(rest));
    append_block_handle(rests, piece.handle);
  }
  CHECK(rests.size() <= UINT32_MAX);
  out += places;
  out += rests;
  pieces_.clear();
  bytes_ = 0;
}

bool IndexBlock::parse(std::string_view block) {
  if (block.size() < kIndexHeaderBytes) return false;
  count_ = load<uint32_t>(block.data());
  const uint64_t prefix = load<uint32_t>(block.data() + 4);
  const uint64_t fixed = prefix + uint64_t{count_} * (kWordBytes + 4);
  if (count_ == 0 || fixed > block.size() - kIndexHeaderBytes) return false;
  prefix_ = block.substr(kIndexHeaderBytes, prefix);
  words_ = prefix_.data() + prefix;
  places_ = words_ + kWordBytes * count_;
  pieces_ = block.substr(kIndexHeaderBytes + fixed);
  return true;
}

std::string_view IndexBlock::piece(uint32_t piece) const {
  const auto place = load<uint32_t>(places_ + std::size_t{4} * piece);
  return pieces_.substr(std::min<std::size_t>(place, pieces_.size()));
}

// Whether the separator is before a key that goes on with `rest` after the prefix. Equal words are
// equal bytes, or one of the two ends within them and the other goes on with zeros.
bool IndexBlock::less(uint32_t at, uint64_t word, std::string_view rest) const {
  const auto own_word = load<uint64_t>(words_ + kWordBytes * at);
  if (own_word != word) return own_word < word;
  std::string_view own = piece(at);
  uint64_t length = 0;
  if (!take_varint(own, length)) return false;
  if (length < kWordBytes || rest.size() < kWordBytes) return length < rest.size();
  return own.substr(0, length - kWordBytes) < rest.substr(kWordBytes);
}

uint32_t IndexBlock::find(std::string_view key) const {
  const int order = key.substr(0, prefix_.size()).compare(prefix_);
  if (order != 0) return order < 0 ? 0 : count_;
  const std::string_view rest = key.substr(prefix_.size());
  const uint64_t word = first_word(rest);
  uint32_t low = 0, left = count_;  // the pieces before `low` are too small
  while (left > 0) {
    const uint32_t half = left / 2;
    const bool small = less(low + half, word, rest);
    low = small ? low + half + 1 : low;
    left = small ? left - half - 1 : half;
  }
  return low;
}

bool IndexBlock::handle(uint32_t at, BlockHandle& handle) const {
  std::string_view own = piece(at);
  uint64_t length = 0;
  if (!take_varint(own, length)) return false;
  const uint64_t more = length < kWordBytes ? 0 : length - kWordBytes;
  if (more > own.size()) return false;
  own.remove_prefix(more);
  return take_block_handle(own, handle);
}

std::string_view separator_between(std::string_view last, std::string_view next) {
  const std::size_t shared = common_prefix(last, next);
  // As much of `next` as tells it apart is after `last`, and before `next` when that goes on.
  return shared < last.size() && shared + 1 < next.size() ? next.substr(0, shared + 1) : last;
}

}  // namespace ringside
