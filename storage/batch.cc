#include "storage/batch.h"

#include "storage/format.h"

namespace ringside {
namespace {

constexpr char kPut = 1;
constexpr char kRemove = 2;

}  // namespace

void Batch::put(std::string_view key, std::string_view value) {
  encoded_.push_back(kPut);
  append_bytes(encoded_, key);
  append_bytes(encoded_, value);
  ++count_;
  ++puts_;
}

void Batch::remove(std::string_view key) {
  encoded_.push_back(kRemove);
  append_bytes(encoded_, key);
  ++count_;
}

bool BatchReader::next(BatchOperation& operation) {
  if (rest_.empty() || !ok_) return false;
  const char kind = rest_.front();
  rest_.remove_prefix(1);
  operation.removed = kind == kRemove;
  operation.value = {};
  ok_ = (kind == kPut || kind == kRemove) && take_bytes(rest_, operation.key) &&
        (operation.removed || take_bytes(rest_, operation.value));
  return ok_;
}

}  // namespace ringside
