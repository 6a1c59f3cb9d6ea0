#include "storage/inspect.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "storage/cipher.h"
#include "storage/entry.h"
#include "storage/log_scanner.h"
#include "storage/log_segments.h"
#include "storage/slice.h"
#include "storage/table.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerEntry = 100;

std::string log_directory_of(const EngineOptions& options) { return options.directory + "/log"; }
std::string table_directory_of(const EngineOptions& options) {
  return options.directory + "/tables";
}

// A directory that is not there holds nothing.
Task<Result<std::vector<std::string>>> names_in(Host& host, std::string directory) {
  Result<std::vector<std::string>> names = co_await host.disk().list(directory);
  if (!names.ok() && names.code() == Code::kNotFound) co_return std::vector<std::string>();
  co_return names;
}

void add_group(const LogScanner& at, LogFileOnDisk& file, std::optional<LogGroupHeader>& before) {
  const LogGroupHeader& header = at.header();
  if (header.segment > file.segment) {  // what a segment before it has left
    file.segment = header.segment;
    file.groups = 0;
    file.gaps.clear();
    before.reset();
  }
  if (header.segment != file.segment) return;
  // A group is written when the one before it is durable, and says so; without syncs it does not.
  if (before && at.offset() != file.bytes && header.first > before->end() &&
      header.durable >= before->end() && header.life == before->life) {
    file.gaps.push_back({file.bytes, before->end(), header.first});
  }
  if (!before) file.first = header.first;
  ++file.groups;
  file.end = header.end();
  file.bytes = at.end_offset();
  file.sealed = header.kind == LogGroupKind::kSeal;
  before = header;
}

Task<Result<LogFileOnDisk>> describe_log_file(Host& host, std::string path) {
  Disk& disk = host.disk();
  LogFileOnDisk description;
  description.path = path;
  Result<FileId> file = co_await disk.open(path);
  if (!file.ok()) co_return file.error();
  Result<uint64_t> size = co_await disk.size(*file);
  if (!size.ok()) co_return size.error();
  description.file_bytes = *size;
  LogScanner scanner(host, *file, path, 0, *size);
  std::optional<LogGroupHeader> before;
  Result<bool> more = co_await scanner.next();
  for (; more.ok() && *more; more = co_await scanner.next())
    add_group(scanner, description, before);
  Result<void> closed = co_await disk.close(*file);
  if (!more.ok()) co_return more.error();
  if (!closed.ok()) co_return closed.error();
  co_return description;
}

// The archive first, then in the order of the segments.
Task<Result<std::vector<LogFileOnDisk>>> describe_log(Host& host, std::string directory) {
  std::vector<LogFileOnDisk> files;
  for (const bool archived : {true, false}) {
    const std::string where = archived ? archive_directory(directory) : directory;
    Result<std::vector<std::string>> names = co_await names_in(host, where);
    if (!names.ok()) co_return names.error();
    for (const std::string& name : *names) {
      if ((archived ? lsn_of_archive_file(name) : slot_of_log_file(name)) == 0) continue;
      Result<LogFileOnDisk> file = co_await describe_log_file(host, where + "/" + name);
      if (!file.ok()) co_return file.error();
      file->archived = archived;
      files.push_back(*std::move(file));
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
    if (a.archived != b.archived) return a.archived;
    return a.segment != b.segment ? a.segment < b.segment : a.path < b.path;
  });
  co_return files;
}

// Each once: a checkpoint pins tables that tablets may have, too.
std::vector<TableOnDisk> tables_named_by(const ManifestState& manifest) {
  std::vector<TableOnDisk> tables;
  std::set<uint64_t> seen;
  const auto add = [&](const std::vector<TabletState>& tablets, const std::string& checkpoint) {
    for (const TabletState& tablet : tablets) {
      for (const LeveledTable& held : tablet.tables) {
        if (!seen.insert(held.table.id).second) continue;
        tables.push_back({held.table, tablet.id, held.level, checkpoint, {}});
      }
    }
  };
  add(manifest.tablets, {});
  for (const CheckpointState& checkpoint : manifest.checkpoints)
    add(checkpoint.tablets, checkpoint.name);
  return tables;
}

// The key of a directory, or none.
class KeyRing {
 public:
  explicit KeyRing(const std::string& key) {
    if (!key.empty()) cipher_.emplace(key);
  }
  const Cipher* cipher() const { return cipher_ ? &*cipher_ : nullptr; }

 private:
  std::optional<Cipher> cipher_;
};

Task<Result<std::shared_ptr<Table>>> open_table(Host& host, EngineOptions options,
                                                TableDescription description,
                                                const Cipher* cipher) {
  co_return co_await Table::open(host, table_directory_of(options), std::move(description),
                                 {.cipher = cipher}, nullptr);
}

Task<Result<void>> describe_table(Host& host, EngineOptions options, const Cipher* cipher,
                                  TableOnDisk& table) {
  Result<std::shared_ptr<Table>> opened =
      co_await open_table(host, options, table.description, cipher);
  if (opened.ok()) co_return co_await host.disk().close((*opened)->file());
  if (opened.code() == Code::kInvalid) co_return opened.error();  // it wants a key
  table.error = opened.error().message;
  co_return Result<void>();
}

// Reads a table through, and past what is bad as far as its cursor goes.
Task<Result<void>> check_table(Host& host, EngineOptions options, const Cipher* cipher,
                               TableOnDisk table, DirectoryVerdict& verdict) {
  if (!table.error.empty()) {
    verdict.problems.push_back(table.error);
    co_return Result<void>();
  }
  Result<std::shared_ptr<Table>> opened =
      co_await open_table(host, options, table.description, cipher);
  if (!opened.ok()) co_return opened.error();
  const auto problem = [&](const char* what) {
    verdict.problems.push_back((*opened)->path() + " at 0: " + what);
  };
  const TableDescription& said = table.description;
  TableCursor cursor(host, *opened, Caching::kBypass);
  Slice slice(host);
  std::string last_key;
  Lsn last_lsn = 0;
  uint64_t entries = 0, removes = 0;
  bool whole = true, ordered = true, within = true;
  Result<void> done = co_await cursor.seek("");
  for (std::string error; true;) {
    if (!done.ok()) {
      whole = false;
      // It is stuck where it fails the same way again.
      if (done.error().message == error) break;
      error = done.error().message;
      verdict.problems.push_back(error);
      done = co_await cursor.load();
      continue;
    }
    if (!cursor.valid()) break;
    const StoredEntry entry = cursor.entry();
    if (entries > 0 && !(entry.key > last_key || (entry.key == last_key && entry.lsn < last_lsn)))
      ordered = false;
    if (entry.lsn < said.first_lsn || entry.lsn > said.last_lsn || entry.key < said.smallest ||
        entry.key > said.largest)
      within = false;
    last_key = entry.key;
    last_lsn = entry.lsn;
    ++entries;
    if (entry.removed) ++removes;
    slice.charge(kUnitsPerEntry);
    if (slice.spent()) co_await slice.let_others_run();
    if (!cursor.step()) done = co_await cursor.load();
  }
  if (!ordered) problem("its keys are out of order");
  if (!within) problem("it holds keys or batches that its description leaves out");
  if (whole && (entries != said.entries || removes != said.removes))
    problem("it holds more or fewer entries than its description says");
  verdict.entries += entries;
  verdict.table_bytes += said.file_bytes;
  ++verdict.tables;
  co_return co_await host.disk().close((*opened)->file());
}

// Every live key by scan, in batches; the first of each also by itself.
Task<Result<void>> check_scan(Engine& engine, DirectoryVerdict& verdict) {
  const ScanLimits limits{.fill_cache = false};
  std::string begin;
  while (true) {
    Result<Rows> rows = co_await engine.scan(begin, "", limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    if (rows->empty()) co_return Result<void>();
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const std::string_view key = (*rows)[i].key;
      if (i == 0 ? key < begin : key <= (*rows)[i - 1].key)
        co_return Error{Code::kCorrupt, "a scan gives keys out of order"};
    }
    Result<std::optional<std::string>> alone =
        co_await engine.get(std::string(rows->front().key), View::kDurable);
    if (!alone.ok()) co_return alone.error();
    if (*alone != rows->front().value)
      co_return Error{Code::kCorrupt, "a scan and a read of one key do not agree"};
    verdict.keys += rows->size();
    begin = std::string(rows->back().key) + '\0';
  }
}

Task<Result<void>> check_engine(Host& host, EngineOptions options, DirectoryVerdict& verdict) {
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, options);
  if (!opened.ok()) co_return opened.error();
  Engine& engine = **opened;
  verdict.batches_replayed = engine.stats().recovered_batches;
  verdict.torn_tail = engine.stats().torn_tails_cut > 0;
  Result<ScrubReport> scrub = co_await engine.scrub();
  verdict.scrubbed = scrub.ok();
  if (!scrub.ok() && scrub.code() != Code::kInvalid) co_return scrub.error();
  if (scrub.ok()) {
    for (const Suspect& bad : scrub->bad) verdict.problems.push_back(bad.why);
  }
  for (const Suspect& bad : engine.suspects()) verdict.problems.push_back(bad.why);
  Result<void> scanned = co_await check_scan(engine, verdict);
  if (!scanned.ok()) verdict.problems.push_back(scanned.error().message);
  co_return co_await engine.close();
}

// One problem a place: who looks twice says it twice.
void keep_one_a_place(std::vector<std::string>& problems) {
  std::set<std::string> places;
  std::erase_if(problems, [&](const std::string& problem) {
    return !places.insert(problem.substr(0, problem.find(": "))).second;
  });
}

}  // namespace

EngineOptions options_to_read(std::string directory, std::string key) {
  constexpr uint64_t kPlenty = uint64_t{1} << 40;
  EngineOptions options;
  options.directory = std::move(directory);
  options.key = std::move(key);
  options.lost_log = LostLog::kReport;
  options.memtable_bytes_max = options.log_bytes_max = options.archive_bytes_max = kPlenty;
  options.tables_max = options.tables_stop = options.level_bytes = kPlenty;
  options.reserve_bytes = 1;
  options.hold_removes = true;
  options.expired_after = Duration{100} * 365 * 24 * 3'600 * kSecond;
  options.seal_after = 24 * 3'600 * kSecond;
  options.one_tablet = false;
  options.abort_when_poisoned = false;
  return options;
}

Task<Result<DirectoryContents>> read_contents(Host& host, EngineOptions options) {
  DirectoryContents contents;
  Result<ManifestState> manifest = co_await Manifest::read(host, options.directory);
  if (!manifest.ok() && manifest.code() != Code::kCorrupt) co_return manifest.error();
  if (!manifest.ok()) {
    contents.manifest_error = manifest.error().message;
  } else {
    contents.tables = tables_named_by(*manifest);
    contents.manifest = *std::move(manifest);
  }
  const KeyRing key(options.key);
  for (TableOnDisk& table : contents.tables) {
    Result<void> done = co_await describe_table(host, options, key.cipher(), table);
    if (!done.ok()) co_return done.error();
  }
  const std::string directory = table_directory_of(options);
  Result<std::vector<std::string>> names = co_await names_in(host, directory);
  if (!names.ok()) co_return names.error();
  for (const std::string& name : *names) {
    const uint64_t id = std::strtoull(name.c_str(), nullptr, 10);
    const std::string path = directory + "/" + name;
    if (id == 0 || table_file_name(directory, id) != path) continue;  // not ours
    if (!contents.manifest || !contents.manifest->names_table(id)) contents.unnamed.push_back(path);
  }
  Result<std::vector<LogFileOnDisk>> log = co_await describe_log(host, log_directory_of(options));
  if (!log.ok()) co_return log.error();
  contents.log = *std::move(log);
  co_return contents;
}

Task<Result<DirectoryVerdict>> verify_directory(Host& host, EngineOptions options) {
  DirectoryVerdict verdict;
  Result<DirectoryContents> contents = co_await read_contents(host, options);
  if (!contents.ok()) co_return contents.error();
  if (!contents->manifest) verdict.problems.push_back(contents->manifest_error);
  const KeyRing key(options.key);
  for (const TableOnDisk& table : contents->tables) {
    Result<void> done = co_await check_table(host, options, key.cipher(), table, verdict);
    if (!done.ok()) co_return done.error();
  }
  for (const LogFileOnDisk& file : contents->log) {
    ++verdict.log_files;
    verdict.log_groups += file.groups;
    for (const LogGap& gap : file.gaps) {
      verdict.problems.push_back(file.path + " at " + std::to_string(gap.offset) +
                                 ": a damaged group; batches " + std::to_string(gap.first) +
                                 " to " + std::to_string(gap.end - 1) + " were durable there");
    }
  }
  Result<void> opened = co_await check_engine(host, options, verdict);
  if (!opened.ok() && opened.code() == Code::kInvalid) co_return opened.error();
  if (!opened.ok()) verdict.problems.push_back(opened.error().message);
  keep_one_a_place(verdict.problems);
  co_return verdict;
}

}  // namespace ringside
