// Profile: perf watches this process for as long as a Profile lives: one step of one engine,
// without what prepared it.
#pragma once

#include <sys/types.h>

#include <string>

namespace ringside::bench {

class Profile {
 public:
  // Writes perf's data to `file`; does nothing when that is empty.
  explicit Profile(const std::string& file);
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

 private:
  pid_t perf_ = 0;
};

}  // namespace ringside::bench
