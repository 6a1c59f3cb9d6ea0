#include "workloads/value.h"

#include <algorithm>

#include "runtime/random.h"

namespace ringside {
namespace {

void put_number(std::string& out, uint64_t number, std::size_t size) {
  char bytes[8];
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  out.append(bytes, size);
}
void put_u64(std::string& out, uint64_t number) { put_number(out, number, 8); }
void put_u32(std::string& out, uint32_t number) { put_number(out, number, 4); }
uint64_t get_number(std::string_view bytes, std::size_t at, std::size_t size) {
  uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    number |= uint64_t{static_cast<unsigned char>(bytes[at + i])} << (8 * i);
  }
  return number;
}

// Fills up to `bytes`, eight at a time, from a stream keyed by the id.
void fill(std::string& out, ValueId id, uint64_t bytes) {
  for (uint64_t block = 0; out.size() < bytes; ++block) put_u64(out, mix(id, block));
  out.resize(std::max<std::size_t>(bytes, kValueHeaderBytes));
}

constexpr std::size_t kRegisterBytes = kValueHeaderBytes + 12;

}  // namespace

ValueId value_id(std::string_view value) {
  return value.size() < kValueHeaderBytes ? kAbsent : get_number(value, 0, 8);
}

std::string make_record(ValueId id, uint64_t bytes) {
  std::string value;
  value.reserve(std::max(bytes, kValueHeaderBytes) + 8);
  put_u64(value, id);
  fill(value, id, bytes);
  return value;
}

bool record_intact(std::string_view value) {
  return value.size() >= kValueHeaderBytes && value == make_record(value_id(value), value.size());
}

std::string make_register(const RegisterValue& content, uint64_t bytes) {
  std::string value;
  value.reserve(std::max<std::size_t>(bytes, kRegisterBytes) + 8);
  put_u64(value, content.id);
  put_u64(value, static_cast<uint64_t>(content.timestamp));
  put_u32(value, content.actor);
  fill(value, content.id, std::max<std::size_t>(bytes, kRegisterBytes));
  return value;
}

bool parse_register(std::string_view value, RegisterValue& content) {
  if (value.size() < kRegisterBytes) return false;
  RegisterValue parsed;
  parsed.id = value_id(value);
  parsed.timestamp = static_cast<int64_t>(get_number(value, 8, 8));
  parsed.actor = static_cast<uint32_t>(get_number(value, 16, 4));
  if (value != make_register(parsed, value.size())) return false;
  content = parsed;
  return true;
}

std::string make_cart(ValueId id, const std::vector<uint64_t>& items) {
  std::string value;
  value.reserve(kValueHeaderBytes + 4 + 8 * items.size());
  put_u64(value, id);
  put_u32(value, static_cast<uint32_t>(items.size()));
  for (const uint64_t item : items) put_u64(value, item);
  return value;
}

bool merge_cart(std::string_view value, std::vector<uint64_t>& items) {
  constexpr std::size_t kFirst = kValueHeaderBytes + 4;
  if (value.size() < kFirst) return false;
  const uint64_t count = get_number(value, kValueHeaderBytes, 4);
  if (value.size() != kFirst + 8 * count) return false;
  std::vector<uint64_t> merged(items);
  for (uint64_t i = 0; i < count; ++i) merged.push_back(get_number(value, kFirst + 8 * i, 8));
  std::sort(merged.begin(), merged.end());
  merged.erase(std::unique(merged.begin(), merged.end()), merged.end());
  items = std::move(merged);
  return true;
}

}  // namespace ringside
