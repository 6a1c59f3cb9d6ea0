#include "sim/weather.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace ringside::sim {
namespace {

constexpr std::size_t kNamesMax = 6;

std::string names(const std::vector<MachineId>& machines, const Topology& topology) {
  std::string text;
  for (std::size_t i = 0; i < machines.size() && i < kNamesMax; ++i)
    text += (i == 0 ? "" : ", ") + topology.machine_name(machines[i]);
  if (machines.size() > kNamesMax) text += fmt::format(" and {} more", machines.size() - kNamesMax);
  return machines.empty() ? "nobody" : text;
}

std::string duration(Duration time) { return describe_duration(static_cast<double>(time)); }

std::string details(const LinkWeather& weather) {
  switch (weather.kind) {
    case LinkWeather::Kind::kSlow:
      return fmt::format(" ({:.4g} times, then {})", weather.slower, weather.extra.describe());
    case LinkWeather::Kind::kLossy:
      return fmt::format(" (loss {:.4g} %, duplication {:.4g} %, corruption {:.4g} %)",
                         100 * weather.loss, 100 * weather.duplication, 100 * weather.corruption);
    case LinkWeather::Kind::kNarrow:
      return fmt::format(" ({} bytes a second)", weather.bandwidth_bytes_per_second);
    case LinkWeather::Kind::kFlap:
      return fmt::format(" (up {}, down {})", duration(weather.up_mean),
                         duration(weather.down_mean));
    case LinkWeather::Kind::kResetStorm:
      return fmt::format(" (every {})", duration(weather.reset_mean));
    default: return {};
  }
}

bool is_share(double share) { return share >= 0 && share <= 1; }

}  // namespace

const char* weather_kind_name(LinkWeather::Kind kind) {
  switch (kind) {
    case LinkWeather::Kind::kCut: return "cut";
    case LinkWeather::Kind::kRefuse: return "refusing cut";
    case LinkWeather::Kind::kLookupFails: return "failing lookups";
    case LinkWeather::Kind::kClog: return "clog";
    case LinkWeather::Kind::kHalfOpen: return "half-open connections";
    case LinkWeather::Kind::kSlow: return "slow";
    case LinkWeather::Kind::kLossy: return "lossy";
    case LinkWeather::Kind::kNarrow: return "narrow";
    case LinkWeather::Kind::kFlap: return "flap";
    case LinkWeather::Kind::kResetStorm: return "reset storm";
  }
  return "?";
}

std::string describe_effect(const LinkWeather& weather) {
  return weather_kind_name(weather.kind) + details(weather);
}

std::string describe(const LinkWeather& weather, const Topology& topology) {
  return describe_effect(weather) + ": " + names(weather.from, topology) +
         (weather.both_ways ? " <-> " : " -> ") + names(weather.to, topology);
}

Result<void> validate(const LinkWeather& weather, const Topology& topology) {
  const auto invalid = [&](const char* right) {
    return Error{Code::kInvalid, std::string(weather_kind_name(weather.kind)) + " needs " + right};
  };
  for (const std::vector<MachineId>* machines : {&weather.from, &weather.to})
    for (const MachineId machine : *machines)
      if (machine >= topology.machines()) return invalid("machines of the topology");
  switch (weather.kind) {
    case LinkWeather::Kind::kSlow:
      if (!(weather.slower > 0) || !std::isfinite(weather.slower))
        return invalid("a factor above 0");
      break;
    case LinkWeather::Kind::kLossy:
      if (!is_share(weather.loss) || !is_share(weather.duplication) ||
          !is_share(weather.corruption))
        return invalid("shares from 0 to 1");
      break;
    case LinkWeather::Kind::kNarrow:
      if (weather.bandwidth_bytes_per_second == 0) return invalid("a bandwidth above 0");
      break;
    case LinkWeather::Kind::kFlap:
      if (weather.up_mean <= 0 || weather.down_mean <= 0)
        return invalid("a mean time up and a mean time down above 0");
      break;
    case LinkWeather::Kind::kResetStorm:
      if (weather.reset_mean <= 0) return invalid("a mean time between resets above 0");
      break;
    default: break;
  }
  return {};
}

}  // namespace ringside::sim
