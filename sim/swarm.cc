#include "sim/swarm.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "runtime/check.h"
#include "sim/distribution.h"
#include "sim/draw.h"
#include "sim/math.h"

namespace ringside::sim {
namespace {

// What each draw is for. The numbers are part of the format: a seed's weather must not change with
// the code around it.
enum class SwarmPurpose : uint64_t {
  kSubset = 1,
  kCrash,
  kPowerLoss,
  kPartition,
  kBlackout,
  kTunable
};

constexpr uint64_t kSwarm = 0x5377'6172'6d00'0001;
constexpr int kKinds = 4;
// A machine that has just restarted is left alone for a moment, and so is the cluster around a
// blackout.
constexpr Duration kBreath = 200 * kMillisecond;

struct Window {
  Time begin = 0;
  Time end = 0;
  bool meets(const Window& other) const { return begin < other.end && other.begin < end; }
};

Window window_of(const Fault& fault) { return {fault.at - kBreath, fault.end() + kBreath}; }

bool strikes_machines(const Fault& fault) { return fault.kind != Fault::Kind::kPartition; }

// Log-uniform: short outages are as interesting as long ones.
int64_t log_uniform(Draw& draw, int64_t low, int64_t high) {
  const double ratio = static_cast<double>(high) / static_cast<double>(low);
  const double drawn = static_cast<double>(low) * pow(ratio, draw.uniform());
  return std::clamp(static_cast<int64_t>(drawn), low, high);
}

class Drawing {
 public:
  Drawing(uint64_t seed, const Topology& topology, const SwarmOptions& options)
      : seed_(seed), topology_(topology), options_(options) {}

  SwarmPlan plan() {
    const std::array<bool, kKinds> chosen = subset();
    // Blackouts first: the other faults keep clear of them. Within a kind, in order of time.
    if (chosen[3]) blackouts();
    if (chosen[0]) strikes(Fault::Kind::kCrash, SwarmPurpose::kCrash);
    if (chosen[1]) strikes(Fault::Kind::kPowerLoss, SwarmPurpose::kPowerLoss);
    if (chosen[2]) partitions();
    std::sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
      return std::tie(a.at, a.kind, a.machines, a.others) <
             std::tie(b.at, b.kind, b.machines, b.others);
    });
    return {.faults = std::move(faults_), .tunables = tunables()};
  }

 private:
  Draw draw_for(SwarmPurpose purpose, uint64_t nth = 0) const {
    return Draw::of(seed_, kSwarm, purpose, nth);
  }

  // Each allowed kind with a chance of two in three; a seed that chose none gets one of them.
  std::array<bool, kKinds> subset() const {
    const bool strikes = options_.budget > 0;
    const std::array<bool, kKinds> allowed = {
        options_.crashes && strikes, options_.power_losses && strikes,
        options_.partitions && options_.nodes.size() > 1, options_.blackouts};
    Draw draw = draw_for(SwarmPurpose::kSubset);
    std::array<bool, kKinds> chosen{};
    std::vector<int> candidates;
    bool any = false;
    for (int kind = 0; kind < kKinds; ++kind) {
      const bool taken = draw.chance(2.0 / 3);
      if (!allowed[kind]) continue;
      candidates.push_back(kind);
      chosen[kind] = taken;
      any = any || taken;
    }
    const uint64_t instead = draw.next();
    if (!any && !candidates.empty()) chosen[candidates[instead % candidates.size()]] = true;
    return chosen;
  }

  // Times at which a kind strikes: a first one, then at exponential intervals about a mean of this
  // seed's own. Calls `make(draw, at)` for each.
  template <class Make>
  void times(SwarmPurpose purpose, double slower, Make make) {
    Draw rate = draw_for(purpose);
    const auto mean = slower * static_cast<double>(
                                   log_uniform(rate, options_.interval_min, options_.interval_max));
    const Distribution gap = Distribution::exponential(mean).value();
    Time at = options_.start_after;
    for (uint64_t nth = 1;; ++nth) {
      Draw draw = draw_for(purpose, nth);
      // The first comes early enough that a short run meets it.
      const Duration room = options_.quiet_after - options_.start_after;
      const Duration wait = gap.sample(draw);
      at += nth == 1 ? wait % std::max<Duration>(room / 2, 1) : wait;
      if (at >= options_.quiet_after) return;
      make(draw, at);
    }
  }

  // Shortened to end in time; false when nothing worth the name is left.
  bool fit(Draw& draw, Fault& fault) const {
    fault.duration = log_uniform(draw, options_.down_min, options_.down_max);
    fault.duration = std::min(fault.duration, options_.quiet_after - fault.at);
    return fault.duration >= std::min(options_.down_min, kMillisecond);
  }

  void blackouts() {
    times(SwarmPurpose::kBlackout, 2, [this](Draw& draw, Time at) {
      Fault fault{.kind = Fault::Kind::kBlackout, .at = at, .machines = options_.nodes};
      std::sort(fault.machines.begin(), fault.machines.end());
      if (fit(draw, fault) && clear_of_strikes(fault)) faults_.push_back(std::move(fault));
    });
  }

  bool clear_of_strikes(const Fault& fault) const {
    return std::none_of(faults_.begin(), faults_.end(), [&fault](const Fault& other) {
      return strikes_machines(other) && window_of(other).meets(window_of(fault));
    });
  }

  // How many other machines are down at some moment of the fault's window, at most.
  uint32_t down_beside(const Fault& fault) const {
    uint32_t down = 0;
    for (const Fault& other : faults_) {
      if (strikes_machines(other) && window_of(other).meets(window_of(fault))) {
        down += static_cast<uint32_t>(other.machines.size());
      }
    }
    return down;
  }

  void strikes(Fault::Kind kind, SwarmPurpose purpose) {
    times(purpose, 1, [this, kind](Draw& draw, Time at) {
      const uint64_t index = draw.below(options_.nodes.size());
      Fault fault{.kind = kind, .at = at, .machines = {options_.nodes[index]}};
      if (!fit(draw, fault) || down_beside(fault) + 1 > options_.budget) return;
      const bool down_already =
          std::any_of(faults_.begin(), faults_.end(), [&fault](const Fault& other) {
            return strikes_machines(other) && window_of(other).meets(window_of(fault)) &&
                   std::find(other.machines.begin(), other.machines.end(), fault.machines[0]) !=
                       other.machines.end();
          });
      if (!down_already) faults_.push_back(std::move(fault));
    });
  }

  // The machines of one zone, or a random group that is neither empty nor everyone.
  std::vector<MachineId> one_side(Draw& draw) const {
    const std::vector<PlaceId> zones = topology_.places(PlaceKind::kZone);
    const bool by_zone = draw.chance(0.5);
    const uint64_t which = draw.next();
    std::vector<MachineId> side;
    if (by_zone && zones.size() > 1) {
      const PlaceId zone = zones[which % zones.size()];
      for (MachineId node : options_.nodes) {
        if (topology_.around(node, PlaceKind::kZone) == zone) side.push_back(node);
      }
      if (!side.empty() && side.size() < options_.nodes.size()) return side;
    }
    std::vector<MachineId> shuffled = options_.nodes;
    const uint64_t size = 1 + draw.below(shuffled.size() - 1);
    for (std::size_t i = 0; i < size; ++i)
      std::swap(shuffled[i], shuffled[i + draw.below(shuffled.size() - i)]);
    shuffled.resize(size);
    return shuffled;
  }

  void partitions() {
    times(SwarmPurpose::kPartition, 1, [this](Draw& draw, Time at) {
      Fault fault{.kind = Fault::Kind::kPartition, .at = at};
      if (!fit(draw, fault)) return;
      fault.machines = one_side(draw);
      for (MachineId node : options_.nodes) {
        if (std::find(fault.machines.begin(), fault.machines.end(), node) == fault.machines.end()) {
          fault.others.push_back(node);
        }
      }
      // Clients reach both sides, or each finds itself on one of them.
      const bool clients_too = draw.chance(0.5);
      for (MachineId client : options_.clients) {
        const bool near = draw.chance(0.5);
        if (clients_too) (near ? fault.machines : fault.others).push_back(client);
      }
      const bool one_way = draw.chance(0.25);
      const bool other_way = draw.chance(0.5);
      fault.both_ways = !one_way;
      fault.refuse = draw.chance(0.25);
      if (one_way && other_way) std::swap(fault.machines, fault.others);
      std::sort(fault.machines.begin(), fault.machines.end());
      std::sort(fault.others.begin(), fault.others.end());
      faults_.push_back(std::move(fault));
    });
  }

  // Usual half of the time, else an end of the range or a value between.
  std::vector<Tunable> tunables() const {
    std::vector<Tunable> drawn;
    for (const TunableRange& range : options_.tunables) {
      Draw draw = Draw::of(seed_, kSwarm, SwarmPurpose::kTunable, hash_bytes(range.name));
      const uint64_t choice = draw.below(8);
      const double between = draw.uniform();
      int64_t value = range.usual;
      if (choice == 0 || choice == 1) value = range.low;
      if (choice == 2) value = range.high;
      if (choice == 3) {
        value =
            range.low + static_cast<int64_t>(between * static_cast<double>(range.high - range.low));
      }
      drawn.push_back({.name = range.name, .value = value});
    }
    return drawn;
  }

  uint64_t seed_;
  const Topology& topology_;
  const SwarmOptions& options_;
  std::vector<Fault> faults_;
};

Error invalid_swarm(std::string message) {
  return Error{Code::kInvalid, "swarm: " + std::move(message)};
}

std::string names(const std::vector<MachineId>& machines, const Topology& topology) {
  std::string text;
  for (MachineId machine : machines)
    text += (text.empty() ? "" : ", ") + topology.machine_name(machine);
  return text;
}

}  // namespace

const char* fault_kind_name(Fault::Kind kind) {
  switch (kind) {
    case Fault::Kind::kCrash: return "crash";
    case Fault::Kind::kPowerLoss: return "power loss";
    case Fault::Kind::kBlackout: return "blackout";
    case Fault::Kind::kPartition: return "partition";
  }
  return "?";
}

std::string describe(const Fault& fault, const Topology& topology) {
  const std::string length = describe_duration(static_cast<double>(fault.duration));
  std::string text = describe_duration(static_cast<double>(fault.at)) + " ";
  if (fault.kind == Fault::Kind::kPartition) {
    text += std::string("partition ") + (fault.both_ways ? "" : "one way ") + "{" +
            names(fault.machines, topology) + (fault.both_ways ? "} | {" : "} -> {") +
            names(fault.others, topology) + "}" + (fault.refuse ? ", refused" : "") +
            ", healed after " + length;
  } else if (fault.kind == Fault::Kind::kBlackout) {
    text += "blackout of all " + std::to_string(fault.machines.size()) +
            " machines, power back after " + length;
  } else {
    text += std::string(fault_kind_name(fault.kind)) + " of " + names(fault.machines, topology) +
            ", restart after " + length;
  }
  return text;
}

Result<SwarmPlan> draw_swarm(uint64_t seed, const Topology& topology, const SwarmOptions& options) {
  if (options.nodes.empty()) return invalid_swarm("there are no nodes to strike");
  for (const std::vector<MachineId>* machines : {&options.nodes, &options.clients}) {
    for (MachineId machine : *machines) {
      if (machine >= topology.machines()) return invalid_swarm("a machine is not in the topology");
    }
  }
  if (options.start_after < 0 || options.quiet_after <= options.start_after) {
    return invalid_swarm("faults must end (quiet_after) later than they start (start_after)");
  }
  if (options.interval_min <= 0 || options.interval_max < options.interval_min) {
    return invalid_swarm("the interval between faults needs 0 < min <= max");
  }
  if (options.down_min <= 0 || options.down_max < options.down_min) {
    return invalid_swarm("the length of a fault needs 0 < min <= max");
  }
  for (const TunableRange& range : options.tunables) {
    if (range.low > range.usual || range.usual > range.high) {
      return invalid_swarm("tunable " + range.name + " needs low <= usual <= high");
    }
  }
  return Drawing(seed, topology, options).plan();
}

}  // namespace ringside::sim
