#include "lab/walk.h"

#include <algorithm>

#include "lab/text.h"

namespace ringside::lab {
namespace {

constexpr uint64_t kNear = 512;  // events

}  // namespace

Result<std::unique_ptr<Walk>> Walk::begin(const Recorded& recorded, const WalkOptions& options) {
  HeldOptions held;
  held.run.gate = recorded.recording.gate;
  held.run.branch = recorded.recording.branch;
  held.keep_events = options.keep_events;
  Result<std::unique_ptr<HeldWorld>> first =
      HeldWorld::begin(*recorded.scenario, recorded.recording.seed, held);
  if (!first.ok()) return first.error();
  std::unique_ptr<Walk> walk(new Walk(recorded, options, std::move(*first)));
  if (Result<void> kept = walk->keep(); !kept.ok()) return kept.error();
  return walk;
}

Walk::Walk(const Recorded& recorded, const WalkOptions& options, std::unique_ptr<HeldWorld> first)
    : recorded_(recorded),
      options_(options),
      world_(std::move(first)),
      spacing_(options.spacing_first) {}

Result<void> Walk::to(const Goal& goal) {
  HeldWorld& start = nearest(goal);
  if (goal.behind(here()) || start.here().events() > here().events()) {
    if (Result<void> back = back_to(start); !back.ok()) return back;
  }
  while (here().events() < goal.event && !here().over()) {
    Onward onward{.until_event = std::min(goal.event, next_stop()), .until = goal.at};
    const bool from_afar = goal.event != Onward::kNoEvent && goal.event - here().events() > kNear;
    const uint64_t near = from_afar ? goal.event - kNear : Onward::kNoEvent;
    onward.until_event = std::min(onward.until_event, near);
    if (Result<void> played = play(onward); !played.ok()) return played;
    if (here().over() || here().events() < onward.until_event) break;  // so it is the time
    if (here().events() == near) {
      Result<std::unique_ptr<HeldWorld>> copy = world_->copy();
      if (!copy.ok()) return copy.error();
      near_ = std::move(*copy);
    }
    if (here().events() < goal.event && here().events() != near)
      if (Result<void> kept = keep(); !kept.ok()) return kept;
  }
  return {};
}

HeldWorld& Walk::nearest(const Goal& goal) const {
  HeldWorld* best = snapshots_.front().get();
  for (const auto& snapshot : snapshots_)
    if (!goal.behind(snapshot->here())) best = snapshot.get();
  if (near_ && !goal.behind(near_->here()) && near_->here().events() > best->here().events())
    best = near_.get();
  return *best;
}

Result<void> Walk::back_to(HeldWorld& snapshot) {
  Result<std::unique_ptr<HeldWorld>> copy = snapshot.copy();
  if (!copy.ok()) return copy.error();
  world_ = std::move(*copy);
  return {};
}

Result<void> Walk::play(const Onward& onward) {
  const uint64_t before = here().events();
  world_->go_on(onward);
  if (world_->wait(options_.on_progress)) {
    played_ += here().events() - before;
    return check();
  }
  const WorkerResult ended = world_->ended();
  if (Result<void> back = back_to(nearest({.event = before})); !back.ok()) return back;
  return {Code::kReset, concat("the world's process was ", ended.message, " after event ", before)};
}

Result<void> Walk::check() const {
  const Recording& recording = recorded_.recording;
  if (!recording.finished) return {};
  const RunResult& result = recording.result;
  const auto known = std::lower_bound(
      result.checkpoints.begin(), result.checkpoints.end(), here().events(),
      [](const Checkpoint& checkpoint, uint64_t events) { return checkpoint.events < events; });
  const bool same = known == result.checkpoints.end() || known->events != here().events() ||
                    known->fingerprint == here().fingerprint();
  const bool ends_alike = !here().over() || here().events() == result.events;
  if (same && ends_alike) return {};
  const bool other_build = recording.build != build_id();
  return {
      other_build ? Code::kInvalid : Code::kCorrupt,
      concat(recorded_.file, ": this is not the run that was recorded: it differs before event ",
             here().events(),
             other_build ? "; it was recorded by another build, which may be why" : "",
             " (see ringside replay)")};
}

// Where the next snapshot is due: at a recorded checkpoint, where there are any.
uint64_t Walk::next_stop() const {
  const uint64_t due = (here().events() / spacing_ + 1) * spacing_;
  if (!recorded_.recording.finished) return due;
  for (const Checkpoint& checkpoint : recorded_.recording.result.checkpoints)
    if (checkpoint.events >= due) return checkpoint.events;
  return Onward::kNoEvent;
}

Result<void> Walk::keep() {
  const auto after = [](uint64_t events, const auto& snapshot) {
    return events < snapshot->here().events();
  };
  const auto place = std::upper_bound(snapshots_.begin(), snapshots_.end(), here().events(), after);
  Result<std::unique_ptr<HeldWorld>> copy = world_->copy();
  if (!copy.ok()) return copy.error();
  snapshots_.insert(place, std::move(*copy));
  if (snapshots_.size() <= options_.snapshots_max) return {};
  spacing_ *= 2;
  for (std::size_t i = 1; i < snapshots_.size(); ++i)
    snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(i));
  return {};
}

}  // namespace ringside::lab
