#include "sim/swarm.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "runtime/check.h"
#include "sim/distribution.h"
#include "sim/draw.h"
#include "sim/swarm_families.h"

namespace ringside::sim {
namespace {

// What each draw is for. The numbers are part of the format: a seed's weather must not change with
// the code around it.
enum class SwarmPurpose : uint64_t {
  kSubset = 1,
  kFirstFamilies,  // the first four families; the others follow kDamageable
  kTunable = 6,
  kDamageable,
  kFamilies,  // 8 + 4 and up
  kInstead = 64,
};

constexpr uint64_t kSwarm = 0x5377'6172'6d00'0001;
constexpr int kFirstFamilies = 4;

uint64_t purpose_of(Family family) {
  const auto number = static_cast<uint64_t>(family);
  const SwarmPurpose base =
      number < kFirstFamilies ? SwarmPurpose::kFirstFamilies : SwarmPurpose::kFamilies;
  return static_cast<uint64_t>(base) + number;
}
// A machine that has just restarted is left alone for a moment, and so is the cluster around a
// blackout.
constexpr Duration kBreath = 200 * kMillisecond;

struct Window {
  Time begin = 0;
  Time end = 0;
  bool meets(const Window& other) const { return begin < other.end && other.begin < end; }
};

Window window_of(const Fault& fault) { return {fault.at - kBreath, fault.end() + kBreath}; }

// Machines that are down, or may be because their disk makes the node give up.
bool keeps_down(const Fault& fault) {
  return fault.takes_down() || (fault.kind == Fault::Kind::kDisk && fault.disk.bad_mean == 0);
}

class Drawing {
 public:
  Drawing(uint64_t seed, const Topology& topology, const SwarmOptions& options)
      : seed_(seed), topology_(topology), options_(options) {}

  SwarmPlan plan() {
    choose_damageable();
    const std::array<bool, kFamilies> chosen = subset();
    // Blackouts first: the other faults keep clear of them. Within a family, in order of time.
    if (chosen[static_cast<int>(Family::kBlackout)]) blackouts();
    for (int family = 0; family < kFamilies; ++family) {
      if (!chosen[family] || family == static_cast<int>(Family::kBlackout)) continue;
      if (family == static_cast<int>(Family::kPartition)) {
        partitions();
      } else {
        strikes(static_cast<Family>(family));
      }
    }
    std::sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
      return std::tie(a.at, a.kind, a.machines, a.links.from, a.links.to) <
             std::tie(b.at, b.kind, b.machines, b.links.from, b.links.to);
    });
    return {.faults = std::move(faults_), .tunables = tunables()};
  }

 private:
  Draw draw_for(SwarmPurpose purpose, uint64_t nth = 0) const {
    return Draw::of(seed_, kSwarm, purpose, nth);
  }

  // The machines whose durable data this seed may damage.
  void choose_damageable() {
    damageable_ = options_.nodes;
    const std::size_t most = std::min<std::size_t>(options_.budget, damageable_.size());
    Draw draw = draw_for(SwarmPurpose::kDamageable);
    for (std::size_t i = 0; i < most; ++i)
      std::swap(damageable_[i], damageable_[i + draw.below(damageable_.size() - i)]);
    damageable_.resize(most);
  }

  bool possible(Family family) const {
    if (std::find(options_.families.begin(), options_.families.end(), family) ==
        options_.families.end()) {
      return false;
    }
    if (family == Family::kBlackout) return true;
    if (strikes_links(family)) return options_.nodes.size() > 1;
    return options_.budget > 0;
  }

  // The family whose draw is the least, so that one more candidate changes nothing unless it wins.
  int least(const std::vector<int>& families) const {
    const auto drawn = [this](int family) {
      return draw_for(SwarmPurpose::kInstead, static_cast<uint64_t>(family)).next();
    };
    return *std::min_element(families.begin(), families.end(),
                             [&drawn](int a, int b) { return drawn(a) < drawn(b); });
  }

  // Each possible family with a chance of two in three; a seed that chose none gets one of them.
  std::array<bool, kFamilies> subset() const {
    std::array<bool, kFamilies> chosen{};
    std::vector<int> candidates;
    bool any = false;
    Draw first = draw_for(SwarmPurpose::kSubset);
    for (int family = 0; family < kFamilies; ++family) {
      Draw own = draw_for(SwarmPurpose::kSubset, static_cast<uint64_t>(family));
      const bool taken = (family < kFirstFamilies ? first : own).chance(2.0 / 3);
      if (!possible(static_cast<Family>(family))) continue;
      candidates.push_back(family);
      chosen[family] = taken;
      any = any || taken;
    }
    if (!any && !candidates.empty()) chosen[least(candidates)] = true;
    return chosen;
  }

  // Times at which a kind strikes: a first one, then at exponential intervals about a mean of this
  // seed's own. Calls `make(draw, at)` for each.
  template <class Make>
  void times(Family family, double slower, Make make) {
    const auto purpose = static_cast<SwarmPurpose>(purpose_of(family));
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
    times(Family::kBlackout, 2, [this](Draw& draw, Time at) {
      Fault fault{.kind = Fault::Kind::kBlackout, .at = at, .machines = options_.nodes};
      std::sort(fault.machines.begin(), fault.machines.end());
      if (fit(draw, fault) && clear_of_strikes(fault)) faults_.push_back(std::move(fault));
    });
  }

  bool clear_of_strikes(const Fault& fault) const {
    return std::none_of(faults_.begin(), faults_.end(), [&fault](const Fault& other) {
      return keeps_down(other) && window_of(other).meets(window_of(fault));
    });
  }

  // How many other machines are down at some moment of the fault's window, at most.
  uint32_t down_beside(const Fault& fault) const {
    uint32_t down = 0;
    for (const Fault& other : faults_) {
      if (keeps_down(other) && window_of(other).meets(window_of(fault))) {
        down += static_cast<uint32_t>(other.machines.size());
      }
    }
    return down;
  }

  // Whether the budget has a place for one machine more, and this one is not down already.
  bool bearable(const Fault& fault) const {
    if (down_beside(fault) + 1 > options_.budget) return false;
    return std::none_of(faults_.begin(), faults_.end(), [&fault](const Fault& other) {
      return keeps_down(other) && window_of(other).meets(window_of(fault)) &&
             std::find(other.machines.begin(), other.machines.end(), fault.machines[0]) !=
                 other.machines.end();
    });
  }

  void strikes(Family family) {
    times(family, 1, [this, family](Draw& draw, Time at) {
      const bool damaging = may_damage(family);
      const std::vector<MachineId>& pool = damaging ? damageable_ : options_.nodes;
      const uint64_t index = draw.below(pool.size());
      Fault fault{.at = at};
      if (!fit(draw, fault)) return;
      if (strikes_links(family)) {
        draw_sides(draw, fault);
        make_links(family, draw, fault.links);
      } else {
        fault.machines = {pool[index]};
        make_strike(family, draw, options_.down_max, fault);
      }
      if (keeps_down(fault) && !bearable(fault)) return;
      CHECK(damaging || !fault.damages());
      faults_.push_back(std::move(fault));
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

  // Two sides of the nodes; clients reach both, or each finds itself on one of them.
  void draw_sides(Draw& draw, Fault& fault) const {
    std::vector<MachineId>& near_side = fault.links.from;
    std::vector<MachineId>& far_side = fault.links.to;
    near_side = one_side(draw);
    for (MachineId node : options_.nodes) {
      if (std::find(near_side.begin(), near_side.end(), node) == near_side.end())
        far_side.push_back(node);
    }
    const bool clients_too = draw.chance(0.5);
    for (MachineId client : options_.clients) {
      const bool near = draw.chance(0.5);
      if (clients_too) (near ? near_side : far_side).push_back(client);
    }
    const bool one_way = draw.chance(0.25);
    const bool other_way = draw.chance(0.5);
    fault.kind = Fault::Kind::kLinks;
    fault.links.both_ways = !one_way;
    if (one_way && other_way) std::swap(near_side, far_side);
    std::sort(near_side.begin(), near_side.end());
    std::sort(far_side.begin(), far_side.end());
  }

  void partitions() {
    times(Family::kPartition, 1, [this](Draw& draw, Time at) {
      Fault fault{.at = at};
      if (!fit(draw, fault)) return;
      draw_sides(draw, fault);
      fault.links.kind = draw.chance(0.25) ? LinkWeather::Kind::kRefuse : LinkWeather::Kind::kCut;
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
  std::vector<MachineId> damageable_;
  std::vector<Fault> faults_;
};

Error invalid_swarm(std::string message) {
  return Error{Code::kInvalid, "swarm: " + std::move(message)};
}

}  // namespace

std::vector<Family> standard_families() {
  return {Family::kCrash, Family::kPowerLoss, Family::kPartition, Family::kBlackout};
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
