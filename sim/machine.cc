#include "sim/machine.h"

#include <algorithm>
#include <utility>

#include "sim/process.h"

namespace ringside::sim {
namespace {

// A pause without an end: far enough that no run gets there, near enough to add to it.
constexpr Time kForever = kNever / 2;

}  // namespace

Machine::Machine(Kernel& kernel, MachineId id, const MachineModel& model, Time wall_epoch)
    : kernel_(kernel),
      id_(id),
      model_(model),
      order_key_(kernel.draw(Purpose::kOrder, id).next()),
      disk_(model_.disk, kernel.draw(Purpose::kDisk, id).next(), *this),
      cpu_(model.cpu),
      cores_(std::max<uint32_t>(model.cpu.cores, 1), 0),
      clock_(model.clock.drift_ppm),
      wall_offset_of_model_(wall_epoch + model.clock.offset),
      wall_offset_(wall_offset_of_model_) {}

void Machine::reseed() {
  order_key_ = kernel_.draw(Purpose::kOrder, id_).next();
  disk_.reseed(kernel_.draw(Purpose::kDisk, id_).next());
}

EventQueue::Handle Machine::schedule(Time at, EventKind kind, void* subject, uint64_t number) {
  const uint64_t order = mix(order_key_, order_count_++);
  return kernel_.queue.insert(std::max(at, kernel_.now), order,
                              {subject, {number}, process->index(), tag_of(kind)});
}

// A timer lives in a coroutine's frame, whose head comes a little before it. Where true time does
// not say what the timer waits for, the event's number does.
EventQueue::Handle Machine::schedule_timer(Time local, Timer& timer) {
  EventPayload payload{&timer, {0}, process->index(), tag_of(EventKind::kTimer)};
  if (clock_.exact()) {
    payload.hint = static_cast<const char*>(payload.subject) - 64;
  } else {
    payload.number = static_cast<uint64_t>(local);
  }
  return kernel_.queue.insert(std::max(clock_.when(local), kernel_.now),
                              mix(order_key_, order_count_++), payload);
}

void Machine::schedule(Time at, uint64_t id) { schedule(at, EventKind::kDisk, nullptr, id); }

Machine::Ticket Machine::wait(const QueuedEvent& event) {
  waiting_.push_back(event);
  load_.longest_line = std::max<uint64_t>(load_.longest_line, waiting_.size() - cancelled_);
  ask_for_core();
  return kTicketBit | (first_ticket_ + waiting_.size() - 1);
}

void Machine::leave_line(Ticket ticket) {
  const uint64_t number = ticket & ~kTicketBit;
  CHECK(number >= first_ticket_ && number - first_ticket_ < waiting_.size());
  waiting_[number - first_ticket_].payload.subject = nullptr;
  ++cancelled_;
}

bool Machine::next_in_line(QueuedEvent& event) {
  asked_ = false;
  while (!waiting_.empty()) {
    event = waiting_.front();
    waiting_.pop_front();
    ++first_ticket_;
    const bool cancelled =
        event.payload.tag == tag_of(EventKind::kTimer) && event.payload.subject == nullptr;
    if (!cancelled) return true;
    --cancelled_;
  }
  return false;
}

std::deque<QueuedEvent> Machine::stop() {
  withdraw();
  std::fill(cores_.begin(), cores_.end(), 0);
  earliest_free_ = stands_until_;
  spent_ = 0;
  cancelled_ = 0;
  first_ticket_ += waiting_.size();
  return std::exchange(waiting_, {});
}

void Machine::occupy_core() {
  const auto core = std::min_element(cores_.begin(), cores_.end());
  CHECK(*core <= kernel_.now);
  *core = kernel_.now + spent_;
  furthest_ = std::max(furthest_, *core);
  load_.busy += spent_;
  spent_ = 0;
  earliest_free_ = *std::min_element(cores_.begin(), cores_.end());
}

void Machine::ask_for_core() {
  if (earliest_free_ >= kForever || std::exchange(asked_, true)) return;
  const uint64_t order = mix(order_key_, order_count_++);
  asked_handle_ = kernel_.queue.insert(std::max(earliest_free_, kernel_.now), order,
                                       {this, {0}, process->index(), kTagCoreFree});
}

void Machine::withdraw() {
  if (std::exchange(asked_, false)) kernel_.queue.cancel(asked_handle_);
}

bool Machine::stand_still(Time until) {
  until = std::min(until, kForever);
  const Time end = std::max(stands_until_, kernel_.now);
  if (until <= end) return false;
  shift_work(end, until);
  return true;
}

bool Machine::move_on() {
  if (!stands()) return false;
  shift_work(stands_until_, kernel_.now);
  return true;
}

// A core that is busy past the old end of the standstill has that much work left at the new one.
void Machine::shift_work(Time old_end, Time new_end) {
  for (Time& core : cores_)
    if (core > old_end) core += new_end - old_end;
  stands_until_ = new_end;
  earliest_free_ = std::max(new_end, *std::min_element(cores_.begin(), cores_.end()));
  withdraw();
  if (!waiting_.empty()) ask_for_core();
}

void Machine::throttle(double slower) {
  cpu_.per_event = static_cast<Duration>(static_cast<double>(model_.cpu.per_event) * slower + 0.5);
  cpu_.per_byte = model_.cpu.per_byte * slower;
  cpu_.speed = model_.cpu.speed * slower;
}

MachineLoad Machine::load() const {
  MachineLoad load = load_;
  load.line = waiting_.size() - cancelled_;
  return load;
}

// Code that is charged for work has read the clock ahead of `now`; the change takes hold after it.
void Machine::set_drift(double ppm) {
  const MachineClock before = clock_;
  clock_.set_drift(kernel_.now, std::max(kernel_.now, furthest_), ppm);
  reschedule_timers(before);
}

void Machine::reset_clock() {
  const MachineClock before = clock_;
  const MachineClock undisturbed(model_.clock.drift_ppm);
  const Time from =
      clock_.set_drift(kernel_.now, std::max(kernel_.now, furthest_), model_.clock.drift_ppm);
  wall_offset_ = wall_offset_of_model_ + undisturbed.shows(from) - clock_.shows(from);
  reschedule_timers(before);
}

// Each keeps its priority, which was drawn when it was set.
void Machine::reschedule_timers(const MachineClock& before) {
  if (process == nullptr || clock_.exact()) return;
  for (const EventQueue::Pending& pending :
       kernel_.queue.pending(process->index(), tag_of(EventKind::kTimer))) {
    EventPayload payload = pending.event.payload;
    if (before.exact()) payload.number = static_cast<uint64_t>(pending.event.time);
    const Time at = std::max(clock_.when(static_cast<Time>(payload.number)), kernel_.now);
    if (!before.exact() && at == pending.event.time) continue;
    kernel_.queue.cancel(pending.handle);
    static_cast<Timer*>(payload.subject)->slot =
        kernel_.queue.insert(at, pending.event.priority, payload);
  }
}

}  // namespace ringside::sim
