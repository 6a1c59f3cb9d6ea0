#include "protocols/ring.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside {
namespace {

constexpr uint64_t kTokenSalt = 0x746f6b656e;  // "token"

}  // namespace

Ring::Ring(std::vector<Member> members, RingOptions options)
    : options_(options), members_(std::move(members)) {
  CHECK(options_.q > 0 && options_.tokens > 0 && !members_.empty());
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < members_.size(); ++i) CHECK(members_[i - 1].id != members_[i].id);
  number_places();
  place_tokens();
  switch (options_.strategy) {
    case Partitioning::kTokens: cut_at_tokens(); break;
    case Partitioning::kPlaced: place_partitions(); break;
    case Partitioning::kShares: share_out(); break;
  }
  listed_.resize(owners_.size());
}

void Ring::place_tokens() {
  for (uint32_t member = 0; member < members_.size(); ++member) {
    CHECK(members_[member].capacity > 0);
    const uint64_t scaled = uint64_t{options_.tokens} * members_[member].capacity / 100;
    for (uint64_t i = 0; i < std::max<uint64_t>(scaled, 1); ++i) {
      circle_.push_back({mix(mix(members_[member].id, kTokenSalt), i), member});
    }
  }
  std::sort(circle_.begin(), circle_.end(), [](const Token& a, const Token& b) {
    return a.position != b.position ? a.position < b.position : a.member < b.member;
  });
}

std::size_t Ring::token_at(uint64_t position) const {
  const auto found =
      std::lower_bound(circle_.begin(), circle_.end(), position,
                       [](const Token& token, uint64_t sought) { return token.position < sought; });
  return found == circle_.end() ? 0 : static_cast<std::size_t>(found - circle_.begin());
}

// A token owns what lies behind the one before it, up to its own place. What lies behind the last
// belongs to the first, as a partition of its own.
void Ring::cut_at_tokens() {
  uint64_t begin = 0;
  for (const Token& token : circle_) {
    if (token.position < begin) continue;  // two tokens at one place
    begins_.push_back(begin);
    owners_.push_back(token.member);
    begin = token.position + 1;
    if (begin == 0) return;
  }
  begins_.push_back(begin);
  owners_.push_back(circle_.front().member);
}

void Ring::place_partitions() {
  owners_.resize(options_.q);
  for (uint32_t partition = 0; partition < options_.q; ++partition) {
    owners_[partition] = circle_[token_at(range(partition).end)].member;
  }
}

// The whole part of its share each, and one more for some: whoever reaches for it first.
void Ring::share_out() {
  const uint32_t q = options_.q;
  uint64_t capacity = 0;
  for (const Member& member : members_) capacity += member.capacity;
  std::vector<uint32_t> share, owned(members_.size(), 0);
  uint32_t extras = q;
  for (const Member& member : members_) {
    share.push_back(static_cast<uint32_t>(uint64_t{q} * member.capacity / capacity));
    extras -= share.back();
  }
  owners_.resize(q);
  // A token whose node is full is full for ever: whoever passes it goes on to where the last one
  // went on to.
  std::vector<uint32_t> next(circle_.size());
  for (std::size_t i = 0; i < next.size(); ++i) next[i] = static_cast<uint32_t>(i);
  const auto settle = [&](std::size_t at) {
    std::vector<std::size_t> passed;
    while (true) {
      while (next[at] != at) {
        passed.push_back(at);
        at = next[at];
      }
      const uint32_t member = circle_[at].member;
      const bool full =
          owned[member] > share[member] || (owned[member] == share[member] && extras == 0);
      if (!full) break;
      next[at] = static_cast<uint32_t>((at + 1) % circle_.size());
    }
    for (const std::size_t token : passed) next[token] = static_cast<uint32_t>(at);
    return at;
  };
  for (uint32_t partition = 0; partition < q; ++partition) {
    const uint32_t member = circle_[settle(token_at(range(partition).begin))].member;
    if (owned[member]++ == share[member]) --extras;
    owners_[partition] = member;
  }
}

// Names become small numbers: each is the index of the first member that has it.
void Ring::number_places() {
  places_end_ = static_cast<uint32_t>(members_.size());
  std::map<std::string_view, uint32_t> machines, zones;
  std::map<std::pair<std::string_view, std::string_view>, uint32_t> racks;
  for (uint32_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    Place place;
    place.machine =
        member.machine.empty() ? i : machines.try_emplace(member.machine, i).first->second;
    place.zone = zones.try_emplace(member.zone, i).first->second;
    place.rack = racks.try_emplace({member.zone, member.rack}, i).first->second;
    places_.push_back(place);
  }
}

uint64_t Ring::position_of(std::string_view key) { return hash_bytes(key); }

const Member* Ring::find(NodeId id) const {
  const auto found =
      std::lower_bound(members_.begin(), members_.end(), id,
                       [](const Member& member, NodeId sought) { return member.id < sought; });
  return found != members_.end() && found->id == id ? &*found : nullptr;
}

PositionRange Ring::range(uint32_t partition) const {
  if (options_.strategy == Partitioning::kTokens) {
    const bool last = partition + 1 == begins_.size();
    return {begins_[partition], last ? 0 : begins_[partition + 1]};
  }
  // The least positions that partition_at takes for this one and for the next.
  const auto begin = [this](uint64_t number) {
    const unsigned __int128 scaled = static_cast<unsigned __int128>(number) << 64;
    return static_cast<uint64_t>((scaled + options_.q - 1) / options_.q);
  };
  return {begin(partition), begin(uint64_t{partition} + 1)};
}

uint32_t Ring::partition_at(uint64_t position) const {
  if (options_.strategy == Partitioning::kTokens) {
    const auto after = std::upper_bound(begins_.begin(), begins_.end(), position);
    return static_cast<uint32_t>(after - begins_.begin() - 1);
  }
  const auto scaled = static_cast<unsigned __int128>(position) * options_.q;
  return static_cast<uint32_t>(scaled >> 64);
}

std::span<const NodeId> Ring::preference(uint32_t partition) const {
  std::vector<NodeId>& list = listed_[partition];
  if (list.empty()) list = walk(partition);
  return list;
}

bool Ring::is_home(uint64_t position, NodeId node, uint32_t n) const {
  const std::span<const NodeId> list = preference_at(position);
  const auto home = list.first(std::min<std::size_t>(n, list.size()));
  return std::find(home.begin(), home.end(), node) != home.end();
}

std::span<const uint32_t> Ring::partitions_of(NodeId node, uint32_t n) const {
  if (homes_n_ != n) {
    homes_.assign(members_.size(), {});
    for (uint32_t partition = 0; partition < partitions(); ++partition) {
      const std::span<const NodeId> list = preference(partition);
      for (const NodeId home : list.first(std::min<std::size_t>(n, list.size())))
        homes_[static_cast<std::size_t>(find(home) - members_.data())].push_back(partition);
    }
    homes_n_ = n;
  }
  const Member* member = find(node);
  if (member == nullptr) return {};
  return homes_[static_cast<std::size_t>(member - members_.data())];
}

// The nearest members clockwise, the owner first: by tokens where tokens place, by the owners of
// this and the following partitions where shares do. Those that were not met come last, by id.
std::vector<uint32_t> Ring::order_from(uint32_t partition) const {
  std::vector<uint32_t> order;
  std::vector<bool> met(members_.size(), false);
  const std::size_t enough = std::min(members_.size(), kPreferenceMax);
  const auto meet = [&](uint32_t member) {
    if (!met[member]) order.push_back(member);
    met[member] = true;
  };
  const bool by_tokens = options_.strategy == Partitioning::kPlaced;
  const std::size_t steps = by_tokens ? circle_.size() : owners_.size();
  const std::size_t start = by_tokens ? token_at(range(partition).end) : partition;
  for (std::size_t step = 0; step < steps && order.size() < enough; ++step) {
    const std::size_t at = (start + step) % steps;
    meet(by_tokens ? circle_[at].member : owners_[at]);
  }
  for (uint32_t member = 0; member < members_.size() && order.size() < enough; ++member)
    meet(member);
  return order;
}

std::vector<NodeId> Ring::walk(uint32_t partition) const {
  std::vector<uint32_t> order = order_from(partition);
  // Each place goes to the first in that order who is on a fresh machine, in the least listed zone,
  // in the least listed rack.
  std::vector<NodeId> list;
  std::vector<uint32_t> machines(places_end_, 0), zones(places_end_, 0), racks(places_end_, 0);
  while (!order.empty()) {
    std::size_t best = 0;
    uint64_t best_score = ~uint64_t{0};
    for (std::size_t i = 0; i < order.size() && best_score > 0; ++i) {
      const Place& place = places_[order[i]];
      const uint64_t taken = machines[place.machine] > 0 ? uint64_t{1} << 63 : 0;
      const uint64_t score = taken + (uint64_t{zones[place.zone]} << 32) + racks[place.rack];
      if (score < best_score) {
        best_score = score;
        best = i;
      }
    }
    const Place& place = places_[order[best]];
    ++machines[place.machine];
    ++zones[place.zone];
    ++racks[place.rack];
    list.push_back(members_[order[best]].id);
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return list;
}

}  // namespace ringside
