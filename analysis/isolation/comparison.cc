#include "analysis/isolation/comparison.h"

#include <algorithm>

#include "analysis/isolation/test_histories.h"
#include "analysis/isolation/verify.h"

namespace ringside::isolation {
namespace {

const RandomShape kShapes[] = {{.dirty = 0.5},
                               {.transactions_max = 6, .nonsense = 0, .serial = 0.6},
                               {.registers = true, .recorded = true, .all_ok = true},
                               {.registers = true, .nonsense = 0.1, .serial = 0.4}};

struct SerialLevel {
  Level level;
  bool processes, real_time;
};
constexpr SerialLevel kSerialLevels[] = {{Level::kSerializable, false, false},
                                         {Level::kStrongSessionSerializable, true, false},
                                         {Level::kStrictSerializable, true, true}};

class IsolationComparison {
 public:
  explicit IsolationComparison(uint64_t seed) : random_(seed) { options_.judge_weak = false; }

  Comparison run(uint64_t count) {
    for (; made_.histories < count && made_.disagreement.empty(); ++made_.histories) {
      const RandomShape& shape = kShapes[made_.histories % std::size(kShapes)];
      history_ = random_transactions(random_, shape);
      Result<IsolationReport> report = check_isolation(history_, options_);
      if (!report.ok()) {
        object("is refused: " + report.error().text());
        break;
      }
      report_ = *std::move(report);
      linear_ = false;
      for (std::size_t i = 0; i < static_cast<std::size_t>(AnomalyKind::kG0); ++i)
        linear_ |= i != static_cast<std::size_t>(AnomalyKind::kLostUpdate) && report_.counts[i] > 0;
      compare_serial_levels(!shape.registers || shape.recorded);
      compare_anomalies();
      compare_dirty_reads();
      if (linear_) continue;
      if (!shape.recorded) compare_weak_levels();  // who tries everything knows of no records
      if (shape.registers) continue;
      compare_lost_updates();
      compare_cycles();
    }
    return made_;
  }

 private:
  void object(const std::string& what) {
    if (made_.disagreement.empty()) made_.disagreement = what + "\n" + all_of(history_);
  }

  // `exact`: nothing may stay open.
  void compare_serial_levels(bool exact) {
    for (const auto& [level, processes, real_time] : kSerialLevels) {
      const bool truth = some_serial_order(history_, processes, real_time);
      const LevelVerdict expected = truth ? LevelVerdict::kHolds : LevelVerdict::kRuledOut;
      const bool open = report_.level(level) == LevelVerdict::kOpen;
      if (open ? exact : report_.level(level) != expected)
        object(std::string(level_name(level)) + " is " + (truth ? "" : "not ") + "so");
      if (truth) continue;
      std::vector<TransactionId> order(history_.transactions.size());
      for (TransactionId id = 0; id < order.size(); ++id) order[id] = id;
      std::erase_if(order, [this](TransactionId id) { return !history_.transactions[id].ok(); });
      for (std::size_t i = order.size(); i > 1 && random_.chance(0.5); --i)
        std::swap(order[i - 1], order[random_.below(i)]);
      if (verify_order(history_, order, {.processes = processes, .real_time = real_time}).ok())
        object("the verifier believes in an order where there is none");
      ++made_.lies;
    }
  }

  void compare_anomalies() {
    for (const Anomaly& anomaly : report_.anomalies) {
      if (Result<void> verified = verify_anomaly(history_, anomaly); !verified.ok())
        object("a witness does not hold: " + verified.error().text());
      if (!is_cycle(anomaly.kind)) continue;
      Anomaly lie = anomaly;
      constexpr int kFirst = static_cast<int>(AnomalyKind::kG0);
      lie.kind =
          static_cast<AnomalyKind>(kFirst + (static_cast<int>(anomaly.kind) + 1 - kFirst) % 15);
      if (verify_anomaly(history_, lie).ok()) object("the verifier takes one class for another");
      lie = anomaly;
      std::ranges::rotate(lie.edges, lie.edges.begin() + 1);
      if (lie.edges != anomaly.edges) made_.lies += !verify_anomaly(history_, lie).ok();
    }
  }

  // A read that holds what nobody wrote is named by that alone.
  void compare_dirty_reads() {
    if (report_.shows(AnomalyKind::kGarbageRead)) return;
    bool dirty = false;
    for (const Op& write : history_.ops) {
      if (!write.writes() || !belongs_to(write, Outcome::kFailed)) continue;
      dirty |= std::ranges::any_of(history_.ops, [&](const Op& read) {
        if (read.object != write.object || !read.read_known() || !belongs_to(read, Outcome::kOk))
          return false;
        return read.kind == OpKind::kReadList
                   ? std::ranges::count(history_.list(read), write.value) > 0
                   : read.kind == OpKind::kReadRegister && read.value == write.value;
      });
    }
    if (report_.shows(AnomalyKind::kG1a) != dirty)
      object(std::string("what failed was ") + (dirty ? "" : "not ") + "read");
  }
  bool belongs_to(const Op& op, Outcome outcome) const {
    const auto at = static_cast<std::size_t>(&op - history_.ops.data());
    return std::ranges::any_of(history_.transactions, [&](const Transaction& one) {
      return one.outcome == outcome && at >= one.op_begin && at < one.op_begin + one.op_count;
    });
  }

  // Two that read one and the same list, and then appended to it.
  void compare_lost_updates() {
    bool lost = false;
    std::vector<std::pair<ObjectId, std::vector<Value>>> updated;
    for (TransactionId id = 0; id < history_.transactions.size(); ++id) {
      if (!history_.transactions[id].ok()) continue;
      for (ObjectId object = 0; object < history_.objects.size(); ++object) {
        const Op* read = nullptr;
        for (const Op& op : history_.ops_of(id)) {
          if (op.object != object) continue;
          if (!op.writes()) {
            read = &op;
            continue;
          }
          if (read == nullptr) break;
          const std::span<const Value> list = history_.list(*read);
          std::pair one(object, std::vector<Value>(list.begin(), list.end()));
          lost |= std::ranges::find(updated, one) != updated.end();
          updated.push_back(std::move(one));
          break;
        }
      }
    }
    if (report_.shows(AnomalyKind::kLostUpdate) != lost)
      object(std::string("an update was ") + (lost ? "" : "not ") + "lost");
  }

  void compare_weak_levels() {
    const Versions versions(history_);
    for (std::size_t i = 0; i < kWeakLevels; ++i) {
      const auto level = static_cast<WeakLevel>(i);
      const WeakVerdict verdict = check_weak(history_, versions, level);
      const bool holds = verdict.kind == WeakVerdict::Kind::kHolds;
      if (holds != some_commit_order(history_, level))
        object(std::string(weak_level_name(level)) + " is " + (holds ? "not " : "") + "so");
      if (holds) continue;
      if (Result<void> verified = verify_weak(history_, level, verdict.witness); !verified.ok())
        object(std::string(weak_level_name(level)) + ": " + verified.error().text());
    }
  }

  // Each class that walking all cycles finds, as short.
  void compare_cycles() {
    std::vector<std::size_t> lengths(kAnomalyKinds, 0);
    for (const Anomaly& anomaly : report_.anomalies) {
      if (is_cycle(anomaly.kind))
        lengths[static_cast<std::size_t>(anomaly.kind)] = anomaly.transactions.size();
    }
    const std::vector<std::size_t> truth = all_cycle_lengths(history_);
    for (std::size_t kind = 0; kind < kAnomalyKinds; ++kind) {
      if (lengths[kind] != truth[kind])
        object(std::string(anomaly_name(static_cast<AnomalyKind>(kind))) + " has length " +
               std::to_string(truth[kind]) + ", not " + std::to_string(lengths[kind]));
    }
  }

  Random random_;
  IsolationOptions options_;
  TransactionHistory history_;
  IsolationReport report_;
  bool linear_ = false;  // shows what needs no cycle, but for lost updates
  Comparison made_;
};

}  // namespace

Comparison compare_isolation(uint64_t seed, uint64_t count) {
  return IsolationComparison(seed).run(count);
}

}  // namespace ringside::isolation
