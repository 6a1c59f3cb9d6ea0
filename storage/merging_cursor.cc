#include "storage/merging_cursor.h"

#include <utility>

namespace ringside {

void MergingCursor::add(const std::shared_ptr<Table>* tables, std::size_t count, uint64_t wanted) {
  Run& run = runs_.emplace_back();
  run.next = tables;
  run.end = tables + count;
  run.wanted = wanted;
}

void MergingCursor::add(TableSet run) {
  if (run.empty()) return;
  const TableSet& kept = sets_.emplace_back(std::move(run));
  add(kept.data(), kept.size(), 0);
}

// Entries of any range lie in the levels, and in the tables of level 0, as all entries do.
void MergingCursor::add(const TabletVersion& version, std::string_view begin, std::string_view end,
                        uint64_t wanted) {
  uint64_t all = 1;
  for (std::size_t level = 0; level < version.levels.size(); ++level) all += version.entries(level);
  const auto share = [&](uint64_t entries) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(wanted) * entries / all);
  };
  runs_.reserve(runs_.size() + version.levels[0].size() + version.levels.size() - 1);
  for (const std::shared_ptr<Table>& table : version.levels[0]) {
    const TableDescription& about = table->description();
    if (about.largest >= begin && before_end(about.smallest, end))
      add(&table, 1, share(about.entries));
  }
  for (std::size_t level = 1; level < version.levels.size(); ++level) {
    const auto [first, count] = version.reaching(level, begin, end);
    if (count > 0) add(first, count, share(version.entries(level)));
  }
}

void MergingCursor::look(Run& run) {
  run.valid = run.cursor.has_value() && run.cursor->valid();
  if (run.valid) run.entry = run.cursor->entry();
}

Task<Result<void>> MergingCursor::open_next(Run& run, std::string begin) {
  run.valid = false;
  while (run.next != run.end) {
    const std::shared_ptr<Table>& table = *run.next++;
    const TableDescription& about = table->description();
    if (about.largest < begin) continue;
    const uint64_t window =
        about.entries == 0 ? 0 : run.wanted * (about.data_bytes / about.entries);
    run.cursor.emplace(host_, table, caching_, window);
    Result<void> done = co_await run.cursor->seek(begin);
    if (!done.ok()) co_return done;
    look(run);
    if (run.valid) break;
  }
  co_return Result<void>();
}

Task<Result<void>> MergingCursor::seek(std::string begin) {
  for (Run& run : runs_) {
    Result<void> done = co_await open_next(run, begin);
    if (!done.ok()) co_return done;
  }
  find_least();
  co_return Result<void>();
}

void MergingCursor::find_least() {
  least_ = second_ = nullptr;
  for (Run& run : runs_) {
    if (!run.valid) continue;
    if (least_ == nullptr || before(run, *least_)) {
      second_ = std::exchange(least_, &run);
    } else if (second_ == nullptr || before(run, *second_)) {
      second_ = &run;
    }
  }
}

// Most steps stay in one run: then one comparison with the second-least says so.
bool MergingCursor::step() {
  if (!least_->cursor->step()) return false;
  least_->entry = least_->cursor->entry();
  if (second_ != nullptr && !before(*least_, *second_)) find_least();
  return true;
}

MaybeTask<Result<void>> MergingCursor::load() {
  MaybeTask<Result<void>> loaded = least_->cursor->load();
  if (!loaded.await_ready()) return finish_load(std::move(loaded));
  Result<void> done = loaded.await_resume();
  if (!done.ok()) return done;
  look(*least_);
  if (!least_->valid) return finish_load(std::move(done));
  find_least();
  return done;
}

Task<Result<void>> MergingCursor::finish_load(MaybeTask<Result<void>> loaded) {
  Run& run = *least_;
  Result<void> done = co_await loaded;
  if (!done.ok()) co_return done;
  look(run);
  if (!run.valid) {
    done = co_await open_next(run, "");
    if (!done.ok()) co_return done;
  }
  find_least();
  co_return Result<void>();
}

}  // namespace ringside
