// Machine: cores, a clock and a disk. An event runs when a core is free; until then it waits in the
// order of arrival. While it runs it is charged for itself, its bytes and the work that the code
// declares; what it sends and writes departs at its start plus what was charged so far. With costs
// of zero nothing ever waits and no event is added. The clock may be off and drift.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "runtime/clock.h"
#include "sim/disk_device.h"
#include "sim/kernel.h"

namespace ringside::sim {

class Process;

class Machine final : public DiskEvents {
 public:
  // A place in the line for a core; never a Handle of the queue, never Timer::kIdle.
  using Ticket = uint64_t;
  static constexpr Ticket kTicketBit = uint64_t{1} << 63;

  Machine(Kernel& kernel, MachineId id, const MachineModel& model, Time wall_epoch);

  MachineId id() const { return id_; }
  DiskDevice& disk() { return disk_; }
  const DiskDevice& disk() const { return disk_; }
  Process* process = nullptr;  // that was placed here
  bool powered = true;

  // Events of this machine, with ties drawn among its own.
  EventQueue::Handle schedule(Time at, EventKind kind, void* subject, uint64_t number);
  EventQueue::Handle schedule_timer(Time at, Timer& timer);
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
    units_ = 0;
    spent_ = model_.cpu.per_event;
    charge_bytes(bytes);
  }
  void charge_bytes(uint64_t bytes) {
    if (model_.cpu.per_byte != 0)
      spent_ += static_cast<Duration>(model_.cpu.per_byte * static_cast<double>(bytes));
  }
  void charge_units(uint64_t units) {
    units_ += units;
    spent_ += static_cast<Duration>(model_.cpu.speed * static_cast<double>(units));
  }
  void end() {
    if (spent_ != 0) occupy_core();
    if (!waiting_.empty()) ask_for_core();
  }
  uint64_t units() const { return units_; }
  // True time as the running code has got to.
  Time true_now() const { return kernel_.now + spent_; }

  // The clocks.
  Time monotonic() const { return to_local(true_now()); }
  Time wall() const { return monotonic() + wall_offset_; }
  void step_wall(Duration by) { wall_offset_ += by; }
  // The first moment of true time at which this machine's clock shows `local` or more.
  Time to_true(Time local) const { return drift_ppb_ == 0 ? local : to_true_drifted(local); }

 private:
  Time to_local(Time time) const { return drift_ppb_ == 0 ? time : drifted(time); }
  Time drifted(Time time) const;
  Time to_true_drifted(Time local) const;
  void occupy_core();
  void ask_for_core();

  Kernel& kernel_;
  const MachineId id_;
  const MachineModel model_;
  const uint64_t order_key_;
  uint64_t order_count_ = 0;
  DiskDevice disk_;

  std::vector<Time> cores_;  // when each falls free
  Time earliest_free_ = 0;
  std::deque<QueuedEvent> waiting_;
  uint64_t first_ticket_ = 0;
  bool asked_ = false;
  EventQueue::Handle asked_handle_ = 0;
  Duration spent_ = 0;  // by the running event
  uint64_t units_ = 0;

  int64_t drift_ppb_ = 0;
  Duration wall_offset_ = 0;
};

}  // namespace ringside::sim
