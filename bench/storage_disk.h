// What the real host's disk costs below the engine: one page of a file that lies in the page cache,
// read or written through Host::disk by coroutines in the loop, beside the bare system calls in a
// loop of their own.
#pragma once

#include <cstdint>
#include <string>

namespace ringside::bench {

struct DiskStep {
  enum class Kind : uint8_t { kRead, kWrite, kWriteAndSync };
  const char* name = "";
  Kind kind = Kind::kRead;
  uint64_t in_flight = 1;  // calls, of ours
  uint64_t operations = 0;
  double seconds = 0;
};

// Operations a second. `directory` is there and empty.
double our_disk(const std::string& directory, const DiskStep& step);
double bare_disk(const std::string& directory, const DiskStep& step);

}  // namespace ringside::bench
