#include "storage/log_archive.h"

#include <utility>

namespace ringside {

LogArchive::LogArchive(Host& host, LogSegments& segments, uint64_t bytes_max,
                       std::vector<uint32_t> doubled)
    : host_(host), segments_(segments), bytes_max_(bytes_max), doubled_(std::move(doubled)) {}

bool LogArchive::idle() const {
  if (!prepared_ && (!doubled_.empty() || !segments_.archived.empty())) return false;
  return !may_take_in() && bytes_ <= bytes_max_;
}

void LogArchive::start(Scope& scope) {
  if (!on()) {
    for (LogSegment& segment : std::exchange(segments_.leaving, {}))
      segments_.free.push_back({.slot = segment.slot, .file = segment.file});
  }
  if (running_ || idle()) return;
  running_ = true;
  scope.spawn(run());
}

Task<void> LogArchive::run() {
  Permit permit = co_await segments_.names.acquire();
  if (!prepared_) {
    Result<void> done = co_await prepare();
    if (!done.ok()) {
      // Nothing changed its name yet: these can be written over, but not be archived.
      host_.trace().probe("wal.archive_failed");
      for (LogSegment& segment : std::exchange(segments_.leaving, {}))
        segments_.free.push_back({.slot = segment.slot, .file = segment.file});
      running_ = false;
      co_return;
    }
    prepared_ = true;
  }
  while (!idle()) {
    Result<void> done;
    if (bytes_ > bytes_max_) {
      const ArchivedSegment oldest = segments_.archived.front();
      segments_.archived.pop_front();
      bytes_ -= oldest.bytes;
      done = co_await give_back(oldest);
    } else {
      done = co_await take_in(segments_.leaving.front());
      if (!done.ok()) segments_.abandoned.push_back(segments_.leaving.front());
      segments_.leaving.pop_front();
    }
    if (!done.ok()) host_.trace().probe("wal.archive_failed");
    permit.release();  // readers wait for one segment at most
    permit = co_await segments_.names.acquire();
  }
  running_ = false;
}

Task<Result<void>> LogArchive::prepare() {
  Disk& disk = host_.disk();
  Result<void> done;
  for (const uint32_t slot : doubled_) {
    done = co_await disk.remove(log_file_name(segments_.directory, slot));
    if (!done.ok() && done.code() != Code::kNotFound) co_return done;
  }
  if (on()) {
    done = co_await disk.make_directory(archive_directory(segments_.directory));
    if (!done.ok()) co_return done;
  }
  done = co_await disk.sync_directory(segments_.directory);
  if (!done.ok()) co_return done;
  doubled_.clear();
  bytes_ = 0;
  for (std::size_t i = 0; i < segments_.archived.size(); ++i) {
    Result<FileId> file =
        co_await disk.open(archive_file_name(segments_.directory, segments_.archived[i].first));
    if (!file.ok()) co_return file.error();
    Result<uint64_t> size = co_await disk.size(*file);
    done = co_await disk.close(*file);
    if (!size.ok()) co_return size.error();
    if (!done.ok()) co_return done;
    segments_.archived[i].bytes = *size;
    bytes_ += *size;
  }
  co_return Result<void>();
}

Task<Result<void>> LogArchive::take_in(LogSegment segment) {
  Disk& disk = host_.disk();
  // Of no use to a reader, or archived under this name before.
  if (segment.end <= segment.first || segment.headless ||
      (!segments_.archived.empty() && segments_.archived.back().first >= segment.first)) {
    segments_.free.push_back({.slot = segment.slot, .file = segment.file});
    co_return Result<void>();
  }
  Result<uint64_t> size = co_await disk.size(segment.file);
  if (!size.ok()) co_return size.error();
  Result<void> done = co_await disk.rename(log_file_name(segments_.directory, segment.slot),
                                           archive_file_name(segments_.directory, segment.first));
  if (done.ok()) done = co_await disk.sync_directory(archive_directory(segments_.directory));
  if (done.ok()) done = co_await disk.sync_directory(segments_.directory);
  if (!done.ok()) co_return done;
  done = co_await disk.close(segment.file);
  if (!done.ok()) co_return done;
  host_.trace().probe("wal.segment_archived");
  segments_.archived.push_back({.first = segment.first, .bytes = *size});
  bytes_ += *size;
  co_return done;
}

Task<Result<void>> LogArchive::give_back(ArchivedSegment oldest) {
  Disk& disk = host_.disk();
  const std::string name = archive_file_name(segments_.directory, oldest.first);
  Result<void> done;
  if (!on() || segments_.free.size() >= kSpareFiles) {
    done = co_await disk.remove(name);
    if (done.ok()) done = co_await disk.sync_directory(archive_directory(segments_.directory));
    co_return done;
  }
  const uint32_t slot = segments_.next_slot++;
  const std::string back = log_file_name(segments_.directory, slot);
  done = co_await disk.rename(name, back);
  if (done.ok()) done = co_await disk.sync_directory(segments_.directory);
  if (done.ok()) done = co_await disk.sync_directory(archive_directory(segments_.directory));
  if (!done.ok()) co_return done;
  Result<FileId> file = co_await disk.open(back);
  if (!file.ok()) co_return file.error();
  host_.trace().probe("wal.segment_given_back");
  segments_.free.push_back({.slot = slot, .file = *file});
  co_return done;
}

}  // namespace ringside
