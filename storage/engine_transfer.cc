// Ranges on their way between engines (storage/range_stream.h). An export is a scan in pages under
// one snapshot; an import writes tables that are nobody's until its last edit makes a tablet of
// them.

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/range_stream.h"

namespace ringside {

class EngineExport final : public RangeExport {
 public:
  EngineExport(EngineImpl& engine, KeyRange range, std::string checkpoint)
      : engine_(engine),
        range_(range),
        left_(std::move(range)),
        checkpoint_(std::move(checkpoint)),
        snapshot_(engine.snapshot()),
        writer_(range_) {}

  Task<Result<std::optional<std::string>>> next() override {
    if (ended_) co_return std::optional<std::string>();
    while (!writer_.full()) {
      const ScanLimits limits{
          .rows_max = 4'096, .bytes_max = kRangeChunkBytes, .fill_cache = false};
      Result<Rows> rows = checkpoint_.empty()
                              ? co_await engine_.scan_rows(left_, limits, snapshot_.lsn())
                              : co_await engine_.scan_checkpoint_rows(checkpoint_, left_, limits);
      if (!rows.ok()) co_return rows.error();
      uint64_t bytes = 0;
      for (const StoredEntry& row : *rows) {
        writer_.add({row.key, row.value, row.expires});
        bytes += row.key.size() + row.value.size();
      }
      ended_ = rows->size() < limits.rows_max && bytes < limits.bytes_max;
      if (!ended_) {
        left_.begin = std::string(rows->back().key) + '\0';
        ended_ = left_.empty();
      }
      if (ended_) break;
    }
    co_return std::optional(writer_.take(ended_));
  }

 private:
  EngineImpl& engine_;
  KeyRange range_;
  KeyRange left_;
  std::string checkpoint_;
  Snapshot snapshot_;
  RangeChunkWriter writer_;
  bool ended_ = false;
};

class EngineImport final : public RangeImport {
 public:
  EngineImport(EngineImpl& engine, KeyRange range)
      : engine_(engine), range_(range), reader_(std::move(range)) {}

  // Tables of an import that was given up are removed by the next sweep.
  ~EngineImport() override {
    for (std::shared_ptr<Table>& table : tables_) engine_.retired_.push_back(std::move(table));
  }

  Task<Result<void>> add(std::string chunk) override {
    Result<void> done = reader_.open(std::move(chunk));
    if (!done.ok()) co_return done;
    Slice slice(engine_.host_);
    RangeEntry entry;
    while (done.ok() && reader_.next(entry)) {
      if (writer_ && writer_->bytes() >= engine_.options_.table_bytes_max) {
        done = co_await finish_table();
        if (!done.ok()) break;
      }
      if (!writer_) {
        writer_.emplace(engine_.host_, engine_.table_directory_, engine_.next_table_++,
                        engine_.table_options(), /*first_lsn=*/0);
        done = co_await writer_->open();
        if (!done.ok()) break;
      }
      writer_->add({.key = entry.key, .value = entry.value, .expires = entry.expires});
      slice.charge(kUnitsPerEntry);
      if (writer_->wants_write()) done = co_await writer_->write();
      if (slice.spent()) co_await slice.let_others_run();
    }
    co_return done;
  }

  Task<Result<void>> finish() override {
    Result<void> done = reader_.finish();
    if (done.ok() && writer_) done = co_await finish_table();
    if (done.ok()) {
      std::vector<EngineImpl::NewTablet> whole;
      whole.push_back({range_, tables_});
      done = co_await engine_.add_tablets(std::move(whole));
    }
    if (done.ok()) tables_.clear();
    co_return done;
  }

 private:
  static constexpr uint64_t kUnitsPerEntry = 120;

  Task<Result<void>> finish_table() {
    Result<std::shared_ptr<Table>> table = co_await engine_.finish_table(*writer_, 0);
    if (!table.ok()) co_return table.error();
    tables_.push_back(*std::move(table));
    writer_.reset();
    co_return Result<void>();
  }

  EngineImpl& engine_;
  KeyRange range_;
  RangeChunkReader reader_;
  std::optional<TableWriter> writer_;
  std::vector<std::shared_ptr<Table>> tables_;
};

Task<Result<std::unique_ptr<RangeExport>>> EngineImpl::export_range(KeyRange range,
                                                                    std::string checkpoint) {
  if (!checkpoint.empty() && !checkpoints_.contains(checkpoint)) {
    co_return Error{Code::kNotFound, "there is no checkpoint " + checkpoint};
  }
  if (range.empty()) co_return Error{Code::kInvalid, "an export of no keys"};
  co_return std::unique_ptr<RangeExport>(
      std::make_unique<EngineExport>(*this, std::move(range), std::move(checkpoint)));
}

Task<Result<std::unique_ptr<RangeImport>>> EngineImpl::import_range(KeyRange range) {
  if (range.empty()) co_return Error{Code::kInvalid, "an import of no keys"};
  if (overlaps_tablet(range)) {
    co_return Error{Code::kExists, "a tablet of this engine overlaps the range"};
  }
  co_return std::unique_ptr<RangeImport>(std::make_unique<EngineImport>(*this, std::move(range)));
}

}  // namespace ringside
