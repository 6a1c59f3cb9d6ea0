// SimNetwork: the frames between the processes of a world. What a frame meets is drawn by a hash of
// seed, link, client operation, kind and how many like it went before, so that one fault more or
// less moves no other frame.
//
// Between two processes there is one connection a direction, as the sender sees it. The first frame
// that is delivered binds it to the receiver's incarnation. When that incarnation dies, or a frame
// meets another one, the sender learns of a reset (kReset) after the way back; when nothing was
// delivered on the connection and the receiver's machine runs without the process, or the weather
// says so, of a refusal (kUnavailable), and whatever of it is still in flight is dropped. Both end
// the connection; the next frame begins a new one. A machine without power and a silent cut say
// nothing. What weather does to frames is in network_weather.cc; a connection without weather pays
// one branch for it when a frame is sent, and one when it arrives.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/network.h"
#include "sim/kernel.h"
#include "sim/repeats.h"

namespace ringside::sim {

class Process;

class SimNetwork {
 public:
  struct Connection;
  // A frame on its way; one cache line.
  struct alignas(64) Flight {
    Frame frame;
    Connection* connection = nullptr;
    uint64_t hash = 0;      // of all of it, for the fingerprint
    uint32_t epoch = 0;     // of the connection
    uint32_t expected = 0;  // incarnation that the connection was bound to; 0: none yet
  };

  SimNetwork(Kernel& kernel, const Topology& topology, const NetworkModel& model);
  ~SimNetwork();

  void add(Process& process);
  Process* find(NodeId node) const;

  // From now on what frames meet is drawn by the kernel's present seed.
  void reseed();

  // For hosts.
  // Takes the frame, unless it says no.
  bool send(Process& from, Frame& frame);
  void when_writable(Process& from, NodeId peer, Waiter& waiter);

  // For the world, when an event is due. `arrives`: whether the frame reaches the process; if not
  // it is gone.
  bool arrives(Flight* flight);
  void release(Flight* flight);                     // it was handled
  void drop(Flight* flight, std::string_view why);  // it waited at a machine that stopped
  bool current(const Connection& connection, uint64_t epoch) const;
  NodeId peer(const Connection& connection) const;
  // Ends the connection and says why, to be told to the sender's handler.
  Code lose_peer(Connection& connection);
  void wake_writers(Connection& connection);
  // `told`: its peers see a reset. Otherwise the machine is gone, silently.
  void process_stopped(Process& process, bool told);

  // Weather, as World has it.
  uint64_t begin_weather(const LinkWeather& weather);
  bool end_weather(uint64_t id);
  bool clear_weather();
  // An event of the weather is due: a flap's turn or a reset. False when there was nothing to do;
  // `content` is what enters the fingerprint.
  bool weather_turns(const EventPayload& event, uint64_t& content);

 private:
  struct ActiveWeather;
  struct Alarm;
  struct Conditions;
  struct Leaving;
  using Weathers = std::map<uint64_t, ActiveWeather>;  // by id

  Connection& connection(Process& from, Process& to);
  Connection& connection_of(Process& from, Process& to);
  Flight* board(Connection& connection, Frame&& frame, uint64_t hash);
  EventQueue::Handle schedule(Time arrival, uint64_t order, Flight* flight);
  void recycle(Flight* flight);
  void lost(const Frame& frame, std::string_view why);
  uint64_t draw_key(Process& from, Process& to) const;
  uint32_t nth(Connection& connection, const Frame& frame);
  void dispatch(Connection& connection, Frame&& frame, uint64_t hash, uint64_t key);
  // Tells the sender of a refusal or reset: a way back after `since`, or a way there and back.
  void report(Connection& connection, Time since, bool both_ways);
  void report_lookup(Connection& connection, Time since);
  void free_window(Connection& connection, const Flight& flight);
  uint64_t hash_of(const Frame& frame);
  const Distribution& latency(const Connection& connection, FrameKind kind) const;

  // Frames in weather.
  void send_in_weather(Connection& connection, Frame&& frame, uint64_t key);
  void dispatch_in_weather(Connection& connection, Frame&& frame, uint64_t key);
  EventQueue::Handle depart(Connection& connection, Flight* flight, uint64_t key, Time departure);
  // The line of those that a clog or a narrow pair keeps from leaving.
  void join_line(Connection& connection, Flight* flight, uint64_t key, Time ready);
  void find_place(Connection& connection, Leaving& last);
  // Whether a frame that comes to its end gets on; if not, it is gone or held.
  bool passes_weather(Flight* flight);
  Duration in_weather(const Connection& connection, Duration latency, uint64_t key) const;

  // The weather itself.
  void set(Alarm& alarm);
  void meet_weather(Connection& fresh);
  void sum_up(Connection& connection) const;
  // After `weather` (null: every one) came, turned or went.
  void weather_changed(const ActiveWeather* weather);
  void leave_by_new_rules(Connection& connection, uint64_t rate_before);
  void end_clog(Connection& connection);
  void end_half_open(Connection& connection);
  // Something on the way resets the connection: nothing of it arrives any more.
  void tear(Connection& connection);
  void tell(const std::string& what) const;

  Kernel& kernel_;
  const Topology& topology_;
  const NetworkModel model_;
  // By kind; null where the link decides.
  std::vector<const Distribution*> latency_by_kind_;
  std::vector<const Distribution*> latency_between_regions_;
  std::vector<std::unique_ptr<const Distribution>> shifted_;
  std::vector<Process*> nodes_;                                        // by NodeId
  std::vector<Process*> clients_;                                      // by NodeId - kFirstClient
  std::vector<Process*> processes_;                                    // by index
  std::vector<std::vector<std::unique_ptr<Connection>>> connections_;  // [from][to], by index
  Connection* reply_ = nullptr;  // the way back of the frame that arrived last: often the next used
  Weathers weathers_;
  uint64_t weathers_begun_ = 0;
  Repeats repeats_;
  Buffer hashed_;  // the last frame's bytes, which often go to several peers
  uint64_t hashed_value_ = 0;

  std::deque<Flight> flights_;  // addresses stay
  std::vector<Flight*> free_flights_;
};

}  // namespace ringside::sim
