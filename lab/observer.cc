#include "lab/observer.h"

#include "lab/text.h"
#include "lab/units.h"
#include "protocols/wire.h"
#include "workloads/value.h"

namespace ringside::lab {
namespace {

std::string who(NodeId node) {
  return node >= kFirstClient ? concat("client ", node - kFirstClient + 1) : concat("node ", node);
}

std::string operation_text(uint64_t operation) {
  return operation == 0 ? std::string("background")
                        : concat("#", operation >> 32, ":", operation & 0xffffffff);
}

}  // namespace

void RunObserver::on_send(Time at, const Frame& frame) {
  if (options_.on_log) {
    log_frame({.at = at, .node = frame.from, .what = LogLine::What::kSend, .peer = frame.to}, frame,
              concat("sends to ", who(frame.to)));
  }
  if (replica_oracle_) note_ack(at, frame);
  if (frame.kind == number(Kind::kTreeRequest)) trees_compared_ = at;
  if (frame.kind == number(Kind::kLeafRequest)) leaves_compared_ = at;
}

void RunObserver::on_deliver(Time at, const Frame& frame) {
  if (options_.on_log) {
    log_frame({.at = at, .node = frame.to, .what = LogLine::What::kDeliver, .peer = frame.from},
              frame, concat("gets from ", who(frame.from)));
  }
}

void RunObserver::on_lost(Time at, const Frame& frame, std::string_view why) {
  if (options_.on_log) {
    log_frame({.at = at, .node = frame.to, .what = LogLine::What::kLose, .peer = frame.from}, frame,
              concat("never gets (", why, ") from ", who(frame.from)));
  }
}

void RunObserver::note_ack(Time at, const Frame& frame) {
  const bool asks = frame.kind == number(Kind::kReplicaPutRequest) ||
                    frame.kind == number(Kind::kHintedPutRequest);
  const bool answers =
      frame.kind == number(Kind::kReplicaPutReply) || frame.kind == number(Kind::kHintedPutReply);
  if (!asks && !answers) return;
  const TappedFrame seen = tap(frame);
  if (asks && seen.intact) {
    Promised promised;
    promised.key = sink_.intern(seen.key);
    for (const VersionView& version : seen.versions) {
      const ValueId value = version.tombstone ? version.operation : value_id(version.value);
      promised.values.push_back(value);
      const auto [known, first] = dots_.try_emplace(value, FirstDot{version.dot, false});
      if (!first && known->second.dot != version.dot) known->second.twice = true;
    }
    asked_[Asked{frame.from, frame.to, seen.call}] = std::move(promised);
  } else if (answers && seen.ok()) {
    const auto found = asked_.find(Asked{frame.to, frame.from, seen.call});
    if (found == asked_.end()) return;
    ReplicaAcks& acks = frame.kind == number(Kind::kHintedPutReply) ? hinted_acks_ : acks_;
    acks.add(frame.from, found->second.key, at, found->second.values);
    asked_.erase(found);
  }
}

void RunObserver::on_probe(Time at, NodeId node, std::string_view name) {
  if (options_.on_log) log(LogLine::What::kProbe, at, node, concat("probe ", name));
  const auto found = probes_.find(name);
  if (found != probes_.end()) {
    ++found->second;
  } else {
    probes_.emplace(name, 1);
  }
}

void RunObserver::on_trace(Time at, NodeId node, const TraceEvent& event) {
  if (!options_.on_log) return;
  const std::string text =
      concat(event.name, " ", operation_text(event.operation), " ", event.detail);
  options_.on_log(LogLine{.at = at,
                          .node = node,
                          .key = event.key,
                          .text = text,
                          .what = LogLine::What::kTrace,
                          .operation = event.operation});
}

void RunObserver::on_start(Time at, NodeId node, uint64_t incarnation) {
  if (options_.on_log)
    log(LogLine::What::kStart, at, node, concat("starts, for the ", incarnation, ". time"));
}

void RunObserver::on_stop(Time at, NodeId node, std::string_view why) {
  if (options_.on_log) log(LogLine::What::kStop, at, node, concat("stops: ", why));
  if (why == "crash" || why == "power loss" || why == "out of memory" || why == "end") return;
  gave_up_.push_back(concat(who(node), " gave up at ", format_span(at), ": ", why));
  last_words_[node] = gave_up_.back();
}

void RunObserver::on_fault(Time at, std::string_view what) {
  if (options_.on_log) log(LogLine::What::kFault, at, 0, concat("fault: ", what));
}

// Of the disk the syncs, which make promises true, and what goes wrong.
void RunObserver::on_disk(Time at, NodeId node, const DiskCall& call) {
  if (!options_.on_log) return;
  const bool syncs =
      call.kind == DiskCall::Kind::kSync || call.kind == DiskCall::Kind::kSyncDirectory;
  if (!syncs && !call.failed) return;
  log(LogLine::What::kDisk, at, node,
      concat(syncs ? "disk: sync" : "disk: call",
             call.failed ? concat(" failed: ", call.error.message) : std::string(" done")));
}

void RunObserver::log_frame(LogLine line, const Frame& frame, std::string_view what) {
  const TappedFrame seen = tap(frame);
  if (seen.intact && !seen.reply && frame.operation != 0)
    key_of_[frame.operation] = std::string(seen.key);
  std::string text =
      concat(what, ": ", kind_name(frame.kind), " ", operation_text(frame.operation));
  if (!seen.intact) append(text, ", damaged");
  if (seen.reply) append(text, ", ", status_name(seen.status));
  if (!seen.versions.empty()) {
    std::vector<std::string> ids;
    for (const VersionView& version : seen.versions) {
      ids.push_back(version.tombstone ? "tombstone" : operation_text(value_id(version.value)));
      line.values.push_back(version.tombstone ? version.operation : value_id(version.value));
    }
    append(text, ", values {", join(ids, ", "), "}");
  }
  const auto known = key_of_.find(frame.operation);
  line.key = !seen.key.empty()        ? seen.key
             : known == key_of_.end() ? std::string_view()
                                      : known->second;
  line.text = text;
  line.kind = frame.kind;
  line.operation = frame.operation;
  options_.on_log(line);
}

void RunObserver::log(LogLine::What what, Time at, uint32_t node, const std::string& text) {
  options_.on_log(LogLine{.at = at, .node = node, .text = text, .what = what});
}

uint64_t RunObserver::reached(std::string_view probe) const {
  const auto found = probes_.find(probe);
  return found == probes_.end() ? 0 : found->second;
}

}  // namespace ringside::lab
