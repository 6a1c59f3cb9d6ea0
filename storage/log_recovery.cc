#include "storage/log_recovery.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "storage/batch.h"

namespace ringside {
namespace {

constexpr uint64_t kReadBytes = 1u << 20;

struct GroupAt {
  uint64_t offset = 0;
  LogGroupHeader header;
  Lsn end = 0;  // less than header.end() when a later segment repeats the rest
};

// What one segment file holds: the groups of its newest segment, from its first page on, without a
// gap.
struct Run {
  uint32_t slot = 0;
  FileId file = 0;
  uint64_t id = 0;  // 0: nothing that counts
  std::vector<GroupAt> groups;
  uint64_t end_offset = 0;
  bool torn = false;  // a group was begun after the run and is not whole
};

// What all good groups, whatever their segment, prove together.
struct Proof {
  Lsn durable = 0;
  uint64_t manifest_sequence = 0;
  uint64_t segment_max = 0;
  bool any = false;
};

Task<Result<std::string>> read_whole(Disk& disk, FileId file) {
  Result<uint64_t> size = co_await disk.size(file);
  if (!size.ok()) co_return size.error();
  std::string bytes;
  while (bytes.size() < *size) {
    Result<Buffer> part =
        co_await disk.read_at(file, bytes.size(), std::min(kReadBytes, *size - bytes.size()));
    if (!part.ok()) co_return part.error();
    // The rest is there and did not come: no torn tail, which would be cut.
    if (part->empty()) co_return Error{Code::kIo, "a read ended before the log's segment did"};
    bytes.append(part->view());
  }
  co_return bytes;
}

// Looks at every page: a group that follows a gap still proves what it says.
Run scan_segment(std::string_view bytes, Proof& proof) {
  Run run;
  std::vector<GroupAt> good;
  for (uint64_t offset = 0; offset < bytes.size();) {
    std::optional<LogGroupHeader> header = parse_log_group(bytes.substr(offset));
    if (!header) {
      offset += kPageBytes;
      continue;
    }
    proof.any = true;
    proof.durable = std::max(proof.durable, header->durable);
    proof.manifest_sequence = std::max(proof.manifest_sequence, header->manifest_sequence);
    proof.segment_max = std::max(proof.segment_max, header->segment);
    run.id = std::max(run.id, header->segment);
    good.push_back({offset, *header, header->end()});
    offset += header->bytes();
  }
  for (const GroupAt& group : good) {
    if (group.header.segment != run.id || group.offset != run.end_offset) break;
    if (!run.groups.empty() && (group.header.life != run.groups.front().header.life ||
                                group.header.first != run.groups.back().end)) {
      break;
    }
    run.end_offset += group.header.bytes();
    run.groups.push_back(group);
  }
  if (run.end_offset < bytes.size()) {
    const std::string_view next = bytes.substr(run.end_offset);
    std::optional<LogGroupHeader> claimed = peek_log_group(next);
    run.torn = claimed ? claimed->segment >= run.id && !parse_log_group(next)
                       : good.size() == run.groups.size() &&
                             next.find_first_not_of('\0') != std::string_view::npos;
  }
  if (run.groups.empty()) run.id = 0;
  return run;
}

// The groups that count, in the order of their LSNs; `next` is the first LSN that is missing. A
// newer segment's first group holds all that its process had recovered beyond the proven mark, so
// it replaces what older segments say there.
struct Chain {
  struct Piece {
    const Run* run;
    GroupAt group;
  };
  std::vector<Piece> pieces;
  Lsn next = 1;
  const Run* last = nullptr;
  bool hole = false;

  void add(const Run& run) {
    const Lsn first = run.groups.front().header.first;
    if (first > next) {
      hole = true;
      return;
    }
    while (!pieces.empty() && pieces.back().group.header.first >= first) pieces.pop_back();
    if (!pieces.empty()) pieces.back().group.end = std::min(pieces.back().group.end, first);
    for (const GroupAt& group : run.groups) pieces.push_back({&run, group});
    next = run.groups.back().end;
    last = &run;
  }
};

Task<Result<void>> replay_chain(Host& host, const std::string& directory, const Chain& chain,
                                Lsn flushed, Lsn proven, BatchSink& sink) {
  const Run* loaded = nullptr;
  std::string bytes;
  for (const Chain::Piece& piece : chain.pieces) {
    if (piece.group.end <= flushed + 1) continue;
    if (piece.run != loaded) {
      Result<std::string> read = co_await read_whole(host.disk(), piece.run->file);
      if (!read.ok()) co_return read.error();
      bytes = *std::move(read);
      loaded = piece.run;
    }
    const auto corrupt = [&](const char* what) {
      return Error{Code::kCorrupt, log_file_name(directory, piece.run->slot) + " at " +
                                       std::to_string(piece.group.offset) + ": " + what};
    };
    std::string_view group =
        std::string_view(bytes).substr(std::min<uint64_t>(piece.group.offset, bytes.size()));
    if (!parse_log_group(group)) co_return corrupt("a log group changed while it was read");
    LogGroupReader reader(group.substr(kLogHeaderBytes, piece.group.header.payload_bytes));
    Lsn lsn = piece.group.header.first;
    for (std::string_view batch; reader.next(batch); ++lsn) {
      if (lsn > flushed && lsn < piece.group.end) sink.replay(lsn, batch, lsn <= proven);
    }
    if (!reader.ok() || lsn != piece.group.header.end())
      co_return corrupt("a log group's batches do not add up");
  }
  co_return Result<void>();
}

Task<Result<std::vector<Run>>> scan_directory(Host& host, const std::string& directory,
                                              uint32_t& next_slot, Proof& proof) {
  Result<std::vector<std::string>> names = co_await host.disk().list(directory);
  if (!names.ok()) co_return names.error();
  std::vector<Run> runs;
  for (const std::string& name : *names) {
    const auto slot = static_cast<uint32_t>(std::strtoul(name.c_str(), nullptr, 10));
    if (slot == 0 || log_file_name(directory, slot) != directory + "/" + name)
      continue;  // not ours
    next_slot = std::max(next_slot, slot + 1);
    Result<FileId> file = co_await host.disk().open(directory + "/" + name);
    if (!file.ok()) co_return file.error();
    Result<std::string> bytes = co_await read_whole(host.disk(), *file);
    if (!bytes.ok()) co_return bytes.error();
    Run run = scan_segment(*bytes, proof);
    run.slot = slot;
    run.file = *file;
    runs.push_back(std::move(run));
    host.cpu().charge(bytes->size() / 8);
    co_await host.clock().sleep(0);
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) {
    return a.id != b.id ? a.id < b.id : a.slot < b.slot;
  });
  co_return runs;
}

}  // namespace

Task<Result<LogRecovery>> recover_log(Host& host, std::string directory, Lsn flushed,
                                      BatchSink& sink) {
  LogRecovery recovery;
  Proof proof;
  Result<std::vector<Run>> runs =
      co_await scan_directory(host, directory, recovery.start.next_slot, proof);
  if (!runs.ok()) co_return runs.error();
  recovery.empty = !proof.any;
  recovery.manifest_sequence = proof.manifest_sequence;

  Chain chain;
  chain.next = flushed + 1;
  uint64_t previous_id = 0;
  for (const Run& run : *runs) {
    recovery.torn_tail |= run.torn;
    if (run.id == 0) continue;
    if (run.id == previous_id) {
      co_return Error{Code::kCorrupt, log_file_name(directory, run.slot) +
                                          " at 0: two files claim to be log segment " +
                                          std::to_string(run.id)};
    }
    previous_id = run.id;
    if (run.groups.back().end >= chain.next || !chain.pieces.empty()) chain.add(run);
  }
  const Lsn end = std::max(chain.next, flushed + 1) - 1;
  if (end < proof.durable) {
    host.trace().probe("wal.durable_group_lost");
    const Run* at = chain.last != nullptr ? chain.last : runs->empty() ? nullptr : &runs->front();
    co_return Error{Code::kCorrupt,
                    (at == nullptr ? directory : log_file_name(directory, at->slot)) + " at " +
                        std::to_string(chain.last == nullptr ? 0 : chain.last->end_offset) +
                        ": batch " + std::to_string(end + 1) + " is missing, and batch " +
                        std::to_string(proof.durable) + " was durable"};
  }
  if (recovery.torn_tail) host.trace().probe("wal.torn_tail_cut");
  if (chain.hole) host.trace().probe("wal.stopped_at_hole");

  Result<void> replayed =
      co_await replay_chain(host, directory, chain, flushed, proof.durable, sink);
  if (!replayed.ok()) co_return replayed.error();
  recovery.end = end;
  recovery.start.next_lsn = std::max(proof.durable, flushed) + 1;
  recovery.start.next_segment = proof.segment_max + 1;
  for (const Run& run : *runs) {
    const bool needed = std::any_of(
        chain.pieces.begin(), chain.pieces.end(),
        [&](const auto& piece) { return piece.run == &run && piece.group.end > flushed + 1; });
    LogSegment segment{.slot = run.slot, .file = run.file};
    if (needed) {
      segment.id = run.id;
      segment.bytes = run.end_offset;
      segment.end = run.groups.back().end;
      recovery.start.in_use.push_back(segment);
    } else {
      recovery.start.free.push_back(segment);
    }
  }
  co_return recovery;
}

}  // namespace ringside
