#include "lab/large_pages.h"

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "lab/text.h"

namespace ringside::lab {
namespace {

constexpr const char* kTunables = "GLIBC_TUNABLES";
constexpr const char* kLargePages = "glibc.malloc.hugetlb";

}  // namespace

void start_over_with_large_pages() {
  const char* const set = getenv(kTunables);
  const std::string tunables = set == nullptr ? "" : set;
  if (contains(tunables, kLargePages)) return;
  std::ostringstream bytes;
  bytes << std::ifstream("/proc/self/cmdline", std::ios::binary).rdbuf();
  std::vector<std::string> arguments = split(bytes.str(), '\0');
  if (!arguments.empty()) arguments.pop_back();  // each ends with a zero
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const std::string more = concat(tunables, tunables.empty() ? "" : ":", kLargePages, "=1");
  setenv(kTunables, more.c_str(), 1);
  execv("/proc/self/exe", pointers.data());
}

}  // namespace ringside::lab
