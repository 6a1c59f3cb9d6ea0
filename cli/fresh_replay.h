// Plays recordings again, each in a fresh process of this very program: addresses lie elsewhere,
// coroutine frames are not pooled, memory is overwritten (lab/allocator.h). A node whose doing
// depends on any of that plays another run; one that reads what it freed may crash. A replay within
// one process, or one that was forked from it, would not show it.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

#include "lab/hunt.h"

namespace ringside::cli {

// In the order of `recordings`, `jobs` at a time.
std::vector<lab::Again> play_again(const std::vector<std::string>& recordings, unsigned jobs);

// A fresh process that plays a recording and tells every event (cli/event_lines.h), line by line.
class FreshEvents {
 public:
  FreshEvents(const std::string& recording, bool shaken);
  FreshEvents(const FreshEvents&) = delete;
  FreshEvents& operator=(const FreshEvents&) = delete;
  ~FreshEvents();  // ends it

  bool started() const { return child_ > 0; }
  // False: it has told all.
  bool next(std::string& line);
  // The first line that it wrote to stderr, when it has told all.
  std::string first_complaint();

 private:
  pid_t child_ = -1;
  std::FILE* tells_ = nullptr;
  std::FILE* complains_ = nullptr;  // a file without a name
};

}  // namespace ringside::cli
