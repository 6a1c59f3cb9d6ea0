// `ringside judge` of another tool's log of transactions: which anomalies it shows, and which
// levels of isolation that leaves.
#include <cstdio>
#include <optional>

#include "analysis/isolation/isolation.h"
#include "analysis/isolation/transaction_log.h"
#include "analysis/isolation/verify.h"
#include "cli/json.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/load.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using isolation::IsolationReport;
using isolation::Level;
using isolation::LevelVerdict;
using lab::concat;

constexpr std::size_t kLevelCount = std::tuple_size_v<decltype(IsolationReport::levels)>;

const char* word_of(LevelVerdict verdict) {
  switch (verdict) {
    case LevelVerdict::kHolds: return "holds";
    case LevelVerdict::kRuledOut: return "ruled out";
    case LevelVerdict::kOpen: return "not ruled out";
  }
  return "?";
}

// As of other histories.
const char* verdict_word(LevelVerdict verdict) {
  switch (verdict) {
    case LevelVerdict::kHolds: return "holds";
    case LevelVerdict::kRuledOut: return "violated";
    case LevelVerdict::kOpen: return "unknown";
  }
  return "?";
}
const char* verdict_heading(LevelVerdict verdict) {
  switch (verdict) {
    case LevelVerdict::kHolds: return "HOLDS     ";
    case LevelVerdict::kRuledOut: return "VIOLATED  ";
    case LevelVerdict::kOpen: return "UNKNOWN   ";
  }
  return "?";
}

std::optional<Level> level_named(const std::string& name) {
  for (std::size_t i = 0; i < kLevelCount; ++i) {
    if (name == isolation::level_name(static_cast<Level>(i))) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::string all_levels() {
  std::string names;
  for (std::size_t i = 0; i < kLevelCount; ++i)
    names += concat(i == 0 ? "" : ", ", isolation::level_name(static_cast<Level>(i)));
  return names;
}

// What the independent verifier objects to; empty: nothing.
std::string objection_to(const isolation::TransactionHistory& history,
                         const IsolationReport& report) {
  for (const isolation::Anomaly& anomaly : report.anomalies) {
    const Result<void> checked = isolation::verify_anomaly(history, anomaly);
    if (!checked.ok()) return checked.error().message;
  }
  if (report.order.empty()) return "";
  const Result<void> checked = isolation::verify_order(history, report.order);
  return checked.ok() ? "" : checked.error().message;
}

void print_transactions_json(const JudgeArguments& arguments,
                             const isolation::TransactionHistory& history,
                             const IsolationReport& report, Level asked,
                             const std::string& objection) {
  Json json;
  json.begin_object().field("file", arguments.file).field("model", "transactions");
  json.field("transactions", report.transactions).field("committed", report.committed);
  json.field("failed", report.failed).field("unknown", report.unknown);
  json.field("asked", isolation::level_name(asked));
  json.field("verdict", verdict_word(report.level(asked)));
  json.key("levels").begin_object();
  for (std::size_t i = 0; i < kLevelCount; ++i)
    json.field(isolation::level_name(static_cast<Level>(i)), word_of(report.levels[i]));
  json.end_object().key("anomalies").begin_array();
  for (const isolation::Anomaly& anomaly : report.anomalies) {
    json.begin_object().field("kind", isolation::anomaly_name(anomaly.kind));
    json.field("witness", describe(history, anomaly)).end_object();
  }
  json.end_array().field("verified", objection.empty());
  if (!objection.empty()) json.field("objection", objection);
  json.end_object();
  std::printf("%s\n", json.str().c_str());
}

}  // namespace

int judge_transactions(const JudgeArguments& arguments) {
  const auto bad = [](const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    return kBadInput;
  };
  const std::optional<Level> asked =
      arguments.model.empty() ? Level::kStrictSerializable : level_named(arguments.model);
  if (!asked)
    return bad(concat(arguments.file, ": --model ", arguments.model,
                      ": this is a history of transactions, whose models are ", all_levels()));
  const Result<std::string> text = lab::read_text_file(arguments.file);
  if (!text.ok()) return bad(text.error().message);
  const Result<isolation::TransactionHistory> history = isolation::read_transactions(*text);
  if (!history.ok()) return bad(concat(arguments.file, ": ", history.error().message));
  const Result<IsolationReport> report = isolation::check_isolation(*history);
  if (!report.ok()) return bad(concat(arguments.file, ": ", report.error().message));
  const std::string objection = objection_to(*history, *report);
  const LevelVerdict verdict = report->level(*asked);
  if (arguments.json) {
    print_transactions_json(arguments, *history, *report, *asked, objection);
  } else {
    std::printf("%s%s: %s%s %s\n%s", verdict_heading(verdict), arguments.file.c_str(),
                isolation::level_name(*asked), verdict == LevelVerdict::kHolds ? "" : " is",
                word_of(verdict), describe(*history, *report).c_str());
    if (!objection.empty()) std::printf("the verifier objects: %s\n", objection.c_str());
  }
  return verdict == LevelVerdict::kHolds && objection.empty() ? kHolds : kViolated;
}

}  // namespace ringside::cli
