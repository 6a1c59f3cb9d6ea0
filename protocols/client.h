// Client: the library that workloads, the command line and other programs use to speak to a
// cluster: Dynamo's own get(key) and put(key, context, value). It knows the ring, retries within
// its deadline, and says honestly what it knows: `failed` is a promise that nothing happened and
// nothing will; everything less sure is `unknown`. Gets are retried freely. A put is retried with
// the same operation id, which the versions carry: a coordinator that already has it makes no
// second version; two coordinators may, and then `get` returns the value once.
//
// A client that coordinates itself (Routing::kCoordinator) follows the ring: it asks some node for
// the members now and then, and at once when nodes say that they are no homes. It sends a put to
// the home that answered the get before it first, and to the next nodes of the preference list when
// the first N are silent.
//
//   Client client(host, options);
//   GetResult got = co_await client.get("cart", operation);
//   PutResult put = co_await client.put("cart", got.context, "milk", operation);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/members.h"
#include "protocols/rings.h"
#include "protocols/rpc.h"
#include "protocols/suspects.h"
#include "runtime/host.h"
#include "runtime/outcome.h"
#include "runtime/task.h"

namespace ringside {

enum class Routing : uint8_t {
  kRandomNode,   // as through a load balancer: any node
  kCoordinator,  // the first healthy node of the preference list's first N
  kNonReplica,   // a random node that is none of the first N: no leg is local (for latency models)
};

struct ClientOptions {
  std::vector<Member> members;
  RingOptions ring;
  std::shared_ptr<Rings> rings;  // shared with others of this thread; null: with nobody
  uint32_t n = 3;  // of the preference list, for routing alone; r and w are the server's
  Routing routing = Routing::kCoordinator;
  Duration timeout = kSecond;                     // of an operation with all its attempts
  Duration attempt_timeout = 400 * kMillisecond;  // of one attempt
  uint32_t get_attempts = 3;  // at most; each at another node while there is one
  uint32_t put_attempts = 3;
  Duration retry_pause =
      10 * kMillisecond;  // the second attempt waits this long, the third twice, give or take
  // How often it asks who is there, when it routes by the ring; 0: never.
  Duration poll_every = 10 * kSecond;
};

const char* outcome_name(Outcome outcome);

struct Sibling {
  std::string value;
  uint64_t operation = 0;  // of the put that wrote it, as the nodes say
};

struct GetResult {
  Outcome outcome = Outcome::kUnknown;  // a get that got no answer is kFailed: it has no effect
  Error error;                          // why, when not ok
  std::vector<Sibling>
      siblings;         // causally unrelated versions, without tombstones; empty: not there
  std::string context;  // hand it to the put that replaces these
  NodeId coordinator = kNoNode;
  uint32_t attempts = 0;
};

struct PutResult {
  Outcome outcome = Outcome::kUnknown;
  Error error;
  std::string
      context;  // covers the context given and this put; nothing that the client has not seen
  NodeId coordinator = kNoNode;
  uint32_t attempts = 0;
};

class Client {
 public:
  // Attaches itself to the host's network: one Client a process.
  Client(Host& host, ClientOptions options);

  // `operation`: a 64-bit id that is unique to this operation, never 0. See next_operation().
  Task<GetResult> get(std::string key, uint64_t operation);
  // No value: a delete (a tombstone version). From `expires` on (wall clock, ns; 0: never) the
  // value counts as deleted.
  Task<PutResult> put(std::string key, std::string context, std::optional<std::string> value,
                      uint64_t operation, Time expires = 0);

  // (client process number << 32 | counter). Unique while processes have numbers of their own and
  // do not restart.
  uint64_t next_operation();

  const Ring& ring() const { return *ring_; }

 private:
  struct Attempt;
  Task<void> run(Attempt& attempt);
  NodeId choose(std::string_view key, uint32_t attempt, std::span<const NodeId> asked);
  Duration pause(uint32_t attempt);
  bool routes_by_ring() const { return options_.routing == Routing::kCoordinator; }
  // Asks for the members when it is time to.
  void poll_when_due();
  Task<void> poll();
  void follow(const MembersReply& reply);
  void note_status(const Attempt& attempt);
  // The home that answered the last get of the key first.
  void remember_fastest(std::string_view key, NodeId node);
  NodeId fastest_of(std::string_view key) const;
  bool take_object(const GetReply& reply, GetResult& result);

  Host& host_;
  ClientOptions options_;
  std::shared_ptr<const Ring> ring_;
  Rpc rpc_;
  Suspects suspects_;
  Random& random_;
  uint32_t operations_ = 0;
  Random& poll_random_;
  Time next_poll_ = 0;
  bool polling_ = false;
  uint32_t refusals_ = 0;  // in a row: nodes that said that they did nothing
  struct Fastest {
    uint64_t position = 0;
    NodeId node = kNoNode;
  };
  std::vector<Fastest> fastest_;  // by position; a new key takes the place of an older one
  Scope scope_;
};

}  // namespace ringside
