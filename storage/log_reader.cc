#include "storage/log_reader.h"

#include <algorithm>
#include <utility>

namespace ringside {

bool LogReader::Progress::take(std::string_view payload, Lsn first, Lsn end, Lsn until) {
  LogGroupReader reader(payload);
  Lsn lsn = first;
  for (std::string_view batch; lsn < end && reader.next(batch); ++lsn) {
    if (lsn != next || lsn >= until || done()) continue;
    bytes += batch.size();
    batches.push_back({lsn, std::string(batch)});
    ++next;
  }
  return reader.ok() && lsn == end;
}

Task<Result<std::vector<LoggedBatch>>> LogReader::read(Lsn after, ChangeLimits limits) {
  wanted_ = true;
  Progress progress{
      .next = after + 1, .last = std::min(durable_.lsn(), limits.until), .limits = limits};
  while (!progress.done()) {
    if (read_memory(progress)) continue;
    Permit permit = co_await segments_.names.acquire();
    Result<void> done = co_await read_segment(progress);
    if (done.ok()) continue;
    if (progress.batches.empty()) co_return done.error();
    break;  // what there is; the next read meets the error
  }
  co_return std::move(progress.batches);
}

bool LogReader::read_memory(Progress& progress) const {
  const auto after = std::upper_bound(recent_.begin(), recent_.end(), progress.next,
                                      [](Lsn lsn, const Recent& one) { return lsn < one.first; });
  if (after == recent_.begin() || std::prev(after)->end <= progress.next) return false;
  const Recent& recent = *std::prev(after);
  CHECK(progress.take(recent.bytes.view().substr(recent.from, recent.payload_bytes), recent.first,
                      recent.end, recent.end));
  return true;
}

void LogReader::keep(Lsn first, Lsn end, Buffer bytes, std::size_t from,
                     std::size_t payload_bytes) {
  if (first == end) return;
  recent_bytes_ += bytes.size();
  recent_.push_back({first, end, std::move(bytes), from, payload_bytes});
  while (recent_bytes_ > kRecentBytesMax) {
    recent_bytes_ -= recent_.front().bytes.size();
    recent_.pop_front();
  }
}

// Goes on in the segment that holds the next batch.
Task<Result<void>> LogReader::read_segment(Progress& progress) {
  std::optional<LogSegments::Holder> holder = segments_.find(progress.next);
  if (!holder) {
    host_.trace().probe("wal.stream_gap");
    const Lsn oldest = segments_.oldest(durable_.lsn() + 1);
    co_return Error{Code::kNotFound, "batch " + std::to_string(progress.next) +
                                         " is gone; the oldest held is " + std::to_string(oldest)};
  }
  if (holder->id != 0) co_return co_await read_groups(progress, *std::move(holder));
  Result<FileId> file = co_await host_.disk().open(holder->path);
  if (!file.ok()) co_return file.error();
  holder->file = *file;
  Result<uint64_t> size = co_await host_.disk().size(*file);
  Result<void> done = size.ok() ? Result<void>() : Result<void>(size.error());
  if (done.ok()) {
    holder->bytes = *size;
    done = co_await read_groups(progress, *std::move(holder));
  }
  Result<void> closed = co_await host_.disk().close(*file);
  co_return done.ok() ? closed : done;
}

Task<Result<void>> LogReader::read_groups(Progress& progress, LogSegments::Holder holder) {
  const Lsn before = progress.next;
  uint64_t id = holder.id;
  uint64_t offset = holder.offset;
  for (const Stop& stop : stops_) {
    if (stop.next != progress.next || stop.first != holder.first || (id != 0 && stop.id != id))
      continue;
    id = stop.id;
    offset = std::max(offset, stop.offset);
  }
  Stop stop{.first = holder.first, .offset = offset};
  Lsn hole_end = 0;
  LogScanner scanner(host_, holder.file, holder.path, offset, holder.bytes, kWindowBytes);
  std::string room;
  while (progress.next < holder.until) {
    Result<bool> found = co_await scanner.next();
    if (!found.ok()) co_return found.error();
    if (!*found) break;
    const LogGroupHeader& group = scanner.header();
    if (id == 0 && scanner.offset() == 0 && group.first == holder.first) id = group.segment;
    if (group.segment != id || id == 0) continue;  // an earlier life's, or a later one's
    if (group.end() <= progress.next) continue;
    if (group.first > progress.next) {
      hole_end = group.first;
      break;
    }
    Result<std::string_view> payload = plain_payload(scanner, holder.path, room);
    if (!payload.ok()) co_return payload.error();
    if (!progress.take(*payload, group.first, group.end(), holder.until)) {
      co_return Error{Code::kCorrupt, holder.path + " at " + std::to_string(scanner.offset()) +
                                          ": a log group's batches do not add up"};
    }
    const bool whole = progress.next == group.end();
    stop.offset = whole ? scanner.end_offset() : scanner.offset();
    if (progress.done()) break;
  }
  if (progress.next > before) {
    stop.next = progress.next;
    stop.id = id;
    remember(before, stop);
    co_return Result<void>();
  }
  if (!segments_.holds(holder)) co_return Result<void>();  // it was recycled; look again
  host_.trace().probe("wal.stream_gap");
  const std::string batch = "batch " + std::to_string(before);
  if (hole_end != 0 || holder.until == std::numeric_limits<Lsn>::max()) {
    co_return Error{Code::kCorrupt,
                    holder.path + ": " + batch + " is missing" +
                        (hole_end == 0 ? "" : "; the next one is " + std::to_string(hole_end))};
  }
  co_return Error{Code::kNotFound,
                  batch + " is gone; the oldest held after it is " + std::to_string(holder.until)};
}

Result<std::string_view> LogReader::plain_payload(const LogScanner& scanner,
                                                  const std::string& path,
                                                  std::string& room) const {
  const LogGroupHeader& group = scanner.header();
  if (group.sealed != (cipher_ != nullptr)) {
    return Error{Code::kInvalid, path + " at " + std::to_string(scanner.offset()) +
                                     (group.sealed ? ": sealed, and there is no key"
                                                   : ": not sealed, though there is a key")};
  }
  if (!group.sealed) return scanner.bytes().substr(kLogHeaderBytes, group.payload_bytes);
  room.clear();
  if (!open_log_payload(*cipher_, group, scanner.bytes(), scanner.offset(), room)) {
    return Error{Code::kCorrupt, path + " at " + std::to_string(scanner.offset()) +
                                     ": it was sealed with another key, or tampered with"};
  }
  return std::string_view(room);
}

// Takes the place of the stop from which this read went on.
void LogReader::remember(Lsn before, Stop stop) {
  for (Stop& one : stops_) {
    if (one.next == before && one.first == stop.first && one.id == stop.id) {
      one = stop;
      return;
    }
  }
  if (stops_.size() < kStopsMax) {
    stops_.push_back(stop);
  } else {
    stops_[next_stop_++ % kStopsMax] = stop;
  }
}

}  // namespace ringside
