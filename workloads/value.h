// Values that workloads write start with the id of the operation that wrote them (8 bytes,
// little-endian), so that whoever finds a value (a client, an observer of the wire, a judge with a
// disk image) can tell who wrote it without believing any node. What follows depends on the
// workload:
//   register  timestamp u64, actor u32, filler
//   cart      number of items u32, items u64 each, ascending
//   record    filler
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/history.h"

namespace ringside {

inline constexpr uint64_t kValueHeaderBytes = 8;

// The id of the operation that wrote `value`; kAbsent when it is too short to be one of ours.
ValueId value_id(std::string_view value);

// `bytes` in all, at least what the header needs. The filler is pseudo-random, keyed by the id: it
// does not compress, and `record_intact` can tell whether every byte is as it was written.
std::string make_record(ValueId id, uint64_t bytes);
bool record_intact(std::string_view value);

struct RegisterValue {
  ValueId id = kAbsent;
  int64_t timestamp = 0;  // of the writing client's wall clock
  uint32_t actor = 0;
};
std::string make_register(const RegisterValue& content, uint64_t bytes);
// False when the bytes are not a register's.
bool parse_register(std::string_view value, RegisterValue& content);
// Which of two siblings a register client takes.
inline bool older(const RegisterValue& a, const RegisterValue& b) {
  if (a.timestamp != b.timestamp) return a.timestamp < b.timestamp;
  return a.actor != b.actor ? a.actor < b.actor : a.id < b.id;
}

std::string make_cart(ValueId id, const std::vector<uint64_t>& items);
// Adds the items of `value` to `items` (sorted, unique). False when the bytes are not a cart's.
bool merge_cart(std::string_view value, std::vector<uint64_t>& items);

}  // namespace ringside
