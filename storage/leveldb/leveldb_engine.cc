#include "storage/leveldb/leveldb_engine.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/engine_kinds.h"
#include "storage/format.h"

namespace ringside {
namespace {

using leveldb::Slice;
using leveldb::Status;

constexpr std::string_view kLsnKey("\0lsn", 4);
constexpr uint64_t kUnitsPerFileOperation = 1'000;

bool removes_range(std::string_view batch) {
  BatchReader reader(batch);
  for (BatchOperation operation; reader.next(operation);) {
    if (operation.range) return true;
  }
  return false;
}

bool ends_with(const std::string& name, std::string_view end) {
  return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

EngineOptions fitting_leveldb(EngineOptions options) {
  options.group_bytes_max = std::max<uint64_t>(options.group_bytes_max, kPageBytes);
  options.pending_bytes_max = std::max(options.pending_bytes_max, 2 * options.group_bytes_max);
  return options;
}

}  // namespace

Task<Result<std::unique_ptr<Engine>>> open_leveldb(Host& host, EngineOptions options) {
  return open_leveldb(host, std::move(options), LevelDbRules());
}

Task<Result<std::unique_ptr<Engine>>> open_leveldb(Host& host, EngineOptions options,
                                                   LevelDbRules rules) {
  if (Result<void> plain = check_plain(options); !plain.ok()) co_return plain.error();
  auto engine = std::make_unique<LevelDbEngine>(host, std::move(options), rules);
  Result<void> recovered = co_await engine->recover();
  if (!recovered.ok()) co_return recovered.error();
  co_return std::unique_ptr<Engine>(std::move(engine));
}

LevelDbEngine::LevelDbEngine(Host& host, EngineOptions options, LevelDbRules rules)
    : Engine(host.ready()),
      host_(host),
      options_(fitting_leveldb(std::move(options))),
      rules_(rules),
      files_(options_.directory, rules.name_syncs),
      filter_(options_.filter_bits_per_key == 0
                  ? nullptr
                  : leveldb::NewBloomFilterPolicy(static_cast<int>(options_.filter_bits_per_key))),
      cache_(leveldb::NewLRUCache(options_.block_cache_bytes)),
      changed_(host.ready()),
      scope_(host.ready()) {}

LevelDbEngine::~LevelDbEngine() {
  scope_.cancel();
  release_snapshots();
}

void LevelDbEngine::release_snapshots() {
  if (at_durable_ != nullptr) db_->ReleaseSnapshot(std::exchange(at_durable_, nullptr));
  for (const auto& [lsn, snapshot] : kept_) db_->ReleaseSnapshot(snapshot);
  kept_.clear();
}

Result<void> LevelDbEngine::result_of(const Status& status) const {
  if (status.ok()) return {};
  const Code code = status.IsCorruption()        ? Code::kCorrupt
                    : status.IsNotFound()        ? Code::kNotFound
                    : status.IsInvalidArgument() ? Code::kInvalid
                                                 : Code::kIo;
  return Error{code, options_.directory + ": LevelDB: " + status.ToString()};
}

Task<Result<void>> LevelDbEngine::recover() {
  Result<void> done = co_await make_directories(host_, options_.directory);
  if (done.ok()) done = co_await load_files();
  if (done.ok()) done = result_of(in_leveldb([this] { return open_db(); }));
  if (!done.ok()) co_return done;
  std::string kept;
  const Status read = in_leveldb([&] {
    return db_->Get(leveldb::ReadOptions(), Slice(kLsnKey.data(), kLsnKey.size()), &kept);
  });
  std::string_view rest = kept;
  if (!read.IsNotFound()) {
    if (!read.ok()) co_return result_of(read);
    if (!take_fixed(rest, last_) || !rest.empty())
      co_return Error{Code::kCorrupt, options_.directory + ": the LSN that LevelDB kept is none"};
  }
  written_ = last_;
  done = co_await drain();
  if (!done.ok()) co_return done;
  durable_.advance(last_);
  scope_.spawn(watch_for_poison());
  co_return Result<void>();
}

Task<Result<void>> LevelDbEngine::load_files() {
  Disk& disk = host_.disk();
  Result<std::vector<std::string>> names = co_await disk.list(options_.directory);
  if (!names.ok()) co_return names.error();
  bool current = false;
  std::string data;  // a file that holds some
  for (const std::string& name : *names) {
    Result<FileId> file = co_await disk.open(options_.directory + "/" + name);
    if (!file.ok()) co_return file.error();
    Result<uint64_t> size = co_await disk.size(*file);
    if (!size.ok()) co_return size.error();
    Result<Buffer> bytes = co_await disk.read_at(*file, 0, *size);
    if (!bytes.ok()) co_return bytes.error();
    if (bytes->size() < *size)
      co_return Error{Code::kIo, options_.directory + "/" + name + ": a short read"};
    Result<void> closed = co_await disk.close(*file);
    if (!closed.ok()) co_return closed;
    current = current || name == "CURRENT";
    if (*size > 0 && (ends_with(name, ".log") || ends_with(name, ".ldb"))) data = name;
    files_.load(name, std::string(bytes->view()));
  }
  // LevelDB would begin anew and remove what it does not know.
  if (!current && !data.empty()) {
    co_return Error{Code::kCorrupt,
                    options_.directory + "/CURRENT: it is gone, and " + data + " is not"};
  }
  co_return Result<void>();
}

Status LevelDbEngine::open_db() {
  leveldb::Options options;  // its constructor makes the POSIX environment, which nobody uses
  options.create_if_missing = true;
  options.paranoid_checks = rules_.paranoid;
  options.env = &files_;
  options.info_log = &logger_;
  options.write_buffer_size = options_.memtable_bytes_max;
  options.max_file_size =
      options_.table_bytes_max == 0 ? options_.memtable_bytes_max : options_.table_bytes_max;
  options.block_size = options_.block_bytes;
  options.block_cache = cache_.get();
  options.compression = leveldb::kNoCompression;
  options.filter_policy = filter_.get();
  leveldb::DB* opened = nullptr;
  const Status status = leveldb::DB::Open(options, options_.directory, &opened);
  db_.reset(opened);
  return status;
}

Result<Lsn> LevelDbEngine::submit(const Batch& batch) {
  const std::string_view bytes = batch.encoded();
  if (durable_.poisoned()) return Error{Code::kClosed, "poisoned: " + durable_.error().text()};
  if (closed_) return Error{Code::kClosed, "the engine was closed"};
  if (batch.empty()) return Error{Code::kInvalid, "an empty batch"};
  if (bytes.size() > options_.group_bytes_max) {
    return Error{Code::kInvalid,
                 "a batch of more than " + std::to_string(options_.group_bytes_max) + " bytes"};
  }
  if (pending_bytes_ + bytes.size() > options_.pending_bytes_max) {
    ++stats_.overloaded;
    return Error{Code::kOverloaded, "too much waits for the log"};
  }
  const Lsn lsn = ++last_;
  overlay_.apply(bytes, lsn);
  pending_.push_back({lsn, std::string(bytes)});
  pending_bytes_ += bytes.size();
  ++stats_.batches;
  stats_.batch_bytes += bytes.size();
  start_loop();
  return lsn;
}

void LevelDbEngine::start_loop() {
  if (committing_ || durable_.poisoned()) return;
  committing_ = true;
  scope_.spawn(commit_loop());
}

Task<void> LevelDbEngine::commit_loop() {
  while (!pending_.empty() || files_.operations() > 0 || flushes_done_ < flushes_asked_) {
    const uint64_t flushes = flushes_asked_;
    Result<void> done = pending_.empty() ? Result<void>() : result_of(write_group());
    if (done.ok() && flushes_done_ < flushes) {
      // No batch: LevelDB makes a table of its memtable, in the background.
      done = result_of(in_leveldb([this] { return db_->Write({}, nullptr); }));
    }
    if (done.ok()) done = co_await drain();
    if (!done.ok()) {
      durable_.poison(done.error());
      break;
    }
    flushes_done_ = flushes;
    make_durable();
    changed_.pulse();
  }
  committing_ = false;
  changed_.pulse();
}

Status LevelDbEngine::write_group() {
  at_durable_ = db_->GetSnapshot();
  leveldb::WriteBatch group;
  Lsn last = written_;
  while (!pending_.empty()) {
    const std::string& batch = pending_.front().batch;
    // A remove of a range wants to see, in LevelDB, all that came before it; a Snapshot reads what
    // LevelDB held at the end of a group.
    if (group_bytes_ > 0 && (group_bytes_ + batch.size() > options_.group_bytes_max ||
                             removes_range(batch) || snapshots_.any_in(last, last + 1)))
      break;
    if (const Status added = add_to_group(group, batch); !added.ok()) return added;
    last = pending_.front().lsn;
    group_bytes_ += batch.size();
    pending_.pop_front();
  }
  std::string lsn;
  append_fixed(lsn, last);
  group.Put(Slice(kLsnKey.data(), kLsnKey.size()), lsn);
  leveldb::WriteOptions writing;
  writing.sync = options_.sync;
  ++stats_.groups;
  const Status status = in_leveldb([&] { return db_->Write(writing, &group); });
  if (!status.ok()) return status;
  written_ = last;
  overlay_.forget_through(last);
  return status;
}

Status LevelDbEngine::add_to_group(leveldb::WriteBatch& group, std::string_view batch) {
  BatchReader ranges(batch);
  for (BatchOperation operation; ranges.next(operation);) {
    if (!operation.range) continue;
    const Status listed = in_leveldb([&] {
      const std::unique_ptr<leveldb::Iterator> at(db_->NewIterator({}));
      at->Seek(kUserPrefix + std::string(operation.key));
      for (; at->Valid(); at->Next()) {
        const std::string_view key(at->key().data() + 1, at->key().size() - 1);
        if (!before_end(key, operation.value)) break;
        group.Delete(at->key());
      }
      return at->status();
    });
    if (!listed.ok()) return listed;
  }
  BatchReader reader(batch);
  std::string key, value;
  for (BatchOperation operation; reader.next(operation);) {
    if (operation.range) continue;
    key.assign(1, kUserPrefix).append(operation.key);
    if (operation.removed) {
      group.Delete(key);
    } else {
      value.clear();
      append_varint(value, static_cast<uint64_t>(operation.expires));
      value.append(operation.value);
      group.Put(key, value);
    }
  }
  CHECK(reader.ok());
  return {};
}

// The group is on the disk, with everything that LevelDB did in its wake.
void LevelDbEngine::make_durable() {
  const Lsn before = durable_.lsn();
  if (at_durable_ != nullptr) {
    kept_[before] = at_durable_;
    at_durable_ = nullptr;
  }
  for (auto kept = kept_.begin(); kept != kept_.end();) {
    if (snapshots_.any_in(kept->first, kept->first + 1)) {
      ++kept;
    } else {
      db_->ReleaseSnapshot(kept->second);
      kept = kept_.erase(kept);
    }
  }
  pending_bytes_ -= std::exchange(group_bytes_, 0);
  durable_.advance(written_);
}

Task<Result<void>> LevelDbEngine::drain() {
  while (std::optional<FileOperation> next = files_.take()) {
    host_.cpu().charge(kUnitsPerFileOperation + next->data.size());
    Result<void> done = co_await perform(*std::move(next));
    if (!done.ok()) co_return done;
  }
  co_return Result<void>();
}

Task<Result<void>> LevelDbEngine::perform(FileOperation operation) {
  using Kind = FileOperation::Kind;
  Disk& disk = host_.disk();
  switch (operation.kind) {
    case Kind::kCreate: {
      Result<FileId> file = co_await disk.open(operation.path, Disk::kCreate | Disk::kTruncate);
      if (!file.ok()) co_return file.error();
      CHECK(handles_.emplace(operation.path, *file).second);
      co_return Result<void>();
    }
    case Kind::kWrite:
      stats_.log_bytes += ends_with(operation.path, ".log") ? operation.data.size() : 0;
      co_return co_await disk.write_at(handles_.at(operation.path), operation.offset,
                                       Buffer::copy_of(operation.data));
    case Kind::kSync: ++stats_.syncs; co_return co_await disk.sync(handles_.at(operation.path));
    case Kind::kClose: {
      const FileId file = handles_.at(operation.path);
      handles_.erase(operation.path);
      co_return co_await disk.close(file);
    }
    case Kind::kRename: co_return co_await disk.rename(operation.path, operation.to);
    case Kind::kRemove: co_return co_await disk.remove(operation.path);
    case Kind::kSyncDirectory: break;
  }
  co_return co_await disk.sync_directory(operation.path);
}

Task<void> LevelDbEngine::watch_for_poison() {
  Result<void> never = co_await durable_.wait(std::numeric_limits<Lsn>::max());
  CHECK(!never.ok());
  host_.trace().probe("engine.poisoned");
  if (options_.abort_when_poisoned)
    host_.abort("the storage engine is poisoned: " + never.error().text());
}

Task<void> LevelDbEngine::room() {
  while (committing_ && pending_bytes_ > options_.pending_bytes_max / 2) co_await changed_.wait();
}

Task<Result<void>> LevelDbEngine::flush() {
  const uint64_t mine = ++flushes_asked_;
  start_loop();
  while (flushes_done_ < mine && !durable_.poisoned()) co_await changed_.wait();
  if (flushes_done_ >= mine) co_return Result<void>();
  co_return durable_.error();
}

Task<Result<void>> LevelDbEngine::close() {
  closed_ = true;
  while (committing_) co_await changed_.wait();
  if (durable_.poisoned()) co_return durable_.error();
  scope_.cancel();
  release_snapshots();
  db_.reset();
  co_return co_await drain();
}

}  // namespace ringside
