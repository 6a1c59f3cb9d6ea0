#include "protocols/rings.h"

#include <algorithm>
#include <utility>

namespace ringside {

std::shared_ptr<const Ring> Rings::of(std::vector<Member> members, const RingOptions& options) {
  const auto by_id = [](const Member& a, const Member& b) { return a.id < b.id; };
  std::sort(members.begin(), members.end(), by_id);
  std::erase_if(made_, [](const std::weak_ptr<const Ring>& ring) { return ring.expired(); });
  for (const std::weak_ptr<const Ring>& made : made_) {
    std::shared_ptr<const Ring> ring = made.lock();
    if (ring->options() == options && ring->members() == members) return ring;
  }
  auto ring = std::make_shared<const Ring>(std::move(members), options);
  made_.push_back(ring);
  return ring;
}

}  // namespace ringside
