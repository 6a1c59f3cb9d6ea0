// Trace: what a node tells about itself. A probe marks a rare path that was reached; scenarios
// expect probes and hang faults on them. An event is a line of the virtual-time log. Neither
// changes what the node does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringside {

struct TraceEvent {
  std::string_view name;   // "put.acknowledged"
  std::string_view key;    // the item's key, or empty
  uint64_t operation = 0;  // the client operation, or 0
  std::string detail;      // for people
};

class Trace {
 public:
  virtual ~Trace() = default;

  // `name` is a literal: "wal.torn_tail_cut". The sources are searched for these to know which are
  // declared.
  virtual void probe(std::string_view name) = 0;

  // Ask before building an event.
  bool enabled() const { return enabled_; }
  virtual void event(const TraceEvent& event) = 0;

 protected:
  bool enabled_ = false;
};

}  // namespace ringside
