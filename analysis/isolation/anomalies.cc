#include "analysis/isolation/anomalies.h"

namespace ringside::isolation {

const char* anomaly_name(AnomalyKind kind) {
  static constexpr const char* kNames[kAnomalyKinds] = {"duplicate-elements",
                                                        "incompatible-order",
                                                        "cyclic-versions",
                                                        "garbage-read",
                                                        "dirty-update",
                                                        "G1a",
                                                        "G1b",
                                                        "internal",
                                                        "lost-update",
                                                        "G0",
                                                        "G1c",
                                                        "G-single",
                                                        "G-nonadjacent",
                                                        "G2-item",
                                                        "G0-process",
                                                        "G1c-process",
                                                        "G-single-process",
                                                        "G-nonadjacent-process",
                                                        "G2-item-process",
                                                        "G0-realtime",
                                                        "G1c-realtime",
                                                        "G-single-realtime",
                                                        "G-nonadjacent-realtime",
                                                        "G2-item-realtime"};
  return kNames[static_cast<std::size_t>(kind)];
}

const char* edge_name(EdgeKind kind) {
  static constexpr const char* kNames[kEdgeKinds] = {"ww",       "wr",    "rw",  "process",
                                                     "realtime", "older", "pass"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string describe(const TransactionHistory& history, const Anomaly& anomaly) {
  std::string text = anomaly_name(anomaly.kind);
  if (!is_cycle(anomaly.kind)) {
    text += " of " + history.objects[anomaly.object];
    if (anomaly.value != kInitialValue && anomaly.value != kUnrecorded)
      text += ", value " + std::to_string(anomaly.value);
    for (const TransactionId id : anomaly.transactions) text += "\n  " + describe(history, id);
    return text;
  }
  text += anomaly.shortest ? "" : " (perhaps not the shortest)";
  for (std::size_t i = 0; i < anomaly.transactions.size(); ++i) {
    const TransactionId next = anomaly.transactions[(i + 1) % anomaly.transactions.size()];
    text += "\n  " + describe(history, anomaly.transactions[i]);
    text += "\n    —" + std::string(edge_name(anomaly.edges[i])) + "→ T" + std::to_string(next);
  }
  return text;
}

}  // namespace ringside::isolation
