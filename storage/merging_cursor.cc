#include "storage/merging_cursor.h"

#include <utility>

namespace ringside {

void MergingCursor::add(TableSet run) {
  if (!run.empty()) runs_.emplace_back().tables = std::move(run);
}

void MergingCursor::add(const Version& version, std::string_view begin, std::string_view end) {
  for (std::size_t level = 0; level < version.levels.size(); ++level) {
    TableSet run;
    for (const std::shared_ptr<Table>& table : version.levels[level]) {
      if (table->description().largest < begin || !before_end(table->description().smallest, end)) {
        continue;
      }
      run.push_back(table);
      if (level == 0) add(std::exchange(run, {}));
    }
    add(std::move(run));
  }
}

void MergingCursor::look(Run& run) {
  run.valid = run.cursor.has_value() && run.cursor->valid();
  if (run.valid) run.entry = run.cursor->entry();
}

// On to the first entry at or after `begin` in the run's next tables.
Task<Result<void>> MergingCursor::open_next(Run& run, std::string begin) {
  run.valid = false;
  while (run.next < run.tables.size()) {
    const std::shared_ptr<Table>& table = run.tables[run.next++];
    if (table->description().largest < begin) continue;
    run.cursor.emplace(host_, table, caching_);
    Result<void> done = co_await run.cursor->seek(begin);
    if (!done.ok()) co_return done;
    look(run);
    if (run.valid) break;
  }
  co_return Result<void>();
}

Task<Result<void>> MergingCursor::seek(std::string begin) {
  for (Run& run : runs_) {
    run.next = 0;
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
  if (least_ != nullptr) entry_ = least_->entry;
}

// Most steps stay in one run: then one comparison with the second-least says so.
bool MergingCursor::step() {
  if (!least_->cursor->step()) return false;
  least_->entry = least_->cursor->entry();
  if (second_ == nullptr || before(*least_, *second_)) {
    entry_ = least_->entry;
  } else {
    find_least();
  }
  return true;
}

Task<Result<void>> MergingCursor::load() {
  Run& run = *least_;
  Result<void> done = co_await run.cursor->load();
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
