#include "cli/engine.h"

#include <signal.h>
#include <stdio.h>

#include <algorithm>

#include "cli/engine_directory.h"
#include "cli/engine_report.h"
#include "cli/escape.h"
#include "cli/report.h"
#include "node/inspect.h"
#include "protocols/keys.h"
#include "storage/inspect.h"

namespace ringside::cli {
namespace {

int complain(int code, const std::string& line) {
  fprintf(stderr, "ringside engine: %s\n", line.c_str());
  return code;
}

// kInvalid is the caller's mistake; anything else lies in the directory.
int complain(const EngineDirectory& directory, const Error& error) {
  return complain(error.code == Code::kInvalid ? kBadInput : kViolated,
                  directory.shown(error.message));
}

Task<Result<Inspection>> inspect(Host& host, EngineOptions options) {
  Inspection inspection;
  Result<DirectoryContents> contents = co_await read_contents(host, options);
  if (!contents.ok()) co_return contents.error();
  inspection.contents = *std::move(contents);
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, options);
  if (!opened.ok()) {
    if (opened.code() == Code::kInvalid) co_return opened.error();
    inspection.refused = opened.error().message;
    co_return inspection;
  }
  Engine& engine = **opened;
  inspection.stats = engine.stats();
  inspection.last = engine.last_durable();
  inspection.tablets = engine.tablets();
  inspection.suspects = engine.suspects();
  inspection.checkpoints = engine.checkpoints();
  Result<void> closed = co_await engine.close();
  if (!closed.ok()) co_return closed.error();
  co_return inspection;
}

// Prints what it reads as it goes; false once nobody reads it any more.
bool print_line(const std::string& line) { return printf("%s\n", line.c_str()) >= 0; }

Result<bool> print_row(const EngineArguments& arguments, const StoredEntry& row) {
  if (arguments.raw && !arguments.json)
    return print_line(on_one_line(row.key) + "\t" + on_one_line(row.value));
  Json json;
  json.begin_object();
  if (arguments.raw) {
    add_bytes(json, "key", row.key);
    add_bytes(json, "value", row.value);
    return print_line(json.end_object().str());
  }
  Result<StoredObject> object = stored_object(row);
  if (!object.ok()) {
    return Error{object.code(), "the value of row '" + on_one_line(row.key) +
                                    "' is no object of a node (--raw shows what there is)"};
  }
  const std::string& key = object->key;
  add_bytes(json, "key", key);
  std::erase_if(object->siblings, [](const StoredVersion& version) { return version.tombstone; });
  if (object->siblings.empty()) return true;  // deleted
  if (!arguments.json) {
    bool more = true;
    for (const StoredVersion& version : object->siblings)
      more = print_line(on_one_line(key) + "\t" + on_one_line(version.value)) && more;
    return more;
  }
  json.key("siblings").begin_array();
  for (const StoredVersion& version : object->siblings) {
    json.begin_object();
    add_bytes(json, "value", version.value);
    json.end_object();
  }
  return print_line(json.end_array().end_object().str());
}

Task<Result<void>> dump_keys(Engine& engine, EngineArguments arguments) {
  const std::string from = *from_one_line(arguments.from), to = *from_one_line(arguments.to);
  // Objects lie in the order of the ring, so that keys from one to another lie everywhere.
  std::string begin = arguments.raw ? from : std::string(1, kObjectRow);
  const std::string end = arguments.raw ? to : std::string(1, kObjectRow + 1);
  uint64_t left = arguments.limit == 0 ? ~uint64_t{0} : arguments.limit;
  while (left > 0 && before_end(begin, end)) {
    const ScanLimits limits{.fill_cache = false};
    Result<Rows> rows = co_await engine.scan(begin, end, limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    if (rows->empty()) break;
    begin = std::string(rows->back().key) + '\0';
    for (const StoredEntry& row : *rows) {
      uint64_t position = 0;
      std::string_view key;
      const bool asked = arguments.raw || !parse_object_row(row.key, position, key) ||
                         (key >= from && before_end(key, to));
      if (!asked) continue;
      if (left-- == 0) co_return Result<void>();
      const Result<bool> printed = print_row(arguments, row);
      if (!printed.ok()) co_return printed.error();
      if (!*printed) co_return Result<void>();
    }
  }
  co_return Result<void>();
}

const char* name_of(const BatchOperation& operation) {
  return operation.range ? "remove_range" : operation.removed ? "remove" : "put";
}

bool print_operation(const EngineArguments& arguments, Lsn lsn, const BatchOperation& operation) {
  if (!arguments.json) {
    std::string line =
        std::to_string(lsn) + "\t" + name_of(operation) + "\t" + on_one_line(operation.key);
    if (!operation.removed || operation.range) line += "\t" + on_one_line(operation.value);
    if (operation.expires != 0) line += "\texpires " + std::to_string(operation.expires);
    return print_line(line);
  }
  Json json;
  json.begin_object().field("batch", lsn).field("operation", name_of(operation));
  add_bytes(json, operation.range ? "begin" : "key", operation.key);
  if (operation.range) add_bytes(json, "end", operation.value);
  if (!operation.removed) add_bytes(json, "value", operation.value);
  if (operation.expires != 0) json.field("expires_ns", static_cast<uint64_t>(operation.expires));
  return print_line(json.end_object().str());
}

Task<Result<void>> dump_changes(Engine& engine, EngineArguments arguments) {
  uint64_t left = arguments.limit == 0 ? ~uint64_t{0} : arguments.limit;
  Lsn after = arguments.after;
  while (left > 0) {
    const ChangeLimits limits{.batches_max = std::min<uint64_t>(left, 1'000)};
    Result<std::vector<LoggedBatch>> batches = co_await engine.changes(after, limits);
    if (!batches.ok()) co_return batches.error();
    if (batches->empty()) break;
    after = batches->back().lsn;
    left -= batches->size();
    for (const LoggedBatch& logged : *batches) {
      BatchReader reader(logged.batch);
      for (BatchOperation operation; reader.next(operation);) {
        if (!print_operation(arguments, logged.lsn, operation)) co_return Result<void>();
      }
    }
  }
  co_return Result<void>();
}

Task<Result<void>> dump(Host& host, EngineOptions options, EngineArguments arguments) {
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, options);
  if (!opened.ok()) co_return opened.error();
  Result<void> done = co_await (arguments.changes ? dump_changes(**opened, arguments)
                                                  : dump_keys(**opened, arguments));
  Result<void> closed = co_await (*opened)->close();
  co_return done.ok() ? closed : done;
}

int run_inspect(EngineDirectory& directory, const EngineArguments& arguments) {
  const auto found = directory.run(inspect(directory.host(), directory.options()));
  if (!found) return complain(kViolated, directory.gave_up());
  if (!found->ok()) return complain(directory, found->error());
  const Inspection& inspection = **found;
  const std::string text = arguments.json ? inspection_as_json(directory, inspection)
                                          : describe_inspection(directory, inspection);
  fputs(text.c_str(), stdout);
  const bool good = inspection.refused.empty() && inspection.suspects.empty();
  return good ? kHolds : kViolated;
}

int run_verify(EngineDirectory& directory, const EngineArguments& arguments) {
  const auto found = directory.run(verify_directory(directory.host(), directory.options()));
  if (!found) return complain(kViolated, directory.gave_up());
  if (!found->ok()) return complain(directory, found->error());
  const DirectoryVerdict& verdict = **found;
  if (!verdict.scrubbed && verdict.problems.empty() && !arguments.json)
    fputs("this engine has no scrubber: its tables were read through instead\n", stderr);
  const std::string text =
      arguments.json ? verdict_as_json(directory, verdict) : describe_verdict(directory, verdict);
  fputs(text.c_str(), stdout);
  return verdict.problems.empty() ? kHolds : kViolated;
}

int run_dump(EngineDirectory& directory, const EngineArguments& arguments) {
  const auto done = directory.run(dump(directory.host(), directory.options(), arguments));
  if (!done) return complain(kViolated, directory.gave_up());
  return done->ok() ? kHolds : complain(directory, done->error());
}

}  // namespace

int run_engine(const EngineArguments& arguments) {
  if (!from_one_line(arguments.from) || !from_one_line(arguments.to))
    return complain(kBadInput, "--from and --to: a backslash is \\\\, any other byte \\xNN");
  Result<std::unique_ptr<EngineDirectory>> directory =
      EngineDirectory::open(arguments.directory, arguments.key_file);
  if (!directory.ok()) return complain(kBadInput, directory.error().message);
  signal(SIGPIPE, SIG_IGN);  // `… | head` wants no more
  switch (arguments.verb) {
    case EngineArguments::Verb::kInspect: return run_inspect(**directory, arguments);
    case EngineArguments::Verb::kVerify: return run_verify(**directory, arguments);
    case EngineArguments::Verb::kDump: return run_dump(**directory, arguments);
  }
  return kBadInput;
}

}  // namespace ringside::cli
