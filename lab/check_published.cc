#include "lab/check_published.h"

#include <cmath>

#include "analysis/visibility_fit.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

constexpr int kRungsMin = 3;  // near a t that is looked for

void check_consistent(const Cursor& at, const scenario::Consistent& asked,
                      const scenario::Pbs& pbs) {
  const Result<Duration> t = parse_span(asked.t());
  if (!t.ok()) return;
  for (const std::string& rung : pbs.t()) {
    const Result<Duration> known = parse_span(rung);
    if (known.ok() && *known == *t) return;
  }
  at.mistake("t", concat("the workload does not read at \"", asked.t(), "\"; add it to pbs.t"));
}

void check_t_visibility(const Cursor& at, const scenario::TVisibility& asked,
                        const scenario::Pbs& pbs) {
  if (!(asked.percent() > 0 && asked.percent() < 100))
    at.mistake("percent", "must lie between 0 and 100");
  const Result<Duration> published = parse_span(asked.published());
  if (!published.ok()) return;
  if (*published == 0) {
    at.mistake("published", "must be more than 0");
    return;
  }
  int near = 0;
  for (const std::string& rung : pbs.t()) {
    const Result<Duration> t = parse_span(rung);
    if (!t.ok() || *t == 0) continue;
    const double away = std::log(static_cast<double>(*t) / static_cast<double>(*published));
    if (std::fabs(away) <= std::log(kVisibilityWindow)) ++near;
  }
  if (near >= kRungsMin) return;
  at.mistake("published", concat("the workload reads at ", near, " times within ",
                                 (kVisibilityWindow - 1) * 100, " % of \"", asked.published(),
                                 "\"; add to pbs.t, so that there are at least ", kRungsMin));
}

}  // namespace

void check_published(const Cursor& at, const scenario::Scenario& scenario) {
  const scenario::Expect& expect = scenario.expect();
  const scenario::Workload& workload = scenario.workload();
  const scenario::Pbs& pbs = workload.pbs();
  for (const char* field : {"consistent", "t_visibility"}) {
    if (!at.has(field)) continue;
    if (!workload.has_pbs()) {
      at.mistake(field, "needs the workload pbs");
    } else if (pbs.writes_per_key() != 1) {
      at.mistake(field, "is measured on keys that are written once; leave out pbs.writes_per_key");
    }
  }
  if (workload.has_pbs()) {
    for (int i = 0; i < expect.consistent_size(); ++i)
      check_consistent(at.nested("consistent", i), expect.consistent(i), pbs);
    for (int i = 0; i < expect.t_visibility_size(); ++i)
      check_t_visibility(at.nested("t_visibility", i), expect.t_visibility(i), pbs);
  }
}

}  // namespace ringside::lab
