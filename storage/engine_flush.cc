// Work beside the requests: memtables become tables, tables become one, log segments are given
// back. Everything yields in slices and may be cut off anywhere: until the manifest names a table,
// it is not there.

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/slice.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerEntry = 120;  // about what copying, hashing and comparing an entry take

}  // namespace

void EngineImpl::start_background() {
  if (durable_.poisoned() || closed_) return;
  if (!flushing_ && !immutables_.empty()) {
    flushing_ = true;
    scope_.spawn(flush_loop());
  }
  if (!merging_ && (tables_->size() > options_.tables_max || !retired_.empty())) {
    merging_ = true;
    scope_.spawn(merge_loop());
  }
}

// A full disk may have room again; anything else is beyond repair in this process.
void EngineImpl::on_background_error(const Error& error) {
  if (error.code == Code::kNoSpace) {
    host_.trace().probe("engine.flush_without_space");
    say_no_space();
  } else {
    durable_.poison(error);
  }
}

Task<void> EngineImpl::flush_loop() {
  while (!immutables_.empty() && !durable_.poisoned()) {
    background_ = co_await flush_oldest();
    if (!background_.ok()) on_background_error(background_.error());
    changed_.pulse();
    if (!background_.ok()) co_await host_.clock().sleep(kRetryAfter);
  }
  flushing_ = false;
}

Task<Result<void>> EngineImpl::flush_oldest() {
  const std::shared_ptr<Memtable> memtable = immutables_.front();
  const Lsn last = memtable->last();
  Result<void> done = co_await durable_.wait(last);  // a table must not run ahead of the log
  if (!done.ok()) co_return done;

  TableWriter writer(host_, table_directory_, next_table_++, {}, manifest_->state().flushed + 1);
  done = co_await writer.open();
  Slice slice(host_);
  for (Memtable::Cursor at = memtable->begin(); done.ok() && at.valid(); at.next()) {
    const Memtable::Version& newest = at.newest();
    writer.add(
        {.key = at.key(), .value = newest.value(), .lsn = newest.lsn, .removed = newest.removed});
    slice.charge(kUnitsPerEntry);
    if (writer.wants_write()) done = co_await writer.write();
    if (slice.spent()) co_await slice.let_others_run();
  }
  Result<TableDescription> description =
      done.ok() ? co_await writer.finish() : Result<TableDescription>(done.error());
  if (!description.ok()) {
    co_await writer.discard();
    co_return description.error();
  }
  done = co_await adopt({.flushed = last, .added = {*description}}, {});
  if (!done.ok()) co_return done;
  CHECK(immutables_.front() == memtable);
  immutables_.pop_front();
  ++stats_.flushes;
  log_->recycle(last);
  start_background();
  co_return done;
}

// Makes an edit durable and then visible. An edit's `flushed` of 0 means: as it is.
Task<Result<void>> EngineImpl::adopt(ManifestEdit edit, TableSet replaced) {
  TableSet opened;
  for (const TableDescription& description : edit.added) {
    Result<std::shared_ptr<Table>> table =
        co_await Table::open(host_, table_directory_, description, {}, &cache_);
    if (!table.ok()) co_return table.error();
    opened.push_back(*std::move(table));
  }
  Permit permit = co_await manifest_lock_.acquire();
  edit.flushed = std::max(edit.flushed, manifest_->state().flushed);
  edit.next_table = next_table_;
  Result<void> done = co_await manifest_->apply(std::move(edit));
  if (!done.ok()) {
    for (const std::shared_ptr<Table>& table : opened) {
      Result<void> closed = co_await host_.disk().close(table->file());
      if (!closed.ok()) co_return closed;
    }
    co_return done;
  }
  log_->set_manifest_sequence(manifest_->state().sequence);
  auto tables = std::make_shared<TableSet>();
  for (const std::shared_ptr<Table>& table : *tables_) {
    if (std::find(replaced.begin(), replaced.end(), table) == replaced.end())
      tables->push_back(table);
  }
  tables->insert(tables->end(), opened.begin(), opened.end());
  std::sort(tables->begin(), tables->end(), [](const auto& a, const auto& b) {
    return a->description().last_lsn > b->description().last_lsn;
  });
  tables_ = std::move(tables);
  retired_.insert(retired_.end(), replaced.begin(), replaced.end());
  co_return done;
}

Task<void> EngineImpl::merge_loop() {
  while (tables_->size() > options_.tables_max && !durable_.poisoned()) {
    host_.trace().probe("merge.started");
    Result<void> done = co_await merge_all();
    changed_.pulse();
    if (done.ok()) continue;
    // A bad block fails the reads that need it; the tables stay as they are, and the next flush
    // tries again.
    if (done.code() == Code::kCorrupt) {
      host_.trace().probe("merge.met_bad_block");
    } else {
      on_background_error(done.error());
    }
    break;
  }
  co_await sweep_retired();
  merging_ = false;
}

// All tables of this moment become one. Those that a flush adds meanwhile are newer, and nothing
// older than these is left, so what is removed here is gone for good.
Task<Result<void>> EngineImpl::merge_all() {
  const TableSet inputs = *tables_;
  ManifestEdit edit;
  Lsn first_lsn = std::numeric_limits<Lsn>::max();
  std::deque<TableCursor> cursors;  // newest first
  for (const std::shared_ptr<Table>& table : inputs) {
    edit.removed.push_back(table->description().id);
    first_lsn = std::min(first_lsn, table->description().first_lsn);
    Result<void> done = co_await cursors.emplace_back(host_, table, Caching::kBypass).seek("");
    if (!done.ok()) co_return done;
  }
  TableWriter writer(host_, table_directory_, next_table_++, {}, first_lsn);
  Result<void> done = co_await writer.open();
  Slice slice(host_);
  std::string key;
  while (done.ok()) {
    const TableCursor* newest = nullptr;
    for (const TableCursor& cursor : cursors) {
      if (cursor.valid() && (newest == nullptr || cursor.key() < newest->key())) newest = &cursor;
    }
    if (newest == nullptr) break;
    key = newest->key();
    if (!newest->entry().removed) writer.add(newest->entry());
    for (TableCursor& cursor : cursors) {
      if (!cursor.valid() || cursor.key() != key) continue;
      slice.charge(kUnitsPerEntry);
      if (!cursor.step() && done.ok()) done = co_await cursor.load();
    }
    if (done.ok() && writer.wants_write()) done = co_await writer.write();
    if (slice.spent()) co_await slice.let_others_run();
  }
  if (done.ok() && writer.entries() > 0) {
    Result<TableDescription> description = co_await writer.finish();
    if (description.ok()) {
      edit.added.push_back(*description);
    } else {
      done = description.error();
    }
  }
  if (edit.added.empty()) co_await writer.discard();
  if (!done.ok()) co_return done;
  done = co_await adopt(std::move(edit), inputs);
  if (done.ok()) ++stats_.merges;
  co_return done;
}

// Files that nobody reads any more. A reader that is not done yet leaves its table to the next
// sweep or the next start.
Task<void> EngineImpl::sweep_retired() {
  for (std::size_t i = 0; i < retired_.size();) {
    if (retired_[i].use_count() > 1) {
      ++i;
      continue;
    }
    const std::shared_ptr<Table> table = std::move(retired_[i]);
    retired_.erase(retired_.begin() + static_cast<std::ptrdiff_t>(i));
    Result<void> done = co_await host_.disk().close(table->file());
    if (done.ok()) done = co_await host_.disk().remove(table->path());
    if (!done.ok()) host_.trace().probe("merge.table_not_removed");
  }
}

Task<Result<void>> EngineImpl::flush() {
  if (durable_.poisoned()) co_return durable_.error();
  while (!active_->empty() && immutables_.size() >= kImmutablesMax) {
    co_await changed_.wait();
    if (durable_.poisoned()) co_return durable_.error();
    if (!background_.ok()) co_return background_.error();
  }
  if (!active_->empty()) rotate();
  if (immutables_.empty()) co_return Result<void>();
  const Lsn target = immutables_.back()->last();
  while (manifest_->state().flushed < target) {
    co_await changed_.wait();
    if (durable_.poisoned()) co_return durable_.error();
    if (!background_.ok()) co_return background_.error();
  }
  co_return Result<void>();
}

}  // namespace ringside
