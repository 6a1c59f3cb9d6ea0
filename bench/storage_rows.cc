#include "bench/storage_rows.h"

#include <algorithm>
#include <cstring>

namespace ringside::bench {

namespace {

struct Quantity {
  const char* suffix;  // of the row's name
  const char* unit;
  double (*of)(const Measured&);
  bool more_is_better;
  double least;  // what less of cannot be told apart; a ratio divides by no less
};

// Rates first; what follows is better when it is less.
const Quantity kRate = {"", "operations/s", [](const Measured& m) { return m.rate(); }, true, 1};
const Quantity kPerCpu = {"/cpu", "operations/CPU second",
                          [](const Measured& m) { return m.operations / m.cpu_seconds; }, true, 1};
const Quantity kMax = {"/max", "us", [](const Measured& m) { return m.max; }, false, 1};
const Quantity kStalled = {"/stalled", "ms in operations > 10 ms",
                           [](const Measured& m) { return m.stalled * 1e3; }, false, 0.001};
const Quantity kLatencies[] = {
    {"/p50", "us", [](const Measured& m) { return m.p50; }, false, 0.001},
    {"/p99", "us", [](const Measured& m) { return m.p99; }, false, 0.001},
    {"/p99.9", "us", [](const Measured& m) { return m.p999; }, false, 0.001},
};
const Quantity kWritten = {"/write_amplification", "bytes written per put byte",
                           [](const Measured& m) { return m.written_bytes / m.put_bytes; }, false,
                           0.001};
const Quantity kRead = {"/read_amplification", "bytes read per get",
                        [](const Measured& m) { return m.read_bytes / m.operations; }, false, 1};
const Quantity kSpace = {"/space_amplification", "directory bytes per live byte",
                         [](const Measured& m) { return m.directory_bytes / m.live_bytes; }, false,
                         0.001};

// What every one of them is asked for: is there anything to compare?
bool known(const Quantity& quantity, const Measured& measured) {
  return quantity.suffix != kRead.suffix || measured.read_bytes >= 0;
}

double ratio_of(const Quantity& quantity, double ours, double theirs) {
  ours = std::max(ours, quantity.least);
  theirs = std::max(theirs, quantity.least);
  return quantity.more_is_better ? ours / theirs : theirs / ours;
}

class RowMaker {
 public:
  RowMaker(std::string test, std::size_t step, const std::vector<EngineResult>& results,
           std::vector<Row>& rows)
      : test_(std::move(test)), step_(step), results_(results), rows_(rows) {}

  // A row for each peer that knows; `goal` binds beside `binding`, or beside the better peer when
  // that is empty.
  void compare(const Quantity& quantity, std::optional<double> goal, const std::string& binding) {
    const EngineResult* ours = find(kOurs);
    const EngineResult* bound = binding.empty() ? better_peer(quantity) : find(binding);
    bool compared = false;
    for (const EngineResult& peer : results_) {
      if (ours == nullptr || peer.engine == kOurs || !known(quantity, peer.steps[step_])) continue;
      Row row = row_of(quantity, *ours);
      row.peer = peer.engine;
      row.theirs = quantity.of(peer.steps[step_]);
      row.ratio = ratio_of(quantity, row.ours, *row.theirs);
      // Where neither stalled, nothing is to be won.
      const bool nothing = !quantity.more_is_better && *row.theirs == 0 && row.ours == 0;
      if (&peer == bound && !nothing) row.goal = goal;
      rows_.push_back(std::move(row));
      compared = true;
    }
    if (compared) return;
    for (const EngineResult& alone : results_) {
      if (known(quantity, alone.steps[step_])) rows_.push_back(row_of(quantity, alone));
    }
  }

 private:
  Row row_of(const Quantity& quantity, const EngineResult& engine) const {
    Row row;
    row.test = test_ + quantity.suffix;
    row.unit = quantity.unit;
    row.ours = quantity.of(engine.steps[step_]);
    return row;
  }
  const EngineResult* find(const std::string& engine) const {
    for (const EngineResult& result : results_) {
      if (result.engine == engine) return &result;
    }
    return nullptr;
  }
  const EngineResult* better_peer(const Quantity& quantity) const {
    const EngineResult* better = nullptr;
    for (const EngineResult& peer : results_) {
      if (peer.engine == kOurs) continue;
      if (better == nullptr ||
          ratio_of(quantity, quantity.of(peer.steps[step_]), quantity.of(better->steps[step_])) > 1)
        better = &peer;
    }
    return better;
  }

  std::string test_;
  std::size_t step_;
  const std::vector<EngineResult>& results_;
  std::vector<Row>& rows_;
};

}  // namespace

void add_rows(const Session& session, std::size_t step, const std::vector<EngineResult>& results,
              const Options& options, std::vector<Row>& rows) {
  const Step& what = session.steps[step];
  const auto goal = [&](double least) {
    return session.pinned && !session.merkle() ? std::optional(least) : std::nullopt;
  };
  RowMaker maker(row_name(session, what), step, results, rows);
  maker.compare(kRate, goal(1), "");
  if (session.pinned) maker.compare(kPerCpu, std::nullopt, "");
  const bool sustained = what.kind == Kind::kOverwrite;
  if (sustained || options.json) maker.compare(kMax, sustained ? goal(4) : std::nullopt, kRocksDb);
  if (sustained) maker.compare(kStalled, goal(4), kRocksDb);
  if (options.json) {
    for (const Quantity& latency : kLatencies) maker.compare(latency, std::nullopt, "");
  }
  if (sustained || (options.json && writes(what.kind))) maker.compare(kWritten, std::nullopt, "");
  if (sustained) maker.compare(kSpace, std::nullopt, "");
  if (what.kind == Kind::kReadHit || what.kind == Kind::kReadMiss)
    maker.compare(kRead, std::nullopt, "");
}

}  // namespace ringside::bench
