// Machine: cores, a clock and a disk. An event runs when a core is free; until then it waits in the
// order of arrival. While it runs it is charged for itself, its bytes and the work that the code
// declares; what it sends and writes departs at its start plus what was charged so far. With costs
// of zero nothing ever waits and no event is added. A machine that stands still has no core free
// until it moves again. The clock may be off and drift.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "runtime/clock.h"
#include "sim/disk_device.h"
#include "sim/kernel.h"
#include "sim/machine_clock.h"

namespace ringside::sim {

class Process;

class Machine final : public DiskEvents {
 public:
  // A place in the line for a core; never a Handle of the queue, never Timer::kIdle.
  using Ticket = uint64_t;
  static constexpr Ticket kTicketBit = uint64_t{1} << 63;

  Machine(Kernel& kernel, MachineId id, const MachineModel& model, Time wall_epoch);

  // From now on ties and the disk are drawn by the kernel's present seed.
  void reseed();

  MachineId id() const { return id_; }
  DiskDevice& disk() { return disk_; }
  const DiskDevice& disk() const { return disk_; }
  Process* process = nullptr;  // that was placed here
  bool powered = true;

  // Events of this machine, with ties drawn among its own.
  EventQueue::Handle schedule(Time at, EventKind kind, void* subject, uint64_t number);
  // `local`: when the machine's clock shows it, or at once where it does already.
  EventQueue::Handle schedule_timer(Time local, Timer& timer);
  void schedule(Time at, uint64_t id) override;  // DiskEvents

  // The cores.
  bool core_free() const { return earliest_free_ <= kernel_.now && waiting_.empty(); }
  Ticket wait(const QueuedEvent& event);
  void leave_line(Ticket ticket);  // the event was cancelled
  // When a core fell free: the next event, or false. To be followed by begin and end.
  bool next_in_line(QueuedEvent& event);
  // Everything that waits, for whoever must clean up; the machine is idle then.
  std::deque<QueuedEvent> stop();

  void begin(uint64_t bytes) {
    ++load_.events;
    units_ = 0;
    spent_ = cpu_.per_event;
    charge_bytes(bytes);
  }
  void charge_bytes(uint64_t bytes) {
    if (cpu_.per_byte != 0)
      spent_ += static_cast<Duration>(cpu_.per_byte * static_cast<double>(bytes));
  }
  void charge_units(uint64_t units) {
    units_ += units;
    spent_ += static_cast<Duration>(cpu_.speed * static_cast<double>(units));
  }
  void end() {
    if (spent_ != 0) occupy_core();
    if (!waiting_.empty()) ask_for_core();
  }
  uint64_t units() const { return units_; }
  // True time as the running code has got to.
  Time true_now() const { return kernel_.now + spent_; }

  // Standing still: no core is free before `until`, and work that had begun goes on then. A time
  // that is not later than what stands changes nothing, kNever means until `move_on`. Both say
  // whether anything changed.
  bool stand_still(Time until);
  bool move_on();
  bool stands() const { return stands_until_ > kernel_.now; }
  // Costs from the next event on, as many times the model's.
  void throttle(double slower);
  MachineLoad load() const;

  // The clocks.
  Time monotonic() const { return clock_.shows(true_now()); }
  Time wall() const { return monotonic() + wall_offset_; }
  void step_wall(Duration by) { wall_offset_ += by; }
  void set_drift(double ppm);
  // As if the clocks had never been disturbed, but for what the monotonic one has shown already.
  void reset_clock();

 private:
  void shift_work(Time old_end, Time new_end);
  void occupy_core();
  void ask_for_core();
  void withdraw();
  void reschedule_timers(const MachineClock& before);

  Kernel& kernel_;
  const MachineId id_;
  const MachineModel model_;
  uint64_t order_key_;
  uint64_t order_count_ = 0;
  DiskDevice disk_;

  CpuModel cpu_;             // the model's costs, throttled
  std::vector<Time> cores_;  // when each falls free
  Time earliest_free_ = 0;   // not before stands_until_ while that is ahead
  Time stands_until_ = 0;
  Time furthest_ = 0;  // in true time that running code has got to, pauses left out
  std::deque<QueuedEvent> waiting_;
  uint64_t first_ticket_ = 0;
  uint64_t cancelled_ = 0;  // of those that wait
  bool asked_ = false;
  EventQueue::Handle asked_handle_ = 0;
  Duration spent_ = 0;  // by the running event
  uint64_t units_ = 0;
  MachineLoad load_;

  MachineClock clock_;
  const Duration wall_offset_of_model_;
  Duration wall_offset_;  // to the monotonic clock
};

}  // namespace ringside::sim
