#include "lab/predict.h"

#include "lab/translate.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

constexpr uint64_t kTrials = 1'000'000;
constexpr uint64_t kPredictionSeed = 1;

// The leg that frames of this kind take; of several the last.
const scenario::Network::Leg* leg_of(const scenario::Scenario& scenario, std::string_view kind) {
  const scenario::Network::Leg* found = nullptr;
  for (const scenario::Network::Leg& leg : scenario.network().leg()) {
    for (const std::string& named : leg.kind()) {
      if (named == kind) found = &leg;
    }
  }
  return found;
}

bool is_instant(const scenario::Network::Leg* leg) {
  return leg != nullptr && leg->latency().has_constant() &&
         span_of(leg->latency().constant()) == 0 && !leg->has_between_regions();
}

WarsLeg law_of(const scenario::Network::Leg& leg) {
  Result<sim::Distribution> law = to_distribution(leg.latency());
  CHECK(law.ok());
  return [law = *law](Random& random) {
    sim::Draw draw(random.next());
    return static_cast<double>(law.sample(draw));
  };
}

void add_latencies(const std::string& of, const Histogram& histogram, RunResult& result) {
  for (const auto& [name, q] : {std::pair{"p50_ms", 0.5}, {"p99_ms", 0.99}, {"p999_ms", 0.999}})
    result.metrics.push_back({"predicted_" + of + "_" + name, histogram.quantile(q) / 1e6});
}

}  // namespace

std::optional<WarsModel> wars_model(const scenario::Scenario& scenario) {
  const scenario::Dynamo& dynamo = scenario.cluster().strategy().dynamo();
  const scenario::Pbs& pbs = scenario.workload().pbs();
  if (!scenario.workload().has_pbs() || pbs.writes_per_key() != 1 || dynamo.read_repair() ||
      dynamo.coordinate() != scenario::Dynamo::NON_REPLICA) {
    return std::nullopt;
  }
  for (const char* kind :
       {"client_get_request", "client_get_reply", "client_put_request", "client_put_reply"}) {
    if (!is_instant(leg_of(scenario, kind))) return std::nullopt;
  }
  const scenario::Network::Leg* legs[] = {
      leg_of(scenario, "replica_put_request"), leg_of(scenario, "replica_put_reply"),
      leg_of(scenario, "replica_get_request"), leg_of(scenario, "replica_get_reply")};
  for (const scenario::Network::Leg* leg : legs) {
    if (leg == nullptr) return std::nullopt;
  }
  WarsModel model;
  model.n = dynamo.n();
  model.r = dynamo.r();
  model.w = dynamo.w();
  model.write = law_of(*legs[0]);
  model.ack = law_of(*legs[1]);
  model.request = law_of(*legs[2]);
  model.response = law_of(*legs[3]);
  // One law for all legs, and a replica in every region.
  const Duration farther = legs[0]->has_between_regions() ? span_of(legs[0]->between_regions()) : 0;
  for (const scenario::Network::Leg* leg : legs) {
    if ((leg->has_between_regions() ? span_of(leg->between_regions()) : 0) != farther)
      return std::nullopt;
  }
  const auto regions = static_cast<uint32_t>(scenario.topology().region_size());
  if (farther != 0 && regions != 1) {
    if (regions != model.n) return std::nullopt;
    model.sites = true;
    model.between_sites = static_cast<double>(farther);
  }
  return model;
}

void add_prediction(const scenario::Scenario& scenario, RunResult& result) {
  const std::optional<WarsModel> model = wars_model(scenario);
  if (!model) return;
  const WarsPrediction prediction = predict(*model, kTrials, kPredictionSeed);
  add_latencies("get", prediction.reads, result);
  add_latencies("put", prediction.writes, result);
  for (TVisibility& point : result.t_visibility) {
    point.predicted_percent =
        100 * prediction.consistent_at(static_cast<Duration>(point.t_ms * 1e6 + 0.5));
  }
}

}  // namespace ringside::lab
