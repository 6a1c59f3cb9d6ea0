#include "protocols/ring.h"

#include <algorithm>
#include <map>
#include <utility>

#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside {
namespace {

constexpr uint64_t kTokenSalt = 0x746f6b656e;  // "token"

struct Token {
  uint64_t position;
  uint32_t member;
};

}  // namespace

Ring::Ring(std::vector<Member> members, uint32_t q, uint32_t tokens)
    : members_(std::move(members)) {
  CHECK(q > 0 && tokens > 0 && !members_.empty());
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < members_.size(); ++i) CHECK(members_[i - 1].id != members_[i].id);

  const uint32_t count = static_cast<uint32_t>(members_.size());
  std::vector<Token> circle;
  circle.reserve(std::size_t{count} * tokens);
  for (uint32_t member = 0; member < count; ++member) {
    for (uint32_t i = 0; i < tokens; ++i) {
      circle.push_back({mix(mix(members_[member].id, kTokenSalt), i), member});
    }
  }
  std::sort(circle.begin(), circle.end(), [](const Token& a, const Token& b) {
    return a.position != b.position ? a.position < b.position : a.member < b.member;
  });

  number_places();

  // Floor(Q/S) each, and one more for Q mod S of them: whoever reaches for it first.
  std::vector<uint32_t> owned(count, 0);
  const uint32_t share = q / count;
  uint32_t extras = q % count;
  owners_.resize(q);
  for (uint32_t partition = 0; partition < q; ++partition) {
    const auto begin = static_cast<uint64_t>((static_cast<unsigned __int128>(partition) << 64) / q);
    std::size_t at = std::lower_bound(circle.begin(), circle.end(), begin,
                                      [](const Token& token, uint64_t position) {
                                        return token.position < position;
                                      }) -
                     circle.begin();
    for (;; ++at) {
      const uint32_t member = circle[at % circle.size()].member;
      if (owned[member] > share || (owned[member] == share && extras == 0)) continue;
      if (owned[member]++ == share) --extras;
      owners_[partition] = member;
      break;
    }
  }
  listed_.resize(q);
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

uint32_t Ring::partition_of(std::string_view key) const {
  const auto scaled = static_cast<unsigned __int128>(position_of(key)) * owners_.size();
  return static_cast<uint32_t>(scaled >> 64);
}

std::span<const NodeId> Ring::preference(uint32_t partition) const {
  std::vector<NodeId>& list = listed_[partition];
  if (list.empty()) list = walk(partition);
  return list;
}

bool Ring::is_home(std::string_view key, NodeId node, uint32_t n) const {
  const std::span<const NodeId> list = preference(key);
  const std::size_t home = std::min<std::size_t>(n, list.size());
  return std::find(list.begin(), list.begin() + home, node) != list.begin() + home;
}

std::vector<NodeId> Ring::walk(uint32_t partition) const {
  // Members in the order in which their partitions follow this one; those that own none come last,
  // by id.
  std::vector<uint32_t> order;
  std::vector<bool> met(members_.size(), false);
  for (std::size_t step = 0; step < owners_.size() && order.size() < members_.size(); ++step) {
    const uint32_t member = owners_[(partition + step) % owners_.size()];
    if (!met[member]) order.push_back(member);
    met[member] = true;
  }
  for (uint32_t member = 0; member < members_.size(); ++member) {
    if (!met[member]) order.push_back(member);
  }

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
