#include "protocols/replication/dynamo/takeover.h"

#include <algorithm>
#include <utility>

#include "runtime/bug.h"
#include "runtime/deadline.h"

namespace ringside {

Takeover::Takeover(Rpc& rpc, Engine& engine, Partitions& partitions, Replica& replica,
                   const DynamoOptions& dynamo, const TransferOptions& options,
                   TransferStats& stats, std::function<void()> rows_forgotten)
    : rpc_(rpc),
      host_(rpc.host()),
      engine_(engine),
      partitions_(partitions),
      n_(dynamo.n),
      w_(dynamo.w),
      options_(options),
      stats_(stats),
      rows_forgotten_(std::move(rows_forgotten)),
      transfer_(rpc, engine, partitions, replica, options, stats),
      changed_(host_.ready()),
      filling_(host_.ready(), options.ranges_at_once),
      scope_(host_.ready()) {}

void Takeover::start(const RingView& view) {
  if (view_.now == nullptr) follow(view, !view.changing());
  scope_.spawn(work());
}

void Takeover::follow(const RingView& view, bool may_pull) {
  const bool same = view.now == view_.now && view.next == view_.next &&
                    view.ticket == view_.ticket && view.switched == view_.switched;
  if (same && may_pull == may_pull_ && view_.now != nullptr) return;
  if (view.ticket != view_.ticket) given_.clear();
  view_ = view;
  viewed_at_ = host_.clock().now();
  may_pull_ = may_pull;
  ++epoch_;
  idle_ = false;
  plan();
  changed_.pulse();
}

bool Takeover::refill(const RingView& view) {
  lost_everything_ = true;
  idle_ = false;
  if (view_.now == nullptr) follow(view, !view.changing());
  changed_.pulse();
  return true;
}

void Takeover::refill_range(PositionRange range) {
  untrusted_.push_back(range);
  idle_ = false;
  changed_.pulse();
}

// The circle, cut at the bounds of both rings, and which parts are home here.
void Takeover::plan() {
  places_.clear();
  cuts_.clear();
  if (view_.now == nullptr) return;
  for (const Ring* ring : {view_.now.get(), view_.next.get()}) {
    if (ring == nullptr) continue;
    for (uint32_t partition = 0; partition < ring->partitions(); ++partition)
      cuts_.push_back(ring->range(partition).begin);
  }
  std::sort(cuts_.begin(), cuts_.end());
  cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
  for (std::size_t i = 0; i < cuts_.size(); ++i) {
    const Place place = place_of({cuts_[i], i + 1 < cuts_.size() ? cuts_[i + 1] : 0});
    if (place.home()) places_.push_back(place);
  }
}

Takeover::Place Takeover::place_of(const PositionRange& range) const {
  Place place{range, view_.now->is_home(range.begin, rpc_.self(), n_), false};
  if (view_.changing()) place.home_next = view_.next->is_home(range.begin, rpc_.self(), n_);
  return place;
}

std::vector<NodeId> Takeover::homes(const Ring& ring, uint64_t position) const {
  const std::span<const NodeId> list = ring.preference_at(position);
  const std::span<const NodeId> home = list.first(std::min<std::size_t>(n_, list.size()));
  std::vector<NodeId> others;
  std::copy_if(home.begin(), home.end(), std::back_inserter(others),
               [this](NodeId id) { return id != rpc_.self(); });
  return others;
}

bool Takeover::whole(uint64_t ticket) {
  if (view_.now == nullptr || view_.ticket != ticket || held_epoch_ != epoch_) return false;
  if (lost_everything_ || !untrusted_.empty()) return false;
  return std::all_of(places_.begin(), places_.end(),
                     [this](const Place& place) { return partitions_.whole_all(place.range); });
}

Task<void> Takeover::work() {
  Duration pause = options_.retry_every;
  while (true) {
    const Epoch epoch{&epoch_, epoch_};
    const uint64_t before = moves();
    bool done = false;
    if (view_.now != nullptr) done = co_await step(epoch);
    count();
    if (moves() != before || epoch.over()) pause = options_.retry_every;
    if (epoch.over()) continue;
    idle_ = done && untrusted_.empty() && !lost_everything_;
    co_await wait(idle_ ? options_.look_every : pause, epoch);
    // Others wait for this node while the ring changes.
    pause = std::min(2 * pause, view_.changing() ? 5 * options_.retry_every : options_.look_every);
  }
}

// Until something changes, or for so long.
Task<void> Takeover::wait(Duration most, Epoch epoch) {
  if (epoch.over()) co_return;
  (void)co_await with_deadline(host_.clock(), host_.clock().now() + most,
                               [](Event& event) -> Task<Result<void>> {
                                 co_await event.wait();
                                 co_return Result<void>();
                               }(changed_));
}

// True when there is nothing left to do.
Task<bool> Takeover::step(Epoch epoch) {
  if (!co_await cut_and_hold(epoch) || epoch.over()) co_return false;
  held_epoch_ = epoch.mine;
  if (!co_await mark_untrusted(epoch) || epoch.over()) co_return false;
  const bool filled = co_await fill_all(epoch);
  if (epoch.over()) co_return false;
  const bool given = co_await give_all(epoch);
  if (epoch.over()) co_return false;
  const bool dropped = co_await drop_all(epoch);
  co_return filled&& given&& dropped;
}

Task<bool> Takeover::cut_and_hold(Epoch epoch) {
  Result<void> done = co_await partitions_.cut_at(cuts_);
  if (!done.ok() || epoch.over()) co_return false;
  // Old copies of what gets no writes here, or got none for a while.
  std::vector<PositionRange> stale;
  for (const auto& [begin, held] : partitions_.all()) {
    const Place place = place_of(held.range);
    const bool filled_for_this = place.home_next && held.ticket == view_.ticket;
    if (held.whole && !place.home_now && !filled_for_this) stale.push_back(held.range);
  }
  if (!stale.empty()) host_.trace().probe("takeover.stale_copy");
  for (const PositionRange& range : stale) {
    done = co_await transfer_.forget(range);
    if (!done.ok() || epoch.over()) co_return false;
  }
  done = co_await partitions_.set_whole_all(stale, false, view_.ticket);
  if (!done.ok() || epoch.over()) co_return false;
  std::vector<PositionRange> missing;
  for (const Place& place : places_) {
    if (partitions_.holds_all(place.range)) continue;
    missing.push_back(place.range);
    done = co_await transfer_.forget(place.range);
    if (!done.ok() || epoch.over()) co_return false;
  }
  if (missing.empty()) co_return true;
  host_.trace().probe("takeover.ranges_held");
  done = co_await partitions_.hold(std::move(missing), RINGSIDE_BUG(range_served_before_whole),
                                   view_.ticket);
  co_return done.ok();
}

// Ranges that cannot be believed answer no reads from here on.
Task<bool> Takeover::mark_untrusted(Epoch epoch) {
  std::vector<PositionRange> ranges;
  const std::vector<Suspect> suspects = engine_.suspects();
  const std::vector<PositionRange> told = std::exchange(untrusted_, {});
  const bool everything = std::exchange(lost_everything_, false);
  for (const auto& [begin, held] : partitions_.all()) {
    const KeyRange rows = rows_of(held.range);
    const bool bad = std::any_of(suspects.begin(), suspects.end(), [&](const Suspect& suspect) {
      return suspect.range.overlaps(rows);
    });
    const bool named = std::any_of(told.begin(), told.end(), [&](const PositionRange& range) {
      return range.overlaps(held.range);
    });
    if (named) unreadable_.insert(begin);
    if (named || (held.whole && (everything || bad))) ranges.push_back(held.range);
  }
  if (ranges.empty()) co_return true;
  host_.trace().probe("takeover.range_untrusted");
  bool done = true;
  for (std::size_t i = 0; done && i < ranges.size(); ++i) {
    const Result<void> forgotten = co_await transfer_.forget(ranges[i]);
    done = forgotten.ok();
  }
  if (done && !epoch.over()) {
    const Result<void> marked = co_await partitions_.set_whole_all(ranges, false, view_.ticket);
    done = marked.ok();
  }
  if (!done || epoch.over()) {  // once more
    untrusted_.insert(untrusted_.end(), told.begin(), told.end());
    lost_everything_ = lost_everything_ || everything;
    co_return false;
  }
  co_return true;
}

bool Takeover::suspect(const PositionRange& range) const {
  if (unreadable_.contains(range.begin)) return true;
  const KeyRange rows = rows_of(range);
  const std::vector<Suspect> suspects = engine_.suspects();
  return std::any_of(suspects.begin(), suspects.end(),
                     [&](const Suspect& suspect) { return suspect.range.overlaps(rows); });
}

Task<bool> Takeover::unreadable(PositionRange range) {
  const KeyRange rows = rows_of(range);
  std::string begin = rows.begin;
  while (true) {
    const ScanLimits limits{.fill_cache = false};
    const Result<Rows> found = co_await engine_.scan(begin, rows.end, limits, View::kDurable);
    if (!found.ok()) co_return found.code() == Code::kCorrupt;
    if (found->empty()) co_return false;
    begin = std::string(found->back().key) + '\0';
  }
}

Task<bool> Takeover::fill_all(Epoch epoch) {
  std::vector<PositionRange> wanted;
  bool waiting = false;
  for (const auto& [begin, held] : partitions_.all()) {
    const Place place = place_of(held.range);
    if (held.whole || !place.home()) continue;
    // Before everyone writes to the homes of both rings, what the old ones have is not all.
    if (place.home_now || may_pull_) {
      wanted.push_back(held.range);
    } else {
      waiting = true;
    }
  }
  bool filled = !waiting;
  {
    Scope fills(host_.ready());
    for (const PositionRange& range : wanted) {
      Permit permit = co_await filling_.acquire();
      if (epoch.over()) break;
      fills.spawn(
          [](Takeover& takeover, PositionRange of, Epoch at, bool* out, Permit held) -> Task<void> {
            co_await takeover.fill(of, at, out);
          }(*this, range, epoch, &filled, std::move(permit)));
    }
    co_await fills.join();
  }
  if (filled && !epoch.over() && !view_.changing()) {
    std::vector<PositionRange> whole;
    for (const uint32_t partition : view_.now->partitions_of(rpc_.self(), n_))
      whole.push_back(view_.now->range(partition));
    const Result<void> joined = co_await partitions_.join(std::move(whole));
    filled = joined.ok();
  }
  co_return filled;
}

Task<void> Takeover::fill(PositionRange range, Epoch epoch, bool* filled) {
  const uint64_t ticket = view_.ticket;
  const uint64_t failed = transfer_.merges_failed();
  // Suspect again: rows that came may be gone.
  if (!co_await pull_enough(range, ticket, epoch) || epoch.over() || suspect(range)) {
    *filled = false;
    if (epoch.over() || transfer_.merges_failed() == failed) co_return;
    // Rows that rotted before a scrub came by would turn every pull away.
    const bool rotten = co_await unreadable(range);
    if (rotten && !epoch.over()) unreadable_.insert(range.begin);
    co_return;
  }
  Result<void> done = co_await partitions_.set_whole(range, true, ticket);
  if (done.ok()) done = co_await transfer_.forget(range);
  if (!done.ok()) {
    *filled = false;
    co_return;
  }
  ++stats_.ranges_filled;
  host_.trace().probe("takeover.range_whole");
}

Task<bool> Takeover::pull_enough(PositionRange range, uint64_t ticket, Epoch epoch) {
  const std::size_t n = std::min<std::size_t>(n_, view_.now->preference_at(range.begin).size());
  const std::vector<NodeId> others = homes(*view_.now, range.begin);
  const std::size_t need = std::min(n - std::min<std::size_t>(w_, n) + 1, others.size());
  const bool unreadable = suspect(range);

  // Those that are done count, whatever became of them; those that were begun come first.
  std::set<NodeId> done;
  std::vector<NodeId> begun;
  if (!unreadable) {
    const Result<std::vector<TransferMark>> marks = co_await transfer_.marks(range, ticket);
    if (!marks.ok() || epoch.over()) co_return false;
    for (const TransferMark& mark : *marks) {
      if (mark.done) done.insert(mark.source);
      if (!mark.done) begun.push_back(mark.source);
    }
  }
  const std::vector<Transfer::Offer> offers =
      co_await transfer_.ask(Kind::kOfferRequest, range, ticket, others, need);
  if (epoch.over()) co_return false;
  std::vector<NodeId> sources, partial;
  bool everyone = true;
  for (const Transfer::Offer& offer : offers) {
    if (done.contains(offer.from)) continue;
    everyone = everyone && offer.answered;
    if (offer.reply.whole) sources.push_back(offer.from);
    if (!offer.reply.whole && offer.reply.held) partial.push_back(offer.from);
  }
  const bool enough = done.size() + sources.size() >= need;
  if (!enough && !everyone) co_return false;
  if (!enough) host_.trace().probe("takeover.too_few_whole");
  if (unreadable) {
    host_.trace().probe("takeover.suspect_renewed");
    rows_forgotten_();
    Result<void> renewed = co_await transfer_.forget(range);
    if (renewed.ok()) renewed = co_await partitions_.renew(range, ticket);
    ++stats_.ranges_renewed;
    if (renewed.ok()) unreadable_.erase(range.begin);
    if (!renewed.ok() || epoch.over()) co_return false;
  }
  // Not everyone begins with the same one.
  if (!sources.empty())
    std::rotate(sources.begin(),
                sources.begin() +
                    static_cast<std::ptrdiff_t>(mix(range.begin, rpc_.self()) % sources.size()),
                sources.end());
  for (const NodeId source : begun) {
    const auto at = std::find(sources.begin(), sources.end(), source);
    if (at != sources.end()) std::rotate(sources.begin(), at, at + 1);
  }
  bool first = done.empty();
  for (const NodeId source : sources) {
    if (done.size() >= need && enough) co_return true;
    const Transfer::How how = first ? Transfer::How::kObjects : Transfer::How::kDifferences;
    const bool pulled = co_await transfer_.pull({range, source, ticket, how}, epoch);
    if (epoch.over()) co_return false;
    if (pulled) done.insert(source);
    if (pulled) first = false;
    if (!pulled && !enough) co_return false;
  }
  if (enough) co_return done.size() >= need;
  for (const NodeId source : partial) {
    const bool pulled =
        co_await transfer_.pull({range, source, ticket, Transfer::How::kLeftovers}, epoch);
    if (!pulled || epoch.over()) co_return false;
  }
  co_return true;
}

// What the change takes from here: its new homes get what they lack, once they are whole. Now,
// since they and this node must all agree before anything of it may be reaped; later, a row that
// was deleted and reaped meanwhile would come back to life.
Task<bool> Takeover::give_all(Epoch epoch) {
  if (!view_.changing() || !may_pull_) co_return true;
  std::vector<PositionRange> leaving;
  for (const Place& place : places_) {
    if (place.leaves() && !given_.contains(place.range.begin)) leaving.push_back(place.range);
  }
  bool all = true;
  for (const PositionRange& range : leaving) {
    const std::vector<NodeId> homes_next = homes(*view_.next, range.begin);
    bool given = co_await confirmed(range, homes_next);
    for (std::size_t i = 0; given && !epoch.over() && i < homes_next.size(); ++i) {
      given = co_await transfer_.push(range, view_.ticket, homes_next[i], epoch);
    }
    if (epoch.over()) co_return false;
    if (given) {
      host_.trace().probe("takeover.range_given_back");
      given_.insert(range.begin);
      ++stats_.ranges_given_back;
    }
    all = all && given;
  }
  co_return all;
}

// What is home in neither ring. While the ring changes it waits: the change may bring it back.
Task<bool> Takeover::drop_all(Epoch epoch) {
  std::vector<PositionRange> leaving;
  for (const auto& [begin, held] : partitions_.all()) {
    if (!place_of(held.range).home()) leaving.push_back(held.range);
  }
  if (leaving.empty()) co_return true;
  if (view_.changing() || host_.clock().now() < viewed_at_ + options_.keep_for) co_return false;
  bool all = true;
  for (const PositionRange& range : leaving) {
    const bool dropped = co_await drop(range, epoch);
    if (epoch.over()) co_return false;
    all = all && dropped;
  }
  co_return all;
}

Task<bool> Takeover::drop(PositionRange range, Epoch epoch) {
  if (!co_await confirmed(range, homes(*view_.now, range.begin)) || epoch.over()) co_return false;
  rows_forgotten_();
  Result<void> done = co_await partitions_.drop(range);
  unreadable_.erase(range.begin);
  if (done.ok()) done = co_await transfer_.forget(range);
  if (!done.ok()) co_return false;
  ++stats_.ranges_dropped;
  host_.trace().probe("takeover.range_dropped");
  co_return true;
}

Task<bool> Takeover::confirmed(PositionRange range, std::vector<NodeId> nodes) {
  const std::vector<Transfer::Offer> offers =
      co_await transfer_.ask(Kind::kConfirmRequest, range, view_.ticket, nodes, nodes.size());
  co_return std::all_of(offers.begin(), offers.end(),
                        [](const Transfer::Offer& offer) { return offer.reply.whole; });
}

void Takeover::count() {
  stats_.ranges_missing = stats_.ranges_leaving = 0;
  if (view_.now == nullptr) return;
  for (const auto& [begin, held] : partitions_.all()) {
    const bool home = place_of(held.range).home();
    if (home && !held.whole) ++stats_.ranges_missing;
    if (!home) ++stats_.ranges_leaving;
  }
}

}  // namespace ringside
