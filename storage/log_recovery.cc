#include "storage/log_recovery.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/bug.h"
#include "storage/log_history.h"
#include "storage/log_scanner.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerBatch = 200;           // about what applying one to a memtable takes
constexpr uint64_t kSecondReadBytes = 192u << 10;  // unlike the first reads, in size and place

struct SegmentFile {
  std::string path;
  LogSegment segment;  // id 0: no good header was found
  uint64_t size = 0;
  Lsn claims_first = 0;  // by the header on its first page; 0: that is no good one
  // Of its good groups, as far as they count.
  bool counts = false;
  uint64_t life = 0;
  bool stale = false;     // an earlier life's groups follow
  Lsn passed_over = 0;    // the next of its good groups starts with this batch and does not count
  bool leftover = false;  // some of its good groups does not
  uint64_t greatest = 0;  // segment id met in it: another one when its first page was not synced
  std::optional<LogScanner::Bad> broke;

  bool torn() const {  // a group was begun after the good ones and is not whole
    if (!broke) return false;
    return broke->claims != 0 ? broke->claims >= segment.id : !broke->blank && !stale;
  }
};

class LogWalk {
 public:
  LogWalk(Host& host, std::string directory, Lsn flushed, BatchSink& sink,
          LogRecoveryOptions options)
      : host_(host),
        slice_(host),
        directory_(std::move(directory)),
        flushed_(flushed),
        options_(options),
        history_(flushed, sink) {}

  Task<Result<LogRecovery>> run();

 private:
  Task<Result<void>> open_files();
  Task<Result<Buffer>> read_first_page(const SegmentFile& file);
  Task<Result<void>> identify(SegmentFile& file);
  Task<Result<void>> walk(std::size_t index);
  void prove(SegmentFile& file, const LogGroupHeader& header);
  Task<Result<void>> take_group(std::size_t index, const LogScanner& scanner);
  Result<std::string_view> open_payload(const SegmentFile& file, const LogScanner& scanner);
  Task<Result<void>> decide_hole(std::size_t index, const LogScanner& scanner);
  Task<Result<void>> make_sure(std::size_t index, const LogScanner& scanner);
  Task<Result<void>> look_ahead(std::size_t index, uint64_t offset);
  Task<Result<void>> read_again(std::size_t files);
  Result<void> supersede(SegmentFile& file, Lsn first);
  Result<void> lose(Lsn last);
  Task<Result<void>> close_doubled();
  void hand_over();

  Host& host_;
  Slice slice_;
  const std::string directory_;
  const Lsn flushed_;
  const LogRecoveryOptions options_;
  LogRecovery recovery_;
  LogHistory history_;
  std::vector<SegmentFile> files_;  // by segment id
  SegmentFile* last_ = nullptr;     // the last one that counts
  Lsn repeated_ = 0;    // segments that are still to come repeat the batches from here on
  Lsn hole_ = 0;        // nothing proves this missing batch, and the log ends before it
  std::string opened_;  // a sealed payload
};

Error segment_error(const SegmentFile& file, uint64_t offset, Code code, const std::string& what) {
  return Error{code, file.path + " at " + std::to_string(offset) + ": " + what};
}

Task<Result<LogRecovery>> LogWalk::run() {
  Result<void> done = co_await open_files();
  for (std::size_t i = 0; done.ok() && i < files_.size(); ++i) done = co_await walk(i);
  if (done.ok()) done = co_await read_again(files_.size());
  if (done.ok() && history_.next() <= history_.durable()) done = lose(history_.durable());
  if (!done.ok()) co_return done.error();
  history_.finish();

  for (const SegmentFile& file : files_) recovery_.torn_tail |= file.torn();
  if (recovery_.torn_tail) host_.trace().probe("wal.torn_tail_cut");
  recovery_.empty = !history_.any();
  recovery_.manifest_sequence = history_.manifest_sequence();
  recovery_.end = history_.next() - 1;
  recovery_.start.next_lsn = std::max(history_.durable(), flushed_) + 1;
  recovery_.start.next_segment = history_.segment_max() + 1;
  hand_over();
  done = co_await close_doubled();
  if (!done.ok()) co_return done.error();
  co_return std::move(recovery_);
}

Task<Result<void>> LogWalk::open_files() {
  Result<std::vector<std::string>> names = co_await host_.disk().list(directory_);
  if (!names.ok()) co_return names.error();
  for (const std::string& name : *names) {
    const uint32_t slot = slot_of_log_file(name);
    if (slot == 0) continue;
    recovery_.start.next_slot = std::max(recovery_.start.next_slot, slot + 1);
    SegmentFile& file = files_.emplace_back();
    file.path = directory_ + "/" + name;
    file.segment.slot = slot;
    Result<void> identified = co_await identify(file);
    if (!identified.ok()) co_return identified;
  }
  std::sort(files_.begin(), files_.end(), [](const SegmentFile& a, const SegmentFile& b) {
    return a.segment.id != b.segment.id ? a.segment.id < b.segment.id
                                        : a.segment.slot < b.segment.slot;
  });
  for (std::size_t i = 1; i < files_.size(); ++i) {
    const uint64_t id = files_[i].segment.id;
    if (id == 0 || id != files_[i - 1].segment.id) continue;
    host_.trace().probe("wal.segment_twice");
    co_return segment_error(files_[i], 0, Code::kCorrupt,
                            "two files claim to be log segment " + std::to_string(id));
  }
  names = co_await host_.disk().list(archive_directory(directory_));
  if (!names.ok() && names.code() != Code::kNotFound) co_return names.error();
  for (std::size_t i = 0; names.ok() && i < names->size(); ++i) {
    const Lsn first = lsn_of_archive_file((*names)[i]);
    if (first != 0) recovery_.start.archived.push_back({.first = first});
  }
  if (recovery_.start.archived.empty()) co_return Result<void>();
  // The newest archived segment has the greatest id of them.
  SegmentFile newest;
  newest.path = archive_file_name(directory_, recovery_.start.archived.back().first);
  Result<void> identified = co_await identify(newest);
  if (!identified.ok()) co_return identified;
  co_return co_await host_.disk().close(newest.segment.file);
}

Task<Result<Buffer>> LogWalk::read_first_page(const SegmentFile& file) {
  const uint64_t wanted = std::min(kPageBytes, file.size);
  if (wanted == 0) co_return Buffer();
  Result<Buffer> page = co_await host_.disk().read_at(file.segment.file, 0, wanted);
  if (page.ok() && page->size() < wanted) {
    co_return segment_error(file, 0, Code::kIo, "a read ended before the log's segment did");
  }
  co_return page;
}

// A file is the segment that its first good header names: what an earlier life left comes later.
Task<Result<void>> LogWalk::identify(SegmentFile& file) {
  Result<FileId> opened = co_await host_.disk().open(file.path);
  if (!opened.ok()) co_return opened.error();
  file.segment.file = *opened;
  Result<uint64_t> size = co_await host_.disk().size(file.segment.file);
  if (!size.ok()) co_return size.error();
  file.size = *size;
  Result<Buffer> page = co_await read_first_page(file);
  if (!page.ok()) co_return page.error();
  if (std::optional<LogGroupHeader> header = parse_log_header(page->view())) {
    file.segment.id = header->segment;
    file.claims_first = header->first;
    history_.meet(header->segment);
    co_return Result<void>();
  }
  const uint16_t version = claimed_log_version(page->view());
  if (version != 0 && version != kLogVersion) {
    co_return segment_error(
        file, 0, Code::kCorrupt,
        "a log of version " + std::to_string(version) + ", not " + std::to_string(kLogVersion));
  }
  LogScanner scanner(host_, file.segment.file, file.path, 0, file.size);
  Result<bool> found = co_await scanner.next();
  if (!found.ok()) co_return found.error();
  if (*found) file.segment.id = scanner.header().segment;
  co_return Result<void>();
}

// Looks at every page: a group that follows a gap still proves what it says.
Task<Result<void>> LogWalk::walk(std::size_t index) {
  SegmentFile& file = files_[index];
  // What a newer segment repeats is its own to say, even if the older one was proven.
  repeated_ = std::numeric_limits<Lsn>::max();
  for (std::size_t newer = index + 1; newer < files_.size(); ++newer) {
    const Lsn first = files_[newer].claims_first;
    if (first != 0) repeated_ = std::min(repeated_, first);
  }
  history_.hold_from(repeated_);
  LogScanner scanner(host_, file.segment.file, file.path, 0, file.size);
  while (true) {
    Result<bool> found = co_await scanner.next();
    if (!found.ok()) co_return found.error();
    if (scanner.bad() && scanner.bad()->offset == file.segment.bytes) file.broke = scanner.bad();
    if (!*found) co_return Result<void>();
    const LogGroupHeader& header = scanner.header();
    prove(file, header);
    if (header.segment < file.segment.id) {
      file.stale = true;
    } else if (header.segment > file.segment.id) {
      file.leftover = true;  // its segment's first page is not there
    } else if (!file.counts || (header.life == file.life && header.first >= file.segment.end)) {
      Result<void> accepted = co_await take_group(index, scanner);
      if (!accepted.ok()) co_return accepted;
      slice_.charge(kUnitsPerBatch * header.count);
      if (slice_.spent()) co_await slice_.let_others_run();
    } else {
      file.leftover = true;
    }
  }
}

void LogWalk::prove(SegmentFile& file, const LogGroupHeader& header) {
  history_.prove(header);
  file.greatest = std::max(file.greatest, header.segment);
}

Task<Result<void>> LogWalk::take_group(std::size_t index, const LogScanner& scanner) {
  SegmentFile& file = files_[index];
  const LogGroupHeader header = scanner.header();
  Result<std::string_view> payload = open_payload(file, scanner);
  if (!payload.ok()) co_return payload.error();
  if (!file.counts) {
    Result<void> superseded = supersede(file, header.first);
    if (!superseded.ok()) co_return superseded;
  }
  const bool after_hole = header.first > history_.next();
  if (after_hole) {
    if (scanner.offset() == file.segment.bytes) file.passed_over = header.first;
    Result<void> decided = co_await decide_hole(index, scanner);
    if (!decided.ok()) co_return decided;
    if (header.first > history_.next()) {
      file.leftover = true;
      co_return decided;
    }
  } else if (scanner.offset() != file.segment.bytes &&
             (file.counts || header.end() > flushed_ + 1)) {
    // No batch is missing between, but pages were skipped.
    Result<void> sure = co_await make_sure(index, scanner);
    if (!sure.ok()) co_return sure;
  }
  if (!history_.add(header, *payload)) {
    co_return segment_error(file, scanner.offset(), Code::kCorrupt,
                            "a log group's batches do not add up");
  }
  LogSegment& segment = file.segment;
  if (!file.counts) {
    segment.first = header.first;
    segment.headless = scanner.offset() != 0;
  }
  segment.remember(header.first, scanner.offset(), after_hole || !file.counts);
  file.counts = true;
  file.life = header.life;
  segment.end = header.end();
  segment.bytes = scanner.end_offset();
  file.broke.reset();
  file.passed_over = 0;
  last_ = &file;
  co_return Result<void>();
}

Result<std::string_view> LogWalk::open_payload(const SegmentFile& file, const LogScanner& scanner) {
  const LogGroupHeader& header = scanner.header();
  if (header.sealed != (options_.cipher != nullptr)) {
    host_.trace().probe("wal.not_opened");
    return segment_error(file, scanner.offset(), Code::kInvalid,
                         header.sealed ? "the log is sealed, and there is no key"
                                       : "the log is not sealed, though there is a key");
  }
  if (!header.sealed) return scanner.bytes().substr(kLogHeaderBytes, header.payload_bytes);
  opened_.clear();
  if (!open_log_payload(*options_.cipher, header, scanner.bytes(), scanner.offset(), opened_)) {
    host_.trace().probe("wal.not_opened");
    return segment_error(file, scanner.offset(), Code::kCorrupt,
                         "it was sealed with another key, or tampered with");
  }
  return std::string_view(opened_);
}

// A newer segment's first group holds all that its process had recovered beyond the proven mark, so
// it replaces what older segments say there.
Result<void> LogWalk::supersede(SegmentFile& file, Lsn first) {
  const Lsn released = history_.released();
  if (first <= released && released > flushed_) {
    host_.trace().probe("wal.histories_differ");
    const Lsn from = std::max(first, flushed_ + 1);
    if (options_.lost == LostLog::kRefuse) {
      return segment_error(file, 0, Code::kCorrupt,
                           "it begins with batch " + std::to_string(first) + ", and batch " +
                               std::to_string(released) + " was durable before");
    }
    recovery_.lost.push_back({from, released, file.path, 0});
  }
  history_.supersede(first);
  for (SegmentFile& older : files_) {
    if (older.counts && &older != &file) older.segment.end = std::min(older.segment.end, first);
  }
  return {};
}

// The batches before the group at hand are not there. Either a newer segment has them, because its
// life began before the group at hand, which then is void; or they were lost; or nothing proves
// them, and the log ends there unless a newer segment goes on.
Task<Result<void>> LogWalk::decide_hole(std::size_t index, const LogScanner& scanner) {
  const Lsn first = scanner.header().first;
  if (repeated_ <= history_.next() || hole_ == history_.next()) co_return Result<void>();
  Result<void> done = co_await make_sure(index, scanner);
  if (!done.ok()) co_return done;
  if (RINGSIDE_BUG(log_replays_across_hole)) {
    history_.skip_to(first);
    co_return done;
  }
  if (history_.durable() >= history_.next()) done = lose(std::min(first - 1, history_.durable()));
  if (done.ok() && history_.next() < first) {
    host_.trace().probe("wal.stopped_at_hole");
    hole_ = history_.next();
  }
  co_return done;
}

// Of what was skipped to get to the group at hand.
Task<Result<void>> LogWalk::make_sure(std::size_t index, const LogScanner& scanner) {
  Result<void> done = co_await look_ahead(index, scanner.end_offset());
  if (done.ok()) done = co_await read_again(index + 1);
  co_return done;
}

// What all that was not walked yet proves.
Task<Result<void>> LogWalk::look_ahead(std::size_t index, uint64_t offset) {
  for (; index < files_.size(); ++index, offset = 0) {
    SegmentFile& file = files_[index];
    LogScanner scanner(host_, file.segment.file, file.path, offset, file.size);
    while (true) {
      Result<bool> found = co_await scanner.next();
      if (!found.ok()) co_return found.error();
      if (!*found) break;
      prove(file, scanner.header());
    }
  }
  co_return Result<void>();
}

// Before anything is believed to be missing, what ends the log and every file that held nothing of
// it, of the first `files`, is read a second time. Of the others the first page is: it made them
// older.
Task<Result<void>> LogWalk::read_again(std::size_t files) {
  for (std::size_t i = 0; i < files; ++i) {
    const SegmentFile& file = files_[i];
    const uint64_t from = file.segment.bytes;
    bool differs = false;
    Result<Buffer> page = co_await read_first_page(file);
    if (!page.ok()) co_return page.error();
    std::optional<LogGroupHeader> header = parse_log_header(page->view());
    differs |= header.has_value() != (file.claims_first != 0);
    differs |= header && (header->segment != file.segment.id || header->first != file.claims_first);
    const bool all = !file.counts || &file == last_;
    LogScanner scanner(host_, file.segment.file, file.path, from, file.size, kSecondReadBytes);
    while (all && !differs) {
      Result<bool> found = co_await scanner.next();
      if (!found.ok()) co_return found.error();
      if (!*found) break;
      const LogGroupHeader& group = scanner.header();
      differs |= group.durable > history_.durable() || group.segment > file.greatest ||
                 (group.segment == file.segment.id && scanner.offset() == from &&
                  group.first != file.passed_over);
    }
    if (!differs) continue;
    host_.trace().probe("wal.reads_differ");
    co_return segment_error(file, from, Code::kIo, "two reads of it differ");
  }
  co_return Result<void>();
}

// The batches from the next one to `last` were durable once.
Result<void> LogWalk::lose(Lsn last) {
  const Lsn first = history_.next();
  if (RINGSIDE_BUG(log_cut_past_proven_group)) {
    history_.disprove(first - 1);
    return {};
  }
  host_.trace().probe("wal.durable_group_lost");
  const SegmentFile* at = last_ != nullptr ? last_ : files_.empty() ? nullptr : &files_.front();
  const std::string path = at == nullptr ? directory_ : at->path;
  const uint64_t offset = last_ == nullptr ? 0 : last_->segment.bytes;
  if (options_.lost == LostLog::kRefuse) {
    return Error{Code::kCorrupt, path + " at " + std::to_string(offset) + ": batch " +
                                     std::to_string(first) + " is missing, and batch " +
                                     std::to_string(history_.durable()) + " was durable"};
  }
  recovery_.lost.push_back({first, last, path, offset});
  history_.finish();
  history_.skip_to(last + 1);
  return {};
}

// Sorts the files: needed, flushed right before those, doubled by the archive, free.
void LogWalk::hand_over() {
  LogStart& start = recovery_.start;
  Lsn oldest = flushed_ + 1;
  for (auto file = files_.rbegin(); file != files_.rend(); ++file) {
    LogSegment& segment = file->segment;
    const bool holds = file->counts && segment.end > segment.first;
    const bool archived =
        std::any_of(start.archived.begin(), start.archived.end(),
                    [&](const auto& one) { return one.first == file->claims_first; });
    const bool needed = holds && segment.end > flushed_ + 1;
    if (file->leftover && (needed || !archived)) start.cut.push_back({segment.file, segment.bytes});
    if (needed) {
      oldest = std::min(oldest, segment.first);
      start.in_use.insert(start.in_use.begin(), std::move(segment));
    } else if (archived) {
      start.doubled.push_back(segment.slot);
    } else if (holds && segment.end == oldest) {
      oldest = segment.first;
      segment.places = {};
      start.flushed.insert(start.flushed.begin(), std::move(segment));
    } else {
      start.free.push_back({.slot = segment.slot, .file = segment.file});
    }
  }
}

Task<Result<void>> LogWalk::close_doubled() {
  for (const SegmentFile& file : files_) {
    const std::vector<uint32_t>& doubled = recovery_.start.doubled;
    if (std::find(doubled.begin(), doubled.end(), file.segment.slot) == doubled.end()) continue;
    Result<void> closed = co_await host_.disk().close(file.segment.file);
    if (!closed.ok()) co_return closed;
  }
  co_return Result<void>();
}

}  // namespace

Task<Result<LogRecovery>> recover_log(Host& host, std::string directory, Lsn flushed,
                                      BatchSink& sink, LogRecoveryOptions options) {
  LogWalk walk(host, std::move(directory), flushed, sink, options);
  co_return co_await walk.run();
}

}  // namespace ringside
