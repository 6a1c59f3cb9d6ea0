#include "storage/batch.h"

#include "runtime/check.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr char kPut = 1;
constexpr char kRemove = 2;
constexpr char kPutUntil = 3;
constexpr char kRemoveRange = 4;

}  // namespace

void Batch::put(std::string_view key, std::string_view value) {
  encoded_.push_back(kPut);
  append_bytes(encoded_, key);
  append_bytes(encoded_, value);
  ++count_;
  ++puts_;
}

void Batch::put_until(std::string_view key, std::string_view value, int64_t expires) {
  CHECK(expires > 0);
  encoded_.push_back(kPutUntil);
  append_bytes(encoded_, key);
  append_fixed(encoded_, expires);
  append_bytes(encoded_, value);
  ++count_;
  ++puts_;
}

void Batch::remove(std::string_view key) {
  encoded_.push_back(kRemove);
  append_bytes(encoded_, key);
  ++count_;
}

void Batch::remove_range(std::string_view begin, std::string_view end) {
  encoded_.push_back(kRemoveRange);
  append_bytes(encoded_, begin);
  append_bytes(encoded_, end);
  ++count_;
}

bool BatchReader::next(BatchOperation& operation) {
  if (rest_.empty() || !ok_) return false;
  const char kind = rest_.front();
  rest_.remove_prefix(1);
  operation = {};
  operation.removed = kind == kRemove || kind == kRemoveRange;
  operation.range = kind == kRemoveRange;
  ok_ = kind >= kPut && kind <= kRemoveRange && take_bytes(rest_, operation.key);
  if (ok_ && kind == kPutUntil) ok_ = take_fixed(rest_, operation.expires) && operation.expires > 0;
  if (ok_ && kind != kRemove) ok_ = take_bytes(rest_, operation.value);
  return ok_;
}

}  // namespace ringside
