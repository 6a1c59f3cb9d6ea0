#include "runtime/bug.h"

#include <algorithm>

namespace ringside {
namespace {

// Set once before a world starts, and never by a node.
std::vector<std::string>& switched_on() {
  static std::vector<std::string> names;
  return names;
}

}  // namespace

bool planted_build() {
#ifdef RINGSIDE_PLANTED
  return true;
#else
  return false;
#endif
}

bool planted_bug_on(std::string_view name) {
  const std::vector<std::string>& names = switched_on();
  return !names.empty() && std::find(names.begin(), names.end(), name) != names.end();
}

void set_planted_bugs(std::vector<std::string> names) { switched_on() = std::move(names); }

}  // namespace ringside
