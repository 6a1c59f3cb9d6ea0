#include "sim/machine.h"

#include <algorithm>
#include <utility>

#include "sim/process.h"

namespace ringside::sim {
namespace {

constexpr int64_t kBillion = 1'000'000'000;

Time scale(Time time, int64_t numerator, int64_t denominator) {
  return static_cast<Time>(static_cast<__int128>(time) * numerator / denominator);
}

}  // namespace

Machine::Machine(Kernel& kernel, MachineId id, const MachineModel& model, Time wall_epoch)
    : kernel_(kernel),
      id_(id),
      model_(model),
      order_key_(kernel.draw(Purpose::kOrder, id).next()),
      disk_(model_.disk, kernel.draw(Purpose::kDisk, id).next(), *this),
      cores_(std::max<uint32_t>(model.cpu.cores, 1), 0),
      drift_ppb_(static_cast<int64_t>(model.clock.drift_ppm * 1000)),
      wall_offset_(wall_epoch + model.clock.offset) {
  CHECK(drift_ppb_ > -kBillion / 2 && drift_ppb_ < kBillion / 2);
}

EventQueue::Handle Machine::schedule(Time at, EventKind kind, void* subject, uint64_t number) {
  const uint64_t order = mix(order_key_, order_count_++);
  return kernel_.queue.insert(std::max(at, kernel_.now), order,
                              {subject, {number}, process->index(), tag_of(kind)});
}

// A timer lives in a coroutine's frame, whose head comes a little before it.
EventQueue::Handle Machine::schedule_timer(Time at, Timer& timer) {
  EventPayload payload{&timer, {0}, process->index(), tag_of(EventKind::kTimer)};
  payload.hint = static_cast<const char*>(payload.subject) - 64;
  return kernel_.queue.insert(std::max(at, kernel_.now), mix(order_key_, order_count_++), payload);
}

void Machine::schedule(Time at, uint64_t id) { schedule(at, EventKind::kDisk, nullptr, id); }

Machine::Ticket Machine::wait(const QueuedEvent& event) {
  waiting_.push_back(event);
  ask_for_core();
  return kTicketBit | (first_ticket_ + waiting_.size() - 1);
}

void Machine::leave_line(Ticket ticket) {
  const uint64_t number = ticket & ~kTicketBit;
  CHECK(number >= first_ticket_ && number - first_ticket_ < waiting_.size());
  waiting_[number - first_ticket_].payload.subject = nullptr;
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
  }
  return false;
}

std::deque<QueuedEvent> Machine::stop() {
  if (std::exchange(asked_, false)) kernel_.queue.cancel(asked_handle_);
  std::fill(cores_.begin(), cores_.end(), 0);
  earliest_free_ = 0;
  spent_ = 0;
  first_ticket_ += waiting_.size();
  return std::exchange(waiting_, {});
}

void Machine::occupy_core() {
  const auto core = std::min_element(cores_.begin(), cores_.end());
  CHECK(*core <= kernel_.now);
  *core = kernel_.now + spent_;
  spent_ = 0;
  earliest_free_ = *std::min_element(cores_.begin(), cores_.end());
}

void Machine::ask_for_core() {
  if (std::exchange(asked_, true)) return;
  const uint64_t order = mix(order_key_, order_count_++);
  asked_handle_ = kernel_.queue.insert(std::max(earliest_free_, kernel_.now), order,
                                       {this, {0}, process->index(), kTagCoreFree});
}

Time Machine::drifted(Time time) const { return time + scale(time, drift_ppb_, kBillion); }

Time Machine::to_true_drifted(Time local) const {
  Time time = scale(local, kBillion, kBillion + drift_ppb_);
  while (drifted(time) >= local && time > 0) --time;
  while (drifted(time) < local) ++time;
  return time;
}

}  // namespace ringside::sim
