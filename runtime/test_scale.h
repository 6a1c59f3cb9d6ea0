// How much a test repeats: less where every step is slow.
#pragma once

namespace ringside {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

// Of so many histories, seeds, … that a test would try.
constexpr int scaled(int count) { return kSanitized ? count / 10 : count; }

}  // namespace ringside
