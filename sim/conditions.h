// What the weathers that are on add up to for one connection, and the frames that they hold back. A
// connection without weather has none of this; whoever changes the weather makes it and takes it
// away.
#pragma once

#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/pipe.h"
#include "sim/sim_network.h"
#include "sim/weather.h"

namespace ringside::sim {

// An event to come of a weather: a flap's next turn, or the next reset of one connection.
struct SimNetwork::Alarm {
  Alarm(ActiveWeather& the_weather, Connection* the_connection)
      : weather(the_weather), connection(the_connection) {}

  ActiveWeather& weather;
  Connection* connection;  // kResetStorm
  uint64_t rung = 0;       // how often it was set
  EventQueue::Handle handle = 0;
};

// One weather that is on. `identity` is what its draws are keyed by: what it is and when it began,
// not how many began before it.
struct SimNetwork::ActiveWeather {
  ActiveWeather(uint64_t the_id, uint32_t machines, const LinkWeather& the_spec)
      : id(the_id), spec(the_spec), from(machines), to(machines) {
    for (const MachineId machine : spec.from) from.at(machine) = true;
    for (const MachineId machine : spec.to) to.at(machine) = true;
  }
  bool covers(const Connection& connection) const;

  const uint64_t id;
  const LinkWeather spec;
  uint64_t identity = 0;
  std::vector<bool> from;  // by MachineId
  std::vector<bool> to;
  bool down = false;         // kFlap
  std::deque<Alarm> alarms;  // addresses stay
};

// A frame that has not left, or had not when it was last looked at. `pipe` and `last_arrival` are
// the connection's before it got its place, for taking it back.
struct SimNetwork::Leaving {
  Flight* flight = nullptr;
  uint64_t key = 0;    // of its draws
  Time ready = 0;      // when it was sent
  uint64_t bytes = 0;  // to go through the pipe yet
  Time departure = kNever;
  EventQueue::Handle arrival = 0;
  Pipe pipe;
  Time last_arrival = 0;
};

struct SimNetwork::Conditions {
  struct Sum {
    uint32_t weathers = 0;
    bool refuses = false;
    bool lookup_fails = false;
    bool clogged = false;
    bool half_open = false;
    std::string_view silence;  // why frames vanish; empty when they do not
    double slower = 1;
    std::vector<const ActiveWeather*> longer;  // those that add time
    double loss = 0;
    double duplication = 0;
    double corruption = 0;
    uint64_t narrow = 0;  // bytes a second; 0: no cap

    void add(const ActiveWeather& weather);
  };
  Sum sum;
  std::deque<Leaving> line;        // while clogged or narrow, in the order of sending
  std::vector<Flight*> caught;     // on their way when the clog began
  std::vector<Flight*> swallowed;  // half-open
  // Of storms that found the connection closed: set again when a frame comes. A storm keeps no time
  // meanwhile, which is all the same to an exponential one, and the world may get idle.
  std::vector<Alarm*> asleep;
};

// Chances that are independent of each other, as one.
inline double either(double a, double b) { return 1 - (1 - a) * (1 - b); }

// The smaller bandwidth, where 0 is none.
inline uint64_t narrower(uint64_t a, uint64_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

}  // namespace ringside::sim
