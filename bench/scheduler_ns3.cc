#include <ns3/calendar-scheduler.h>
#include <ns3/heap-scheduler.h>
#include <ns3/map-scheduler.h>
#include <ns3/nstime.h>
#include <ns3/object-factory.h>
#include <ns3/priority-queue-scheduler.h>
#include <ns3/ptr.h>
#include <ns3/simple-ref-count.h>
#include <ns3/simulator.h>

#include "bench/rows.h"
#include "bench/scheduler.h"
#include "runtime/random.h"

namespace ringside::bench {
namespace {

struct Message : ns3::SimpleRefCount<Message> {
  char bytes[16] = {};
};

// Counts what ran, and takes the time between the end of the warm-up and the last event.
struct Run {
  Random random{1};
  uint64_t ran = 0;
  uint64_t warm = 0;
  uint64_t last = 0;
  double started = 0;
  double seconds = 0;

  ns3::Time delay() { return ns3::MicroSeconds(1 + random.below(kDelayMax)); }
  // False when it is enough.
  bool count() {
    ++ran;
    if (ran == warm) started = cpu_seconds();
    if (ran < last) return true;
    if (ran == last) {
      seconds = cpu_seconds() - started;
      ns3::Simulator::Stop();
    }
    return false;
  }
};

Run* run = nullptr;

void timer_fires(uint32_t index) {
  if (run->count()) ns3::Simulator::Schedule(run->delay(), &timer_fires, index);
}

void message_arrives(uint32_t from, uint32_t to, ns3::Ptr<Message> message) {
  if (run->count())
    ns3::Simulator::ScheduleWithContext(from, run->delay(), &message_arrives, to, from, message);
}

}  // namespace

const std::vector<std::string>& ns3_schedulers() {
  static const std::vector<std::string> names = {"ns3::MapScheduler", "ns3::HeapScheduler",
                                                 "ns3::CalendarScheduler",
                                                 "ns3::PriorityQueueScheduler"};
  return names;
}

double ns3(const std::string& scheduler, Pattern pattern, uint32_t pending, uint64_t events) {
  ns3::ObjectFactory factory;
  factory.SetTypeId(scheduler);
  ns3::Simulator::SetScheduler(factory);
  Run mine;
  mine.warm = 2 * pending;
  mine.last = mine.warm + events;
  run = &mine;
  for (uint32_t i = 0; i < pending; ++i) {
    if (pattern == Pattern::kTimers) {
      ns3::Simulator::Schedule(mine.delay(), &timer_fires, i);
    } else {
      const uint32_t from = i % kProcesses;
      const uint32_t to = (from + 1 + i / kProcesses % (kProcesses - 1)) % kProcesses;
      ns3::Simulator::ScheduleWithContext(to, mine.delay(), &message_arrives, from, to,
                                          ns3::Create<Message>());
    }
  }
  ns3::Simulator::Run();
  ns3::Simulator::Destroy();
  return static_cast<double>(events) / mine.seconds;
}

}  // namespace ringside::bench
