// SmallDisk: for tests, a disk of a few megabytes to fill: a tmpfs on a directory, in a mount
// namespace of this process's own, so that nobody else sees it and nothing of it can outlive the
// process. Where the kernel forbids that, it says why.
#pragma once

#include <cstdint>
#include <string>

namespace ringside::conformance {

class SmallDisk {
 public:
  // `directory` exists and is empty.
  SmallDisk(std::string directory, uint64_t bytes);
  ~SmallDisk();  // unmounts; nothing there may be open
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::string& obstacle() const { return obstacle_; }

 private:
  std::string directory_;
  std::string obstacle_;
};

}  // namespace ringside::conformance
