#include "storage/inspect.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "storage/entry.h"
#include "storage/log.h"
#include "storage/slice.h"
#include "storage/table.h"

namespace ringside {
namespace {

constexpr uint64_t kInspectReadBytes = 1u << 20;
constexpr uint64_t kUnitsPerEntry = 100;

std::string log_directory_of(const EngineOptions& options) { return options.directory + "/log"; }
std::string table_directory_of(const EngineOptions& options) {
  return options.directory + "/tables";
}

// The number that names a file of ours; 0: it is none. `path_of` gives the path of a number.
template <class PathOf>
uint64_t number_of_name(const std::string& directory, const std::string& name, PathOf path_of) {
  const uint64_t number = std::strtoull(name.c_str(), nullptr, 10);
  return number != 0 && path_of(number) == directory + "/" + name ? number : 0;
}

// A directory that is not there holds nothing.
Task<Result<std::vector<std::string>>> names_in(Host& host, std::string directory) {
  Result<std::vector<std::string>> names = co_await host.disk().list(directory);
  if (!names.ok() && names.code() == Code::kNotFound) co_return std::vector<std::string>();
  co_return names;
}

Task<Result<std::string>> read_log_file(Host& host, std::string path) {
  Disk& disk = host.disk();
  Result<FileId> file = co_await disk.open(path);
  if (!file.ok()) co_return file.error();
  Result<uint64_t> size = co_await disk.size(*file);
  std::string bytes;
  while (size.ok() && bytes.size() < *size) {
    Result<Buffer> part = co_await disk.read_at(*file, bytes.size(),
                                                std::min(kInspectReadBytes, *size - bytes.size()));
    if (!part.ok()) size = part.error();
    if (part.ok() && part->empty()) size = Error{Code::kIo, path + ": a read ended early"};
    if (part.ok()) bytes.append(part->view());
  }
  Result<void> closed = co_await disk.close(*file);
  if (!size.ok()) co_return size.error();
  if (!closed.ok()) co_return closed.error();
  co_return bytes;
}

struct GroupOnDisk {
  uint64_t offset;
  LogGroupHeader header;
};

// Every good group, whatever its segment; damage is stepped over page by page.
std::vector<GroupOnDisk> good_groups(std::string_view bytes) {
  std::vector<GroupOnDisk> groups;
  for (uint64_t offset = 0; offset < bytes.size();) {
    const std::optional<LogGroupHeader> header = parse_log_group(bytes.substr(offset));
    if (header) groups.push_back({offset, *header});
    offset += header ? header->bytes() : kPageBytes;
  }
  return groups;
}

void describe_segment(std::string_view bytes, LogFileOnDisk& file) {
  const std::vector<GroupOnDisk> groups = good_groups(bytes);
  for (const GroupOnDisk& group : groups)
    file.segment = std::max(file.segment, group.header.segment);
  const GroupOnDisk* before = nullptr;
  for (const GroupOnDisk& group : groups) {
    const LogGroupHeader& header = group.header;
    if (header.segment != file.segment) continue;
    const uint64_t expected = before == nullptr ? 0 : before->offset + before->header.bytes();
    const Lsn next = before == nullptr ? header.first : before->header.end();
    // A group is written when the one before it is durable, and says so; without syncs it does not.
    if (before != nullptr && group.offset != expected && header.first > next &&
        header.durable >= next && header.life == before->header.life) {
      file.gaps.push_back({expected, next, header.first});
    }
    if (before == nullptr) file.first = header.first;
    ++file.groups;
    file.end = header.end();
    file.bytes = group.offset + header.bytes();
    file.sealed = header.kind == LogGroupKind::kSeal;
    before = &group;
  }
}

Task<Result<std::vector<LogFileOnDisk>>> describe_log(Host& host, std::string directory) {
  Result<std::vector<std::string>> names = co_await names_in(host, directory);
  if (!names.ok()) co_return names.error();
  std::vector<LogFileOnDisk> files;
  for (const std::string& name : *names) {
    const uint64_t slot = number_of_name(directory, name, [&](uint64_t number) {
      return log_file_name(directory, static_cast<uint32_t>(number));
    });
    if (slot == 0) continue;
    LogFileOnDisk& file = files.emplace_back();
    file.path = directory + "/" + name;
    Result<std::string> bytes = co_await read_log_file(host, file.path);
    if (!bytes.ok()) co_return bytes.error();
    file.file_bytes = bytes->size();
    describe_segment(*bytes, file);
    co_await host.clock().sleep(0);
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) {
    return a.segment != b.segment ? a.segment < b.segment : a.path < b.path;
  });
  co_return files;
}

// The seam to the table's own types: what else here says of an entry comes from this.
StoredEntry entry_at(const TableCursor& cursor) {
  const BlockCursor& at = cursor.entry();
  return {.key = at.key(), .value = at.value(), .lsn = cursor.lsn(), .removed = at.removed()};
}

Task<Result<std::shared_ptr<Table>>> open_table(Host& host, EngineOptions options,
                                                TableDescription description) {
  co_return co_await Table::open(host, table_directory_of(options), std::move(description));
}

std::vector<TableOnDisk> tables_named_by(const ManifestState& manifest) {
  std::vector<TableOnDisk> tables;
  for (const TableDescription& description : manifest.tables)
    tables.push_back({.description = description, .smallest = {}, .largest = {}, .error = {}});
  return tables;
}

Task<Result<void>> describe_table(Host& host, EngineOptions options, TableOnDisk& table) {
  Result<std::shared_ptr<Table>> opened = co_await open_table(host, options, table.description);
  if (!opened.ok()) {
    if (opened.code() == Code::kInvalid) co_return opened.error();  // it wants another key
    table.error = opened.error().message;
    co_return Result<void>();
  }
  table.smallest = (*opened)->index().smallest;
  table.largest = (*opened)->index().largest;
  co_return co_await host.disk().close((*opened)->file());
}

// Reads a table through, and past what is bad as far as its cursor goes.
Task<Result<void>> check_table(Host& host, EngineOptions options, TableOnDisk table,
                               DirectoryVerdict& verdict) {
  if (!table.error.empty()) {
    verdict.problems.push_back(table.error);
    co_return Result<void>();
  }
  Result<std::shared_ptr<Table>> opened = co_await open_table(host, options, table.description);
  if (!opened.ok()) co_return opened.error();
  const auto problem = [&](const char* what) {
    verdict.problems.push_back((*opened)->path() + " at 0: " + what);
  };
  const TableDescription& said = table.description;
  TableCursor cursor(host, *opened);
  Slice slice(host);
  std::string last_key;
  Lsn last_lsn = 0;
  uint64_t entries = 0;
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
    const StoredEntry entry = entry_at(cursor);
    if (entries > 0 && !(entry.key > last_key || (entry.key == last_key && entry.lsn < last_lsn)))
      ordered = false;
    if (entry.lsn < said.first_lsn || entry.lsn > said.last_lsn || entry.key < table.smallest ||
        entry.key > table.largest)
      within = false;
    last_key = entry.key;
    last_lsn = entry.lsn;
    ++entries;
    slice.charge(kUnitsPerEntry);
    if (slice.spent()) co_await slice.let_others_run();
    if (!cursor.step()) done = co_await cursor.load();
  }
  if (!ordered) problem("its keys are out of order");
  if (!within) problem("it holds keys or batches that its description leaves out");
  if (whole && entries != said.entries)
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
    Result<std::vector<Entry>> rows = co_await engine.scan(begin, "", limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    if (rows->empty()) co_return Result<void>();
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const std::string& key = (*rows)[i].key;
      if (i == 0 ? key < begin : key <= (*rows)[i - 1].key)
        co_return Error{Code::kCorrupt, "a scan gives keys out of order"};
    }
    Result<std::optional<std::string>> alone =
        co_await engine.get(rows->front().key, View::kDurable);
    if (!alone.ok()) co_return alone.error();
    if (*alone != rows->front().value)
      co_return Error{Code::kCorrupt, "a scan and a read of one key do not agree"};
    verdict.keys += rows->size();
    begin = rows->back().key + '\0';
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
  std::set<uint64_t> named;
  for (TableOnDisk& table : contents.tables) {
    named.insert(table.description.id);
    Result<void> done = co_await describe_table(host, options, table);
    if (!done.ok()) co_return done.error();
  }
  const std::string directory = table_directory_of(options);
  Result<std::vector<std::string>> names = co_await names_in(host, directory);
  if (!names.ok()) co_return names.error();
  for (const std::string& name : *names) {
    const uint64_t id = number_of_name(
        directory, name, [&](uint64_t number) { return table_file_name(directory, number); });
    if (id != 0 && !named.contains(id)) contents.unnamed.push_back(directory + "/" + name);
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
  for (const TableOnDisk& table : contents->tables) {
    Result<void> done = co_await check_table(host, options, table, verdict);
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
