// `ringside judge`: a history of ours, or another tool's log, held against a sequential model.
// Every verdict is checked again before it is told.
#include <cstdio>
#include <optional>

#include "analysis/collections.h"
#include "analysis/describe.h"
#include "analysis/durability.h"
#include "analysis/foreign_log.h"
#include "analysis/ladder.h"
#include "analysis/plot.h"
#include "analysis/two_atomicity.h"
#include "analysis/verify_verdict.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/load.h"
#include "lab/recording.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::concat;

constexpr std::size_t kObjectsShown = 5;
constexpr std::size_t kCallsShown = 20;

// Whatever was read, in one form.
struct Judged {
  std::string format;
  std::optional<History> history;  // of ours
  std::optional<ForeignLog> log;   // another tool's
  uint64_t operations = 0;

  Texts* texts() { return log && log->model != ModelKind::kCounter ? log->texts.get() : nullptr; }
};

struct ObjectVerdict {
  std::string object;
  Verdict verdict;
  Verification verification;
  std::vector<std::string> calls;  // of a violation, for people
};

struct Summary {
  std::string model;
  uint64_t objects = 0, violated = 0, unknown = 0;
  std::string unverified;  // what the verifier objected to; empty: nothing
  std::vector<ObjectVerdict> shown;
  std::vector<std::string> notes;
};

int judge_bad_input(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

// By what is in it: a log of another tool, a recording, a history.
Result<Judged> read_history(const std::string& path) {
  Result<std::string> bytes = lab::read_text_file(path);
  if (!bytes.ok()) return bytes.error();
  Judged judged;
  if (is_foreign_log(*bytes)) {
    Result<ForeignLog> log = read_foreign_log(*bytes);
    if (!log.ok()) return Error{Code::kInvalid, concat(path, ": ", log.error().message)};
    judged.format = log_format_name(log->format);
    judged.operations = log->operations;
    judged.log = *std::move(log);
    return judged;
  }
  Result<lab::Recording> recording = lab::read_recording(path);
  Result<History> history = decode_history(recording.ok() ? recording->result.history : *bytes);
  if (!history.ok() || (!recording.ok() && history->operations.empty())) {
    return Error{Code::kInvalid,
                 concat(path,
                        ": is none of a recording (.run), a history, Jepsen's EDN (one map a "
                        "line), a Porcupine key-value or etcd log")};
  }
  judged.format = recording.ok() ? "recording" : "history";
  judged.operations = history->operations.size();
  judged.history = *std::move(history);
  return judged;
}

std::vector<std::string> describe_witness(Judged& judged, const Calls& calls,
                                          const Witness& witness) {
  std::vector<std::string> lines;
  for (const uint32_t i : witness.calls) {
    const Call& call = calls.calls[i];
    if (judged.history) {
      std::string line = describe_operation(*judged.history, call.source);
      if (call.act == Act::kRead) line += concat(" returned ", describe_value(call.value));
      lines.push_back(std::move(line));
    } else {
      lines.push_back(describe_call(calls, i, judged.texts()));
    }
  }
  return lines;
}

void judge_objects(Judged& judged, ModelKind model, const std::vector<Calls>& objects,
                   const JudgeArguments& arguments, Summary& summary) {
  const LadderOptions options{arguments.budget, true};
  for (const Calls& calls : objects) {
    ++summary.objects;
    ObjectVerdict one;
    one.object = calls.object.empty() ? "the " + summary.model : calls.object;
    one.verdict = arguments.k == 2 ? check_two_atomicity(calls)
                                   : judge_calls(model, calls, judged.texts(), options);
    if (one.verdict.answer == Answer::kUnknown) {
      ++summary.unknown;
    } else {
      one.verification = verify_verdict(model, calls, one.verdict, judged.texts(), arguments.k);
      if (!one.verification.holds && summary.unverified.empty())
        summary.unverified = concat("\"", one.object, "\": ", one.verification.objection);
    }
    if (one.verdict.answer == Answer::kNo) {
      ++summary.violated;
      one.calls = describe_witness(judged, calls, one.verdict.witness);
    }
    if (one.verdict.answer != Answer::kYes && summary.shown.size() < kObjectsShown)
      summary.shown.push_back(std::move(one));
    if (model == ModelKind::kSet && summary.notes.empty()) {
      const SetReport report = report_set(calls);
      summary.notes.push_back(
          concat(format_count(report.added), " elements surely added: ", report.lost.size(),
                 " lost, ", report.stale.size(), " stale, ", report.phantom.size(), " phantom"));
    }
  }
}

void judge_cart_history(const History& history, Summary& summary) {
  const CartVerdict verdict = judge_carts(history);
  summary.objects = history.keys.size();
  summary.violated = verdict.lost.size() + verdict.phantoms.size();
  ObjectVerdict one;
  one.object = "carts";
  one.verdict.answer = Answer::kNo;
  one.verdict.by = "carts";
  for (const uint32_t i : verdict.lost) one.calls.push_back(describe(history, LostWrite{i}));
  for (const uint32_t i : verdict.phantoms)
    one.calls.push_back(concat(describe_operation(history, i), " returned an item nobody put in"));
  if (summary.violated > 0) summary.shown.push_back(std::move(one));
  summary.notes.push_back(concat(format_count(verdict.adds),
                                 " items surely put in: ", verdict.lost.size(), " lost, ",
                                 verdict.phantoms.size(), " reads with phantoms"));
}

const char* word_of(const Summary& summary) {
  return summary.violated > 0 ? "violated" : summary.unknown > 0 ? "unknown" : "holds";
}

void print_text(const JudgeArguments& arguments, const Judged& judged, const Summary& summary) {
  const std::string word = word_of(summary);
  std::printf("%s%s: %s, %s, %s operations on %s object%s\n",
              word == "holds"      ? "HOLDS     "
              : word == "violated" ? "VIOLATED  "
                                   : "UNKNOWN   ",
              arguments.file.c_str(), judged.format.c_str(), summary.model.c_str(),
              format_count(judged.operations).c_str(), format_count(summary.objects).c_str(),
              summary.objects == 1 ? "" : "s");
  if (summary.violated + summary.unknown > 0 && summary.model != "cart") {
    std::printf("  %s violated, %s not known within the budget\n",
                format_count(summary.violated).c_str(), format_count(summary.unknown).c_str());
  }
  for (const ObjectVerdict& one : summary.shown) {
    if (one.verdict.answer == Answer::kUnknown) {
      std::printf("  \"%s\": not known after %s configurations; %s operations could be ordered\n",
                  one.object.c_str(), format_count(one.verdict.visited).c_str(),
                  format_count(one.verdict.order.size()).c_str());
      continue;
    }
    std::printf("  \"%s\": %s (%s):\n", one.object.c_str(),
                summary.model == "cart" ? "items were lost, or came from nowhere"
                                        : "no order explains these",
                one.verdict.by);
    for (std::size_t i = 0; i < one.calls.size() && i < kCallsShown; ++i)
      std::printf("    %s\n", one.calls[i].c_str());
    if (one.calls.size() > kCallsShown)
      std::printf("    … %zu more\n", one.calls.size() - kCallsShown);
  }
  for (const std::string& note : summary.notes) std::printf("  %s\n", note.c_str());
  if (summary.model == "cart") return;
  if (!summary.unverified.empty()) {
    std::printf("  not verified: %s\n", summary.unverified.c_str());
  } else if (summary.unknown < summary.objects) {
    std::printf("  verified: every %s was checked again\n",
                summary.violated > 0 ? "order and every witness" : "order");
  }
}

void print_json(const JudgeArguments& arguments, const Judged& judged, const Summary& summary) {
  Json json;
  json.begin_object().field("file", arguments.file).field("format", judged.format);
  json.field("model", summary.model).field("k", arguments.k);
  json.field("operations", judged.operations).field("objects", summary.objects);
  json.field("verdict", word_of(summary));
  json.field("violated", summary.violated).field("unknown", summary.unknown);
  json.field("verified", summary.unverified.empty() && summary.model != "cart");
  json.key("shown").begin_array();
  for (const ObjectVerdict& one : summary.shown) {
    json.begin_object().field("object", one.object).field("by", one.verdict.by);
    json.field("answer", answer_name(one.verdict.answer));
    json.field("visited", one.verdict.visited);
    json.key("witness").begin_array();
    for (const std::string& call : one.calls) json.text(call);
    json.end_array().end_object();
  }
  json.end_array().key("notes").begin_array();
  for (const std::string& note : summary.notes) json.text(note);
  json.end_array().end_object();
  std::printf("%s\n", json.str().c_str());
}

// The model by its name, or what the history itself suggests.
Result<std::string> choose_model(const JudgeArguments& arguments, const Judged& judged) {
  std::string found = "register";
  if (judged.log) {
    found = model_name(judged.log->model);
  } else {
    for (const Operation& op : judged.history->operations) {
      if (is_of_item(op.action)) found = "cart";
    }
  }
  if (arguments.model.empty() || arguments.model == found) return found;
  const bool cart = arguments.model == "cart" || found == "cart";
  const bool registers = judged.history && arguments.model == "register";
  if (registers) return arguments.model;
  return Error{Code::kInvalid,
               concat(arguments.file, ": --model ", arguments.model,
                      cart && judged.log ? ": only our own histories have carts"
                                         : concat(": this is the history of a ", found))};
}

}  // namespace

int judge(const JudgeArguments& arguments) {
  Result<Judged> judged = read_history(arguments.file);
  if (!judged.ok()) return judge_bad_input(judged.error().message);
  if (judged->log && judged->log->transactions) return judge_transactions(arguments);
  const Result<std::string> model = choose_model(arguments, *judged);
  if (!model.ok()) return judge_bad_input(model.error().message);

  Summary summary;
  summary.model = *model;
  if (*model == "cart") {
    judge_cart_history(*judged->history, summary);
  } else {
    std::vector<Calls> made;
    if (judged->history) made = registers_of(*judged->history);
    const std::vector<Calls>& objects = judged->log ? judged->log->objects : made;
    const ModelKind kind = judged->log ? judged->log->model : ModelKind::kRegister;
    for (const Calls& calls : objects) {
      if (arguments.k == 2 && (kind != ModelKind::kRegister || !suits_two_atomicity(calls))) {
        return judge_bad_input(concat(arguments.file,
                                      ": --k 2 is for registers whose values are "
                                      "written once; \"",
                                      calls.object, "\" is none"));
      }
    }
    judge_objects(*judged, kind, objects, arguments, summary);
  }
  if (judged->operations == 0)
    return judge_bad_input(concat(arguments.file, ": holds no operation"));
  if (arguments.json) {
    print_json(arguments, *judged, summary);
  } else {
    print_text(arguments, *judged, summary);
  }
  return summary.violated + summary.unknown > 0 || !summary.unverified.empty() ? kViolated : kHolds;
}

}  // namespace ringside::cli
