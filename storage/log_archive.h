// LogArchive: takes in segments that recovery needs no more and gives the oldest back when they
// exceed the maximum. It works behind the log. A file changes its name and both directories are
// synced, the new name's first, before anything is written over, so that no crash leaves a file
// that is written to under an archived name. What fails leaves a gap in the archive and is never
// written over in this life; the log goes on.
#pragma once

#include "runtime/host.h"
#include "storage/log_segments.h"

namespace ringside {

class LogArchive {
 public:
  // `bytes_max` 0: there is none, and what an earlier life archived is removed.
  LogArchive(Host& host, LogSegments& segments, uint64_t bytes_max, std::vector<uint32_t> doubled);

  bool on() const { return bytes_max_ > 0; }
  uint64_t bytes() const { return bytes_; }  // of the files measured so far
  // Starts on what there is to do.
  void start(Scope& scope);

 private:
  static constexpr std::size_t kSpareFiles = 2;

  bool idle() const;
  Task<void> run();
  Task<Result<void>> prepare();
  Task<Result<void>> take_in(LogSegment segment);
  Task<Result<void>> give_back(ArchivedSegment oldest);

  Host& host_;
  LogSegments& segments_;
  const uint64_t bytes_max_;
  std::vector<uint32_t> doubled_;
  uint64_t bytes_ = 0;
  bool prepared_ = false;
  bool running_ = false;
};

}  // namespace ringside
