// Rings: one ring for all who know the same members. A ring is a pure function of (members,
// options), and takes long to make where there are many of both: who shares this makes each once,
// with the preference lists that it computes. It holds none alive. For one thread.
#pragma once

#include <memory>
#include <vector>

#include "protocols/ring.h"

namespace ringside {

class Rings {
 public:
  std::shared_ptr<const Ring> of(std::vector<Member> members, const RingOptions& options);
  // Where nothing is shared, `rings` is null.
  static std::shared_ptr<const Ring> of(const std::shared_ptr<Rings>& rings,
                                        std::vector<Member> members, const RingOptions& options) {
    if (rings != nullptr) return rings->of(std::move(members), options);
    return std::make_shared<const Ring>(std::move(members), options);
  }

 private:
  std::vector<std::weak_ptr<const Ring>> made_;
};

}  // namespace ringside
