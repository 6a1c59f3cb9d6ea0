#include "sim/disk_trouble.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/check.h"
#include "sim/distribution.h"
#include "sim/draw.h"
#include "sim/math.h"

namespace ringside::sim {
namespace {

bool concerns(const DiskTrouble& trouble, std::string_view path) {
  return trouble.files.empty() || path.find(trouble.files) != std::string_view::npos;
}

bool gray(const DiskTrouble& trouble) { return trouble.good_mean > 0; }

struct Share {
  double DiskTrouble::* member;
  const char* name;
};
constexpr Share kShares[] = {{&DiskTrouble::read_error, "read errors"},
                             {&DiskTrouble::write_error, "write errors"},
                             {&DiskTrouble::sync_error, "sync errors"},
                             {&DiskTrouble::sync_lies, "syncs that lie"},
                             {&DiskTrouble::name_sync_lies, "syncs of names that lie"},
                             {&DiskTrouble::short_read, "short reads"},
                             {&DiskTrouble::misdirected_read, "misdirected reads"},
                             {&DiskTrouble::misdirected_write, "misdirected writes"},
                             {&DiskTrouble::rot_on_read, "rot on reading"}};

}  // namespace

std::string describe(const DiskTrouble& trouble) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    if (!text.empty()) text += ", ";
    text += part;
  };
  for (const Share& share : kShares) {
    if (trouble.*share.member > 0)
      add(fmt::format("{} {:g} %", share.name, trouble.*share.member * 100));
  }
  if (trouble.sync_fails_once) add("the next sync fails and is forgotten");
  if (trouble.full) add("full");
  if (trouble.dead) add("dead");
  if (trouble.slower != 1) add(fmt::format("{:g} times slower", trouble.slower));
  if (gray(trouble)) {
    add(fmt::format("gray: good for {}, {:g} times slower for {}",
                    describe_duration(static_cast<double>(trouble.good_mean)), trouble.bad_slower,
                    describe_duration(static_cast<double>(trouble.bad_mean))));
  }
  if (text.empty()) text = "nothing";
  if (!trouble.files.empty()) text += " in files *" + trouble.files + "*";
  return text;
}

void DiskTroubles::begin(uint64_t id, Time now, const DiskTrouble& trouble) {
  for (const Share& share : kShares)
    CHECK(trouble.*share.member >= 0 && trouble.*share.member <= 1);
  CHECK(trouble.slower >= 0 && trouble.bad_slower >= 0);
  CHECK(trouble.good_mean >= 0 && trouble.bad_mean >= 0);
  CHECK((trouble.good_mean > 0) == (trouble.bad_mean > 0));
  uint64_t nth = 0;
  for (const Active& active : active_) nth += active.begun == now ? 1 : 0;
  Draw draw = Draw::of(key_, now, nth);
  Active active{.id = id, .trouble = trouble, .begun = now, .key = draw.next(), .until = now};
  if (gray(trouble)) {
    const auto good = static_cast<double>(trouble.good_mean);
    const auto bad = static_cast<double>(trouble.bad_mean);
    // An exponential time has no memory, so what is left of the first state is like a whole one.
    active.bad = !draw.chance(bad / (good + bad));  // changed at once
    change_state(active);
  }
  active_.push_back(std::move(active));
}

bool DiskTroubles::end(uint64_t id) {
  return std::erase_if(active_, [id](const Active& active) { return active.id == id; }) > 0;
}

bool DiskTroubles::clear() {
  const bool some = any();
  active_.clear();
  return some;
}

double DiskTroubles::chance(double DiskTrouble::* share, std::string_view path) const {
  double spared = 1;
  for (const Active& active : active_) {
    if (active.trouble.*share > 0 && concerns(active.trouble, path))
      spared *= 1 - active.trouble.*share;
  }
  return 1 - spared;
}

bool DiskTroubles::has(bool DiskTrouble::* what) const {
  return std::any_of(active_.begin(), active_.end(),
                     [what](const Active& active) { return active.trouble.*what; });
}

bool DiskTroubles::take_sync_failure(std::string_view path) {
  for (Active& active : active_) {
    if (!active.trouble.sync_fails_once || active.sync_failed || !concerns(active.trouble, path))
      continue;
    active.sync_failed = true;
    return true;
  }
  return false;
}

void DiskTroubles::reseed(uint64_t key) {
  key_ = key;
  for (Active& active : active_) active.key = mix(key, active.id);
}

void DiskTroubles::change_state(Active& active) {
  active.bad = !active.bad;
  const Duration mean = active.bad ? active.trouble.bad_mean : active.trouble.good_mean;
  Draw draw = Draw::of(active.key, active.states++);
  const double lasts = -static_cast<double>(mean) * log(draw.open_uniform());
  active.until += std::max<Duration>(1, static_cast<Duration>(lasts));
}

double DiskTroubles::factor(Time now) {
  double factor = 1;
  for (Active& active : active_) {
    factor *= active.trouble.slower;
    if (!gray(active.trouble)) continue;
    while (active.until <= now) change_state(active);
    if (active.bad) factor *= active.trouble.bad_slower;
  }
  return factor;
}

}  // namespace ringside::sim
