#include "lab/biography.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <tuple>

#include "analysis/describe.h"
#include "lab/text.h"
#include "protocols/wire.h"

namespace ringside::lab {
namespace {

using What = LogLine::What;

// "#c0:57" as judges write it; 0: it is none.
ValueId parse_client_id(std::string_view text) {
  if (!text.starts_with("#c")) return 0;
  const std::string digits(text.substr(2));
  char* end = nullptr;
  const unsigned long process = std::strtoul(digits.c_str(), &end, 10);
  if (*end != ':') return 0;
  const unsigned long number = std::strtoul(end + 1, nullptr, 10);
  return uint64_t{kFirstClient + process} << 32 | number;
}

void add_once(ValueId value, std::vector<ValueId>& values) {
  if (value != 0 && std::find(values.begin(), values.end(), value) == values.end())
    values.push_back(value);
}

// Of "node 2 holds {10000000039, …}": the ids between braces.
void add_held(std::string_view text, std::vector<ValueId>& values) {
  for (std::size_t open = text.find('{'); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    const std::size_t close = std::min(text.find('}', open), text.size());
    for (const std::string& id : split(text.substr(open + 1, close - open - 1), ','))
      add_once(std::strtoull(id.c_str(), nullptr, 16), values);
  }
}

Subject parse_subject(const std::string& says) {
  Subject subject;
  subject.says = says;
  const std::size_t open = says.find('"');
  if (open == std::string::npos) return subject;
  subject.key = says.substr(open + 1, says.find('"', open + 1) - open - 1);
  for (std::size_t at = says.find("#c"); at != std::string::npos; at = says.find("#c", at + 1))
    add_once(parse_client_id(std::string_view(says).substr(at)), subject.values);
  add_held(says, subject.values);
  return subject;
}

const char* line_kind(What what) {
  switch (what) {
    case What::kSend: return "hop";
    case What::kDeliver: return "arrival";
    case What::kLose: return "loss";
    case What::kProbe: return "probe";
    case What::kTrace: return "node";
    case What::kStart:
    case What::kStop: return "life";
    case What::kDisk: return "sync";
    case What::kFault: return "fault";
  }
  return "?";
}

bool is_frame(What what) {
  return what == What::kSend || what == What::kDeliver || what == What::kLose;
}

}  // namespace

Subject subject_of(const RunResult& result, const std::string& expectation) {
  std::vector<std::string> lines;
  for (const Expectation& line : result.expectations) {
    if (line.name == expectation && !line.holds) lines.push_back(line.detail);
  }
  lines.insert(lines.end(), result.witnesses.begin(), result.witnesses.end());
  for (const std::string& line : lines) {
    Subject subject = parse_subject(line);
    if (!subject.key.empty() && !subject.values.empty()) return subject;
  }
  return {.says = lines.empty() ? std::string() : lines.front(), .key = {}, .values = {}};
}

Biographer::Biographer(Subject subject) : subject_(std::move(subject)) {}

bool Biographer::concerns(const LogLine& line) const {
  const auto is_subject = [this](uint64_t id) {
    return std::find(subject_.values.begin(), subject_.values.end(), id) != subject_.values.end();
  };
  return (line.operation != 0 && is_subject(line.operation)) ||
         std::any_of(line.values.begin(), line.values.end(), is_subject);
}

void Biographer::see(const LogLine& line) {
  const bool mentions = concerns(line);
  if (is_frame(line.what) && !mentions) return;
  if (line.what == What::kTrace && !mentions && line.key != subject_.key) return;
  Seen seen;
  const NodeId node = line.node == 0 ? kNoNode : line.node;
  seen.line = {line.at, node, line_kind(line.what), std::string(line.text), {}};
  seen.what = line.what;
  seen.peer = line.peer;
  seen.kind = line.kind;
  seen.operation = line.operation;
  seen.concerns = mentions || line.what == What::kTrace;
  seen_.push_back(std::move(seen));
}

void Biographer::add_clients(const History& history) {
  for (uint32_t i = 0; i < history.operations.size(); ++i) {
    const Operation& operation = history.operations[i];
    if (history.keys[operation.key] != subject_.key) continue;
    const NodeId process = history.clients[operation.client].process;
    const std::string what = describe_operation(history, i);
    Seen seen;
    seen.operation = operation.id;
    seen.concerns = true;
    seen.what = What::kTrace;
    seen.line = {operation.invoked, process, "ask", concat("asks: ", what), {}};
    seen_.push_back(seen);
    if (operation.finished == kNever) continue;
    std::vector<std::string> read;
    for (const ValueId value : history.ids_of(operation)) read.push_back(describe_value(value));
    seen.line = {operation.finished,
                 process,
                 "answer",
                 concat("is told: ", what,
                        operation.is_get() ? concat(", which returns ",
                                                    read.empty() ? "nothing" : join(read, ", "))
                                           : std::string()),
                 {}};
    seen_.push_back(std::move(seen));
  }
}

// Syncs, probes and lives matter only where the value was; a sync only when it is the first after
// something new came.
void Biographer::choose() {
  Time first = kNever;
  std::set<NodeId> carriers;
  for (const Seen& seen : seen_) {
    if (!seen.concerns) continue;
    first = std::min(first, seen.line.at);
    if (is_frame(seen.what) && seen.line.node < kFirstClient) carriers.insert(seen.line.node);
  }
  std::set<NodeId> fresh;  // carriers that something came to since their last sync
  std::set<std::pair<NodeId, std::string>> probes;
  std::vector<Seen> kept;
  for (Seen& seen : seen_) {
    const NodeId node = seen.line.node;
    const bool there = carriers.contains(node) && seen.line.at >= first;
    bool keep = seen.concerns;
    if (seen.what == What::kDeliver && seen.concerns) fresh.insert(node);
    if (seen.what == What::kFault) keep = seen.line.at >= first;
    if (seen.what == What::kStart || seen.what == What::kStop) keep = there;
    if (seen.what == What::kDisk) keep = there && fresh.erase(node) > 0;
    if (seen.what == What::kProbe) keep = there && probes.insert({node, seen.line.text}).second;
    if (seen.what == What::kSend && seen.concerns && fresh.contains(node) &&
        (seen.kind == number(Kind::kReplicaPutReply) || seen.kind == number(Kind::kHintedPutReply)))
      seen.line.text += " (and has synced nothing since it came)";
    if (keep) kept.push_back(std::move(seen));
  }
  seen_ = std::move(kept);
}

void Biographer::link(std::vector<BiographyLine>& told,
                      const std::vector<const Seen*>& from) const {
  std::map<NodeId, uint32_t> last;  // what each process last learned or did about it
  std::map<std::tuple<NodeId, NodeId, uint32_t, uint64_t>, std::vector<uint32_t>> sent;
  for (uint32_t i = 0; i < told.size(); ++i) {
    const Seen& seen = *from[i];
    const NodeId node = told[i].node;
    if (seen.what == What::kDeliver || seen.what == What::kLose) {
      std::vector<uint32_t>& sendings = sent[{seen.peer, node, seen.kind, seen.operation}];
      if (!sendings.empty()) {
        told[i].after.push_back(sendings.front());
        if (sendings.size() > 1) sendings.erase(sendings.begin());
      }
      if (seen.what == What::kLose) continue;  // nobody learns of it
    } else if (const auto before = last.find(node); before != last.end() && node != kNoNode) {
      told[i].after.push_back(before->second);
    }
    if (seen.what == What::kSend) sent[{node, seen.peer, seen.kind, seen.operation}].push_back(i);
    if (node != kNoNode) last[node] = i;
  }
}

std::vector<BiographyLine> Biographer::tell(const History& history) {
  if (subject_.key.empty()) return {};
  add_clients(history);
  // At one moment a client asks before its frame leaves, and is told when its frame has come.
  const auto rank = [](const Seen& seen) {
    return seen.line.kind == "ask" ? 0 : seen.line.kind == "answer" ? 2 : 1;
  };
  std::stable_sort(seen_.begin(), seen_.end(), [&rank](const Seen& a, const Seen& b) {
    return a.line.at != b.line.at ? a.line.at < b.line.at : rank(a) < rank(b);
  });
  choose();
  std::vector<BiographyLine> told;
  std::vector<const Seen*> from;
  for (const Seen& seen : seen_) {
    told.push_back(seen.line);
    from.push_back(&seen);
  }
  link(told, from);
  return told;
}

}  // namespace ringside::lab
