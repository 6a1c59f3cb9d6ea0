// Strategy: how the replicas of a key agree. Each lives in a folder of its own beside its paper and
// says under which faults its guarantee holds. A node hands it the clients' requests and the
// messages of its peers; it answers the clients itself, and an answer is ok, failed (surely nothing
// happened) or unknown.
#pragma once

#include <string_view>

#include "protocols/rpc.h"

namespace ringside {

struct RingView;

struct StrategyClaim {
  std::string_view name;         // "dynamo"
  std::string_view guarantee;    // what a client may rely on
  std::string_view fault_model;  // and under which faults
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  virtual StrategyClaim claim() const = 0;

  // A client's request, from the client or handed on by another node (Kind::kForward…). Answered
  // through Rpc::reply.
  virtual void read(Request request) = 0;
  virtual void write(Request request) = 0;
  // What a replica of this strategy says to another: every kind that is no client's.
  virtual void message(Request request) = 0;
  // The members changed. Requests under way go on with the view that they began with; `view` is
  // valid until the next call.
  virtual void reconfigure(const RingView& view) = 0;
};

}  // namespace ringside
