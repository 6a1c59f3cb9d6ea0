#include "bench/published_search.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "runtime/random.h"

namespace ringside::bench {
namespace {

struct Entry {
  uint32_t call = 0;
  uint32_t returns = 0;  // of a call: the entry of its return; of a return: 0
  uint32_t previous = 0, next = 0;
};
struct Configuration {
  std::vector<uint64_t> done;
  uint64_t state;
  bool operator==(const Configuration&) const = default;
};
struct Step {
  uint32_t entry;
  uint64_t state;  // before it
};

// By time, calls before returns at one instant; entry 0 is the head.
std::vector<Entry> entries_of(const Calls& calls) {
  struct Event {
    Time at;
    bool returns;
    uint32_t call;
  };
  std::vector<Event> events;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    events.push_back({calls.calls[i].begin, false, i});
    events.push_back({calls.calls[i].end, true, i});
  }
  std::ranges::sort(events, {}, [](const Event& e) { return std::tuple(e.at, e.returns, e.call); });
  std::vector<Entry> entries(1);
  std::vector<uint32_t> entry_of(calls.calls.size());
  for (const Event& event : events) {
    const auto at = static_cast<uint32_t>(entries.size());
    if (event.returns) {
      entries[entry_of[event.call]].returns = at;
    } else {
      entry_of[event.call] = at;
    }
    entries.push_back({event.call, 0, at - 1, at + 1});
  }
  entries[0].next = 1;
  entries.back().next = 0;
  return entries;
}

uint64_t hash_of(const Configuration& configuration) {
  uint64_t hash = mix(configuration.state);
  for (const uint64_t word : configuration.done) hash = mix(word, hash);
  return hash;
}

}  // namespace

bool published_search(const Calls& calls) {
  std::vector<Entry> entries = entries_of(calls);
  const auto unlink = [&](uint32_t at) {
    entries[entries[at].previous].next = entries[at].next;
    entries[entries[at].next].previous = entries[at].previous;
  };
  const auto relink = [&](uint32_t at) {
    entries[entries[at].previous].next = at;
    entries[entries[at].next].previous = at;
  };
  std::unordered_map<uint64_t, std::vector<Configuration>> visited;  // looked up only
  Configuration now{std::vector<uint64_t>(calls.calls.size() / 64 + 1), kAbsent};
  std::vector<Step> steps;
  uint32_t at = entries[0].next;
  while (entries[0].next != 0) {
    const Entry& entry = entries[at];
    if (entry.returns != 0) {
      const Call& call = calls.calls[entry.call];
      const bool writes = call.act == Act::kWrite;
      if (writes || call.value == now.state) {
        Configuration next = now;
        next.done[entry.call / 64] |= uint64_t{1} << entry.call % 64;
        if (writes) next.state = call.value;
        std::vector<Configuration>& same_hash = visited[hash_of(next)];
        if (std::ranges::find(same_hash, next) == same_hash.end()) {
          same_hash.push_back(next);
          steps.push_back({at, now.state});
          now = std::move(next);
          unlink(at);
          unlink(entry.returns);
          at = entries[0].next;
          continue;
        }
      }
      at = entry.next;
      continue;
    }
    if (steps.empty()) return false;
    const Step step = steps.back();
    steps.pop_back();
    now.state = step.state;
    const uint32_t call = entries[step.entry].call;
    now.done[call / 64] &= ~(uint64_t{1} << call % 64);
    relink(entries[step.entry].returns);
    relink(step.entry);
    at = entries[step.entry].next;
  }
  return true;
}

}  // namespace ringside::bench
