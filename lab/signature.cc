#include "lab/signature.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "lab/text.h"

namespace ringside::lab {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// "register-17" → "register".
std::string role_of_key(std::string_view key) {
  while (!key.empty() && (is_digit(key.back()) || key.back() == '-' || key.back() == '_'))
    key.remove_suffix(1);
  return key.empty() ? "key" : std::string(key);
}

// The first key that a line names in quotes; empty: none.
std::string quoted_key(std::string_view line) {
  const std::size_t open = line.find('"');
  if (open == std::string_view::npos) return {};
  const std::size_t close = line.find('"', open + 1);
  if (close == std::string_view::npos) return {};
  return std::string(line.substr(open + 1, close - open - 1));
}

// Without "[…]" and "(…)": times and asides.
std::string without_brackets(std::string_view text) {
  std::string out;
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '(') ++depth;
    if (depth == 0) out += c;
    if ((c == ']' || c == ')') && depth > 0) --depth;
  }
  return out;
}

bool is_unit(const std::string& word) {
  for (const char* unit : {"ns", "us", "µs", "ms", "s", "min", "h", "%"}) {
    if (word == unit) return true;
  }
  return false;
}

bool has_digit(std::string_view word) { return std::any_of(word.begin(), word.end(), is_digit); }

// The first clause of a detail that says what is wrong, rather than what is right as well.
std::string clause_at_fault(const Expectation& line) {
  const std::string& detail = line.detail;
  const std::size_t stop = detail.find("; ");
  std::string first = detail.substr(0, stop);
  const std::string rest = stop == std::string::npos ? std::string() : detail.substr(stop + 2);
  if (line.name == "linearizable" && !rest.empty()) return rest.substr(0, rest.find("; "));
  if (line.name == "converges_within") {
    if (contains(rest, "at the end")) return rest.substr(0, rest.find("; "));
    first = first.substr(0, first.find(", "));
  }
  if (line.name == "reached") return first;
  // What was tested stands behind: it may differ and is no part of what is wrong.
  if (first.starts_with("nothing was tested")) return "nothing was tested";
  return first;
}

std::string lost_writes(const std::string& detail) {
  std::vector<std::string> kinds;
  if (contains(detail, " lost") && !detail.starts_with("0 ")) kinds.push_back("lost");
  if (contains(detail, "that nobody wrote")) kinds.push_back("there that nobody wrote");
  if (contains(detail, "reported as failed")) kinds.push_back("there though reported as failed");
  if (contains(detail, "items missing")) kinds.push_back("items missing");
  return kinds.empty() ? "nothing was tested" : join(kinds, ", ");
}

// What the first witness of an expectation says, by the words that only its witnesses use.
const std::string* witness_of(const Expectation& line, const RunResult& result) {
  std::vector<std::string> words = {concat(line.name, ":")};
  if (line.name == "acknowledged_writes")
    words = {"acknowledged and lost", "item missing from its cart"};
  if (line.name == "replicas_keep_acknowledged") words = {"its disk does not hold it"};
  if (line.name == "converges_within") words = {"replicas differ on"};
  if (line.name == "no_resurrection") words = {"which was deleted by"};
  for (const std::string& witness : result.witnesses) {
    for (const std::string& word : words) {
      if (contains(witness, word)) return &witness;
    }
  }
  return line.name == "linearizable" ? &line.detail : nullptr;
}

std::string role_at_fault(const Expectation& line, const RunResult& result) {
  const std::string* witness = witness_of(line, result);
  if (witness == nullptr) return {};
  const std::string key = quoted_key(*witness);
  if (key.empty()) return {};
  for (const char* operation : {"put", "delete"}) {
    if (contains(*witness, concat("lost: ", operation, " ")))
      return concat("a ", operation, " of a ", role_of_key(key));
  }
  return concat("a ", role_of_key(key));
}

const Expectation* first_violated(const RunResult& result) {
  const Expectation* evidence = nullptr;
  for (const Expectation& line : result.expectations) {
    if (line.holds) continue;
    if (line.name != "evidence") return &line;
    evidence = &line;
  }
  return evidence;
}

}  // namespace

std::string without_names(const std::string& text) {
  // Keys first, whole, whatever stands in them.
  std::string keyless;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t close = text[at] == '"' ? text.find('"', at + 1) : std::string::npos;
    if (close == std::string::npos) {
      keyless += text[at++];
      continue;
    }
    append(keyless, "a ", role_of_key(std::string_view(text).substr(at + 1, close - at - 1)));
    at = close + 1;
  }
  std::vector<std::string> out;
  for (const std::string& word : split(without_brackets(keyless), ' ')) {
    if (word.empty()) continue;
    // A number keeps the punctuation behind it; its unit goes with it.
    std::string bare = word, tail;
    while (!bare.empty() && (bare.back() == ',' || bare.back() == ':' || bare.back() == ';')) {
      tail.insert(tail.begin(), bare.back());
      bare.pop_back();
    }
    if (!out.empty() && out.back() == "#" && is_unit(bare)) {
      out.back() += tail;
    } else {
      out.push_back(has_digit(bare) ? "#" + tail : word);
    }
  }
  return join(out, " ");
}

std::string Signature::text() const {
  std::string text = concat(scenario, ": ", expectation);
  if (!anomaly.empty()) append(text, ": ", anomaly);
  if (!role.empty()) append(text, ", ", role);
  return text;
}

Signature signature_of(const std::string& scenario, const WorkerResult& run) {
  if (run.end != WorkerResult::End::kFinished) return {scenario, "crashed", run.message, ""};
  const Expectation* line = first_violated(run.result);
  if (line == nullptr) return {scenario, "holds", "", ""};
  const std::string anomaly = line->name == "acknowledged_writes"
                                  ? lost_writes(line->detail)
                                  : without_names(clause_at_fault(*line));
  return {scenario, line->name, anomaly, role_at_fault(*line, run.result)};
}

Signature signature_of_replay(const std::string& scenario, const std::string& how) {
  return {scenario, "deterministic", how, ""};
}

}  // namespace ringside::lab
