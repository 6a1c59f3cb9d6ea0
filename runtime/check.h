// CHECK is for bugs: a condition that only wrong code can break. It stays on in release builds,
// prints where and what, and aborts. Anything that the world can cause (a full disk, a lost peer,
// bad input) is a Result instead.
#pragma once

namespace ringside {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace ringside

#define CHECK(condition)                        \
  (__builtin_expect(!!(condition), 1) ? void(0) \
                                      : ::ringside::check_failed(#condition, __FILE__, __LINE__))
