// World: one seeded, single-threaded universe. It owns virtual time, the machines with their disks
// and clocks, the network between them and the processes that run on them, and it knows nothing of
// what those processes are. Everything that happens is an event; every event that ran enters the
// fingerprint. Plain structs in, observations out: lab/ translates scenarios into these and judges
// what the Observer saw.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host.h"
#include "sim/disk_image.h"
#include "sim/disk_model.h"
#include "sim/disk_trouble.h"
#include "sim/distribution.h"
#include "sim/topology.h"
#include "sim/weather.h"

namespace ringside::sim {

// What a process runs; it ends when the task does. It is made anew at every (re)start.
using Program = std::function<Task<void>(Host&)>;

// Index of a machine in the topology. One machine runs at most one process; the process's NodeId is
// given by the lab.
using MachineId = uint32_t;

struct CpuModel {
  uint32_t cores = 1;
  Duration per_event = 0;  // charged for every event that the machine runs
  double per_byte = 0;     // nanoseconds for each byte of a frame or of disk data
  double speed = 1.0;      // nanoseconds for a charged unit
};

struct ClockModel {
  Duration offset = 0;   // of the wall clock at time 0
  double drift_ppm = 0;  // of the monotonic and the wall clock
};

struct MachineModel {
  CpuModel cpu;
  ClockModel clock;
  DiskModel disk;
};

// Latency by frame kind where given, by link otherwise. Loss and duplication are probabilities a
// frame.
struct NetworkModel {
  struct KindLatency {
    FrameKind kind = 0;
    Distribution latency;
    Duration between_regions = 0;  // more, from one region to another
  };
  std::vector<KindLatency> by_kind;  // replaces the link's latency
  double loss = 0;
  double duplication = 0;
  bool ordered = false;              // frames of one link never overtake each other
  uint64_t window_bytes = 4u << 20;  // in flight to one peer before send says no
};

struct WorldSpec {
  uint64_t seed = 1;
  Topology topology;
  NetworkModel network;
  std::vector<MachineModel> machines;  // one a machine of the topology
  Time wall_epoch = 1'700'000'000 * kSecond;
};

// What an event is, for the fingerprint, the dump and the log. Values are part of the fingerprint:
// append only.
enum class EventKind : uint8_t {
  kTimer,     // a timer of a process fires
  kFrame,     // a frame arrives
  kDisk,      // a disk call completes
  kStart,     // a process starts to run
  kAction,    // World::at
  kPeerLost,  // a process learns that a peer refused or reset
  kWritable,  // a process learns that a window has room
  kWeather,   // a flap turns, or a storm resets a connection
};
const char* event_kind_name(EventKind kind);

// One event that ran. `hash` is the fingerprint after it.
struct EventRecord {
  uint64_t index = 0;  // 1 for the first
  Time time = 0;
  EventKind kind = EventKind::kTimer;
  NodeId node = kNoNode;  // whose machine ran it; kNoNode for kAction
  uint64_t payload = 0;   // what was hashed of its content
  uint64_t hash = 0;
  const Frame* frame = nullptr;  // of kFrame
};

// The fingerprint after `events` events, at `time`.
struct Checkpoint {
  uint64_t events = 0;
  Time time = 0;
  uint64_t hash = 0;
};

// What happened, in true time, as an outsider sees it. Called while the event runs; must not call
// back into the world.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_send(Time at, const Frame& frame) {}
  virtual void on_deliver(Time at, const Frame& frame) {}
  virtual void on_lost(Time at, const Frame& frame, std::string_view why) {}
  virtual void on_probe(Time at, NodeId node, std::string_view name) {}
  virtual void on_trace(Time at, NodeId node, const TraceEvent& event) {}
  virtual void on_start(Time at, NodeId node, uint64_t incarnation) {}
  // A process is no more: "crash", "power loss", "out of memory", "end" (its program returned) or
  // what it said to Host::abort.
  virtual void on_stop(Time at, NodeId node, std::string_view why) {}
  // A disk call is done; the process learns of it now.
  virtual void on_disk(Time at, NodeId node, const DiskCall& call) {}
  // Every fault as it takes effect, for the log.
  virtual void on_fault(Time at, std::string_view what) {}
};

struct Counters {
  uint64_t events = 0;
  uint64_t frames_sent = 0;
  uint64_t frames_delivered = 0;
  uint64_t frames_lost = 0;
  uint64_t frame_bytes = 0;
  uint64_t disk_calls = 0;
  uint64_t timers = 0;  // that fired
  uint64_t kills = 0;   // processes that ended for any reason
  uint64_t frames_corrupted = 0;
  uint64_t frames_duplicated = 0;
  uint64_t resets = 0;  // connections whose sender was told kReset
};

// What a machine has done so far.
struct MachineLoad {
  uint64_t events = 0;        // that it ran
  Duration busy = 0;          // charged work of all its cores, in nanoseconds; 0 with costs of zero
  uint64_t line = 0;          // events that wait for a core now
  uint64_t longest_line = 0;  // most that ever waited at once, through pauses too
};

class World {
 public:
  explicit World(WorldSpec spec);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Setting up. A process is not running until `start`.
  void place(NodeId node, MachineId machine, Program program);
  void start(NodeId node);
  void set_observer(Observer* observer);  // may be null; does not change the run
  void set_tracing(bool enabled);         // whether Trace::event reaches the observer

  // Running.
  Time now() const;
  bool step(Time until = kNever);  // one event; false when none is left up to and including `until`
  void run_until(Time until);      // events up to and including `until`; now() is `until` after
  bool idle() const;               // no event is left at all
  uint64_t events() const;
  uint64_t fingerprint() const;
  const Counters& counters() const;
  // Calls `sink` after every `every`-th event: the checkpoints of a recording. 0: never.
  void checkpoint_every(uint64_t every, std::function<void(const Checkpoint&)> sink);
  // Calls `sink` after every event: a dump for bisection, or a place to stop. Null: never. Changes
  // nothing about the run.
  void set_event_sink(std::function<void(const EventRecord&)> sink);
  // Runs `action` as an event of its own (faults of a schedule, the end of a phase). `label` enters
  // the fingerprint.
  void at(Time when, std::string label, std::function<void()> action);

  // From now on, between two events, the world draws by another seed: the fate of frames, the order
  // of equal times, the disks' latencies and troubles, what a death leaves on a disk, and the
  // streams of processes, those that run too. What was drawn stays: frames on their way, events to
  // come.
  void reseed(uint64_t seed);

  // Processes and machines. Each takes effect when control is in the world (from `at` or between
  // steps).
  bool running(NodeId node) const;
  bool powered(MachineId machine) const;
  uint64_t incarnation(NodeId node) const;  // starts so far
  // The process dies; what was written but not synced stays with the machine.
  void crash(NodeId node);
  // The machine stops; unsynced pages are drawn kept, dropped or garbage.
  void power_loss(MachineId machine);
  // Powers the machine on when needed, and starts the program. Nothing when it runs.
  void restart(NodeId node);
  // Like a crash, as the kernel kills it: its peers see what they see at a crash.
  void out_of_memory(NodeId node);

  // Machines that are slow, and their clocks; see sim/README.md for what meets what.
  // Stands still until `until` (kNever: until resumed): its events wait, timers too, and run in the
  // order of arrival afterwards; frames for it are taken, and nobody is told. Its clocks go on. A
  // later `until` extends a pause; an earlier one changes nothing, nor does a pause without power.
  void pause(MachineId machine, Time until);
  void resume(MachineId machine);  // ends a pause early; nothing when there is none
  bool paused(MachineId machine) const;
  // All costs of its CpuModel, so many times. 1 (the model's own) to 1,000,000; work that was
  // charged stays as it was. Without costs it does nothing.
  void throttle(MachineId machine, double slower);
  void step_wall_clock(MachineId machine, Duration by);  // forward or back; the wall clock alone
  // The monotonic and the wall clock run fast (above 0) or slow by so many parts per million from
  // now on, above -500,000 and below 500,000; neither jumps. Pending timers move with the clock.
  void set_drift(MachineId machine, double ppm);
  // Undoes set_drift and step_wall_clock: the model's drift, and the wall clock shows what it would
  // without them (to a nanosecond). The monotonic clock keeps what it gained or lost.
  void reset_clock(MachineId machine);
  MachineLoad machine_load(MachineId machine) const;

  // A probe's fault: called at most once, when `node` (kNoNode: any) reaches `probe`. `action` runs
  // when control is back in the world. Unless `lives`, the process's calls are ignored from the
  // probe on, and if it still runs after `action`, it is crashed.
  void on_probe(std::string probe, NodeId node, std::function<void(NodeId reached)> action,
                bool lives = false);

  // The network. What begins must be valid (sim/weather.h). A flap has events to come as long as
  // it is on, so that the world does not get idle. False when there was nothing to end.
  using WeatherId = uint64_t;
  WeatherId begin_weather(const LinkWeather& weather);
  bool end_weather(WeatherId id);
  bool clear_weather();

  // Disks. A copy shares the bytes until one side changes them.
  DiskImage image(NodeId node) const;
  void set_image(NodeId node, DiskImage image);  // while the process is not running
  // Faults (disk_trouble.h). Several troubles of a machine overlap; an id is never used again.
  // Calls in flight are struck too.
  using TroubleId = uint64_t;
  TroubleId begin_trouble(MachineId machine, const DiskTrouble& trouble);
  bool end_trouble(TroubleId id);  // false when it has ended
  bool clear_troubles();           // all machines'; false when there was none
  // Flips drawn bits of what is durable, for good, in files whose path contains `files` (empty:
  // all); returns how many. `mend` takes back that and what misdirected writes did, to the byte.
  uint64_t rot(MachineId machine, std::string_view files, uint64_t flips);
  bool mend(MachineId machine);  // false when nothing was wrong
  const DiskCounters& disk_counters(MachineId machine) const;

  const Topology& topology() const;
  MachineId machine_of(NodeId node) const;
  // Bytes that the world holds, and how much of it each machine's disk image takes.
  uint64_t image_bytes(NodeId node) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringside::sim
