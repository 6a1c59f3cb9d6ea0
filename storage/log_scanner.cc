#include "storage/log_scanner.h"

#include <algorithm>
#include <utility>

namespace ringside {

LogScanner::LogScanner(Host& host, FileId file, std::string path, uint64_t offset, uint64_t size,
                       uint64_t window)
    : host_(host),
      slice_(host),
      file_(file),
      path_(std::move(path)),
      offset_(offset),
      size_(std::max(size, offset)),
      window_bytes_(window) {}

void LogScanner::advance(uint64_t bytes) {
  at_ = std::min<uint64_t>(at_ + bytes, window_.size());
  offset_ = std::min(offset_ + bytes, size_);
}

Task<Result<void>> LogScanner::fill(uint64_t bytes) {
  bytes = std::min(bytes, size_ - offset_);
  while (rest().size() < bytes) {
    window_.erase(0, std::exchange(at_, 0));
    const uint64_t from = offset_ + window_.size();
    Result<Buffer> part =
        co_await host_.disk().read_at(file_, from, std::min(window_bytes_, size_ - from));
    if (!part.ok()) co_return part.error();
    // The rest is there and did not come: no torn tail, which would be cut.
    if (part->empty()) {
      co_return Error{Code::kIo, path_ + " at " + std::to_string(from) +
                                     ": a read ended before the log's segment did"};
    }
    window_.append(part->view());
    slice_.charge(part->size() / 8);
    if (slice_.spent()) co_await slice_.let_others_run();
  }
  co_return Result<void>();
}

Task<Result<bool>> LogScanner::next() {
  bad_.reset();
  advance(std::exchange(group_bytes_, 0));
  while (offset_ < size_) {
    Result<void> filled = co_await fill(kPageBytes);
    if (!filled.ok()) co_return filled.error();
    std::optional<LogGroupHeader> header = parse_log_header(rest());
    if (header && header->bytes() <= size_ - offset_) {
      filled = co_await fill(header->bytes());
      if (!filled.ok()) co_return filled.error();
      if (parse_log_group(rest())) {
        header_ = *header;
        group_bytes_ = header->bytes();
        co_return true;
      }
    }
    if (!bad_) {
      const std::string_view page = rest().substr(0, kPageBytes);
      bad_ = Bad{.offset = offset_,
                 .claims = claimed_log_segment(page),
                 .blank = page.find_first_not_of('\0') == std::string_view::npos};
    }
    advance(kPageBytes);
  }
  co_return false;
}

}  // namespace ringside
