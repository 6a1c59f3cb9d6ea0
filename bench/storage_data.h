// The keys and values of the storage benchmark, the same for every engine. Entry i of n has number
// 2 * place(i), where `place` is the identity for a sequential fill and a seeded permutation of
// [0, n) otherwise; its key is that number in sixteen hexadecimal digits, so that odd numbers are
// keys that lie among the others and are not there. A value begins with the number of its key and
// goes on with bytes that no compressor can shorten.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "bench/storage.h"
#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside::bench {

// A bijection of [0, size): a Feistel network of four rounds over the next even power of two,
// walked until it lands within.
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t seed) : size_(size), seed_(seed) {
    while ((uint64_t{1} << (2 * half_)) < size) ++half_;
  }
  uint64_t operator()(uint64_t index) const {
    do index = once(index);
    while (index >= size_);
    return index;
  }

 private:
  uint64_t once(uint64_t index) const {
    const uint64_t mask = (uint64_t{1} << half_) - 1;
    uint64_t left = index >> half_, right = index & mask;
    for (uint64_t round = 0; round < 4; ++round) {
      const uint64_t mixed = left ^ (mix(right, seed_ + round) & mask);
      left = right;
      right = mixed;
    }
    return left << half_ | right;
  }

  uint64_t size_;
  uint64_t seed_;
  unsigned half_ = 1;
};

class Key {
 public:
  explicit Key(uint64_t number) {
    for (std::size_t i = 0; i < kKeyBytes; ++i)
      text_[i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
  }
  std::string_view view() const { return {text_, kKeyBytes}; }

 private:
  char text_[kKeyBytes];
};

class Data {
 public:
  explicit Data(const Setup& setup)
      : setup_(setup), place_(setup.entries, setup.seed), random_(setup.seed + 1) {
    Random bytes(setup.seed + 2);
    pool_.resize(kPoolBytes + setup.value_bytes);
    for (char& byte : pool_) byte = static_cast<char>(bytes.next() >> 56);
    value_.resize(setup.value_bytes);
    CHECK(setup.value_bytes >= sizeof(uint64_t));
  }

  void filled_in_order(bool in_order) { in_order_ = in_order; }
  void filled(uint64_t entries) { filled_ = entries; }
  uint64_t filled() const { return filled_; }

  uint64_t number(uint64_t index) const { return 2 * (in_order_ ? index : place_(index)); }
  uint64_t any_present() { return number(random_.below(filled_)); }
  uint64_t any_absent() { return any_present() + 1; }
  // Valid until the next one.
  std::string_view value(uint64_t number) {
    const uint64_t at = random_.below(kPoolBytes);
    std::memcpy(value_.data(), &number, sizeof number);
    std::memcpy(value_.data() + sizeof number, pool_.data() + at, value_.size() - sizeof number);
    return value_;
  }
  void check(uint64_t number, std::string_view value) const {
    uint64_t said = 0;
    CHECK(value.size() == setup_.value_bytes);
    std::memcpy(&said, value.data(), sizeof said);
    CHECK(said == number);
  }

 private:
  static constexpr uint64_t kPoolBytes = 1u << 20;

  const Setup& setup_;
  Permutation place_;
  Random random_;
  std::string pool_;
  std::string value_;
  bool in_order_ = false;
  uint64_t filled_ = 0;
};

}  // namespace ringside::bench
