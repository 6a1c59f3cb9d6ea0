// LogScanner: the good groups of one segment file from an offset on, in order. Where no good group
// starts it goes on with the next page, so that what follows damage is found. It reads through a
// window: memory is one window and the largest group. Charges what it reads and yields. A read that
// ends before the file does is kIo.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/log_format.h"
#include "storage/slice.h"

namespace ringside {

class LogScanner {
 public:
  static constexpr uint64_t kWindowBytes = 1u << 20;

  // A page at which no good group starts: the first one after the last good group.
  struct Bad {
    uint64_t offset = 0;
    uint64_t claims = 0;  // the segment that it claims to belong to; 0: none
    bool blank = false;   // all zeros
  };

  // Looks at [offset, size) of the file; `path` is for errors. The window is what one read asks
  // for.
  LogScanner(Host& host, FileId file, std::string path, uint64_t offset, uint64_t size,
             uint64_t window = kWindowBytes);

  // The next good group; false: there is none before the end.
  Task<Result<bool>> next();

  // Of the group found, until `next` is called again.
  uint64_t offset() const { return offset_; }
  uint64_t end_offset() const { return offset_ + header_.bytes(); }
  const LogGroupHeader& header() const { return header_; }
  std::string_view bytes() const { return {window_.data() + at_, group_bytes_}; }
  // What was skipped to get there (or to the end).
  const std::optional<Bad>& bad() const { return bad_; }

 private:
  // Has `bytes` bytes at the position in the window, or all that the file has.
  Task<Result<void>> fill(uint64_t bytes);
  std::string_view rest() const { return std::string_view(window_).substr(at_); }
  void advance(uint64_t bytes);

  Host& host_;
  Slice slice_;
  FileId file_;
  std::string path_;
  uint64_t offset_;  // of the position in the file
  uint64_t size_;
  uint64_t window_bytes_;
  std::string window_;
  std::size_t at_ = 0;  // of the position in the window
  std::size_t group_bytes_ = 0;
  LogGroupHeader header_;
  std::optional<Bad> bad_;
};

}  // namespace ringside
