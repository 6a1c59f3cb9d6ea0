#include "cli/engine_report.h"

#include <algorithm>

#include "cli/cells.h"
#include "cli/escape.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;
using lab::format;

constexpr std::size_t kKeyColumns = 32;

std::string bytes_text(uint64_t bytes) {
  if (bytes < 10'000) return concat(bytes, " B");
  if (bytes < (10u << 20)) return concat(bytes >> 10, " KiB");
  return concat(bytes >> 20, " MiB");
}

std::string counted(uint64_t number, const char* one, const char* many) {
  return concat(number, " ", number == 1 ? one : many);
}

// [first, end) as people count.
std::string batches_text(Lsn first, Lsn end) {
  return end <= first ? "none" : end == first + 1 ? concat(first) : concat(first, "..", end - 1);
}

std::string key_text(std::string_view key) { return fit(on_one_line(key), kKeyColumns); }

std::string range_text(const KeyRange& range) {
  if (range.begin.empty() && range.end.empty()) return "every key";
  const std::string begin = range.begin.empty() ? "" : concat("from ", key_text(range.begin));
  const std::string end = range.end.empty() ? "" : concat("below ", key_text(range.end));
  return concat(begin, begin.empty() || end.empty() ? "" : " ", end);
}

// Rows in columns; the first row is the head.
std::string in_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) append(line, " ", pad(row[i], widths[i]), " ");
    append(text, line.substr(0, line.find_last_not_of(' ') + 1), "\n");
  }
  return text;
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string table_rows(const EngineDirectory& directory, const std::vector<TableOnDisk>& tables) {
  if (tables.empty()) return {};
  std::vector<std::vector<std::string>> rows = {
      {"table", "tablet", "level", "entries", "bytes", "batches", "keys"}};
  for (const TableOnDisk& table : tables) {
    const TableDescription& said = table.description;
    rows.push_back({format("%06llu", static_cast<unsigned long long>(said.id)),
                    concat(table.tablet), concat(table.level), concat(said.entries),
                    bytes_text(said.file_bytes), batches_text(said.first_lsn, said.last_lsn + 1),
                    concat(key_text(said.smallest), " to ", key_text(said.largest)),
                    table.checkpoint.empty() ? "" : concat("of checkpoint ", table.checkpoint),
                    directory.shown(table.error)});
  }
  return in_columns(rows);
}

std::string log_rows(const std::vector<LogFileOnDisk>& log) {
  if (log.empty()) return {};
  std::vector<std::vector<std::string>> rows = {
      {"file", "segment", "groups", "bytes", "batches", "state"}};
  for (const LogFileOnDisk& file : log) {
    std::string state = file.segment == 0 ? "empty"
                        : file.sealed     ? "sealed"
                                          : "ends without a seal";
    for (const LogGap& gap : file.gaps) append(state, "; damaged at ", gap.offset);
    rows.push_back({file_name(file.path), concat(file.segment), concat(file.groups),
                    bytes_text(file.bytes), batches_text(file.first, file.end), state});
  }
  return in_columns(rows);
}

std::string recovery_text(const Inspection& inspection) {
  const EngineStats& stats = inspection.stats;
  return concat(counted(stats.recovered_batches, "batch", "batches"), " from the log, the last is ",
                inspection.last, stats.torn_tails_cut > 0 ? "; a torn tail is cut" : "",
                stats.lost_batches > 0
                    ? concat("; ", counted(stats.lost_batches, "batch is", "batches are"), " lost")
                    : "");
}

void table_as_json(const EngineDirectory& directory, const TableOnDisk& table, Json& json) {
  const TableDescription& said = table.description;
  json.begin_object().field("id", said.id).field("tablet", table.tablet);
  json.field("level", table.level).field("entries", said.entries);
  json.field("bytes", said.file_bytes).field("first_batch", said.first_lsn);
  json.field("last_batch", said.last_lsn);
  add_bytes(json, "smallest", said.smallest);
  add_bytes(json, "largest", said.largest);
  if (!table.checkpoint.empty()) json.field("checkpoint", table.checkpoint);
  if (!table.error.empty()) json.field("error", directory.shown(table.error));
  json.end_object();
}

void log_file_as_json(const EngineDirectory& directory, const LogFileOnDisk& file, Json& json) {
  json.begin_object().field("file", directory.shown(file.path)).field("segment", file.segment);
  json.field("groups", file.groups).field("bytes", file.bytes).field("file_bytes", file.file_bytes);
  json.field("first_batch", file.first).field("end_batch", file.end);
  json.field("sealed", file.sealed).field("archived", file.archived);
  json.key("damaged_at").begin_array();
  for (const LogGap& gap : file.gaps) json.number(gap.offset);
  json.end_array().end_object();
}

void range_as_json(const KeyRange& range, Json& json) {
  add_bytes(json, "begin", range.begin);
  add_bytes(json, "end", range.end);
}

void recovery_as_json(const EngineDirectory& directory, const Inspection& inspection, Json& json) {
  const EngineStats& stats = inspection.stats;
  json.key("recovery").begin_object().field("opens", inspection.refused.empty());
  if (!inspection.refused.empty()) {
    json.field("refused", directory.shown(inspection.refused)).end_object();
    return;
  }
  json.field("batches_replayed", stats.recovered_batches).field("last_batch", inspection.last);
  json.field("torn_tail", stats.torn_tails_cut > 0).field("batches_lost", stats.lost_batches);
  json.field("memtable_bytes", stats.memtable_bytes).field("table_bytes", stats.table_bytes);
  json.key("tablets").begin_array();
  for (const TabletInfo& tablet : inspection.tablets) {
    json.begin_object().field("id", tablet.id);
    range_as_json(tablet.range, json);
    json.field("tables", tablet.tables).field("table_bytes", tablet.table_bytes);
    json.field("memory_bytes", tablet.memory_bytes).field("keys", tablet.keys).end_object();
  }
  json.end_array().key("checkpoints").begin_array();
  for (const std::string& name : inspection.checkpoints) json.text(name);
  json.end_array().key("suspects").begin_array();
  for (const Suspect& suspect : inspection.suspects) {
    json.begin_object();
    range_as_json(suspect.range, json);
    json.field("why", directory.shown(suspect.why)).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string describe_inspection(const EngineDirectory& directory, const Inspection& inspection) {
  const DirectoryContents& contents = inspection.contents;
  std::string text = directory.files();
  if (!directory.owner().empty()) append(text, "  (", directory.owner(), ")");
  text += "\n";
  if (contents.manifest) {
    append(text, "manifest  record ", contents.manifest->sequence,
           "; tables hold the batches up to ", contents.manifest->flushed, "\n");
  } else {
    append(text, "manifest  ", directory.shown(contents.manifest_error), "\n");
  }
  append(text, "tables    ", contents.tables.size(), "\n", table_rows(directory, contents.tables));
  for (const std::string& path : contents.unnamed)
    append(text, "  ", file_name(path), "  left over: the manifest does not name it\n");
  append(text, "log       ", counted(contents.log.size(), "file", "files"), "\n",
         log_rows(contents.log));
  if (!inspection.refused.empty()) {
    append(text, "recovery  refused: ", directory.shown(inspection.refused), "\n");
    return text;
  }
  append(text, "recovery  ", recovery_text(inspection), "\n");
  for (const TabletInfo& tablet : inspection.tablets) {
    append(text, "tablet    ", tablet.id, ": ", range_text(tablet.range), ", ",
           counted(tablet.tables, "table", "tables"), ", ", bytes_text(tablet.table_bytes), " and ",
           bytes_text(tablet.memory_bytes), " in memory, about ",
           counted(tablet.keys, "key", "keys"), "\n");
  }
  for (const std::string& name : inspection.checkpoints)
    append(text, "checkpoint ", on_one_line(name), "\n");
  for (const Suspect& suspect : inspection.suspects)
    append(text, "suspect   ", range_text(suspect.range), ": ", directory.shown(suspect.why), "\n");
  return text;
}

std::string inspection_as_json(const EngineDirectory& directory, const Inspection& inspection) {
  const DirectoryContents& contents = inspection.contents;
  Json json;
  json.begin_object().field("directory", directory.files()).field("owner", directory.owner());
  json.key("manifest").begin_object();
  if (contents.manifest) {
    json.field("sequence", contents.manifest->sequence);
    json.field("flushed", contents.manifest->flushed);
  } else {
    json.field("error", directory.shown(contents.manifest_error));
  }
  json.end_object().key("tables").begin_array();
  for (const TableOnDisk& table : contents.tables) table_as_json(directory, table, json);
  json.end_array().key("unnamed_tables").begin_array();
  for (const std::string& path : contents.unnamed) json.text(directory.shown(path));
  json.end_array().key("log").begin_array();
  for (const LogFileOnDisk& file : contents.log) log_file_as_json(directory, file, json);
  json.end_array();
  recovery_as_json(directory, inspection, json);
  return json.end_object().str() + "\n";
}

std::string describe_verdict(const EngineDirectory& directory, const DirectoryVerdict& verdict) {
  std::string text;
  for (const std::string& problem : verdict.problems) append(text, directory.shown(problem), "\n");
  append(
      text,
      verdict.problems.empty() ? "clean" : counted(verdict.problems.size(), "problem", "problems"),
      ": read ", counted(verdict.tables, "table", "tables"), " with ",
      counted(verdict.entries, "entry", "entries"), " in ", bytes_text(verdict.table_bytes), ", ",
      counted(verdict.log_groups, "group", "groups"), " of ",
      counted(verdict.log_files, "log file", "log files"), " and ",
      counted(verdict.keys, "live key", "live keys"), "; recovery replays ",
      counted(verdict.batches_replayed, "batch", "batches"),
      verdict.torn_tail ? " and cuts a torn tail" : "", "\n");
  return text;
}

std::string verdict_as_json(const EngineDirectory& directory, const DirectoryVerdict& verdict) {
  Json json;
  json.begin_object().field("directory", directory.files());
  json.field("clean", verdict.problems.empty()).key("problems").begin_array();
  for (const std::string& problem : verdict.problems) json.text(directory.shown(problem));
  json.end_array().field("tables", verdict.tables).field("entries", verdict.entries);
  json.field("table_bytes", verdict.table_bytes).field("log_files", verdict.log_files);
  json.field("log_groups", verdict.log_groups).field("keys", verdict.keys);
  json.field("batches_replayed", verdict.batches_replayed);
  json.field("torn_tail", verdict.torn_tail).field("scrubbed", verdict.scrubbed);
  return json.end_object().str() + "\n";
}

}  // namespace ringside::cli
