// For tests of this room: replicas of one key that put, merge, restart and lose their disks at
// random under any scheme of versions, and beside each object a model that remembers everything.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocols/replication/dynamo/versioning.h"
#include "protocols/test_host.h"
#include "runtime/random.h"

namespace ringside::test {

using Operations = std::set<uint64_t>;

inline DynamoOptions with_versions(Versions versions, uint32_t entries_max = 10) {
  DynamoOptions options;
  options.versions = versions;
  options.clock_entries_max = entries_max;
  return options;
}

// What an object is when every put is remembered for ever: all operations that were seen there, and
// those of them that nobody who had seen them replaced.
struct ModelObject {
  Operations seen, siblings;

  void put(const Operations& by, uint64_t operation) {
    for (const uint64_t old : by) siblings.erase(old);
    seen.insert(by.begin(), by.end());
    siblings.insert(operation);
    seen.insert(operation);
  }
  void merge(const ModelObject& other) {
    Operations kept;
    for (const uint64_t own : siblings) {
      if (other.seen.count(own) == 0 || other.siblings.count(own) != 0) kept.insert(own);
    }
    for (const uint64_t theirs : other.siblings) {
      if (seen.count(theirs) == 0) kept.insert(theirs);
    }
    siblings = std::move(kept);
    seen.insert(other.seen.begin(), other.seen.end());
  }
};

struct VersionState {
  std::string bytes;
  ModelObject model;
};
// What a client knows: the context that it holds, and what that stands for.
struct Knowledge {
  std::string context;
  Operations seen;
};

// Four replicas of a key that put and merge at random, also what was sent long ago; they restart,
// lose their disks, and sometimes a stranger coordinates. Clients read and write, read and write,
// or write on top of their last put.
class VersionHistory {
 public:
  VersionHistory(DynamoOptions options, uint64_t seed)
      : scheme(Versioning::make(options)), random(seed), replicas_(4) {
    for (std::size_t i = 0; i < 5; ++i) restart(i);
  }

  void step() {
    const std::size_t at = random.below(replicas_.size());
    if (random.chance(0.05)) restart(at);
    if (random.chance(0.03)) {
      restart(at);
      replicas_[at] = {};  // the disk is lost
    }
    if (random.chance(0.4) && !past.empty()) {
      const VersionState from = any();
      replicas_[at] = merged(replicas_[at], from);
    } else {
      put(at);
    }
    past.push_back(replicas_[at]);
  }

  VersionState merged(const VersionState& a, const VersionState& b) const {
    VersionState both = a;
    both.model.merge(b.model);
    both.bytes = merge(a.bytes, b.bytes);
    return both;
  }
  std::string merge(const std::string& a, const std::string& b) const {
    if (a.empty() || b.empty()) return a.empty() ? b : a;
    std::string out;
    switch (scheme->merge(a, b, out)) {
      case Versioning::Merge::kFirst: return a;
      case Versioning::Merge::kSecond: return b;
      case Versioning::Merge::kBoth: return out;
      default: ADD_FAILURE() << "bad object"; return {};
    }
  }
  const VersionState& any() { return past[random.below(past.size())]; }
  uint64_t puts() const { return operations_; }
  const VersionView& last_put() const { return last_put_; }

  std::unique_ptr<Versioning> scheme;
  Random random;
  std::vector<VersionState> past;
  uint64_t truncated = 0;

 private:
  void restart(std::size_t at) {
    world_.kill(static_cast<NodeId>(at + 1));
    actors_.erase(at);
    actors_.emplace(at, world_.host(static_cast<NodeId>(at + 1)));
  }

  void put(std::size_t at) {
    Knowledge& client = clients_[random.below(3)];
    if (random.chance(0.6) && !past.empty()) {
      const VersionState& read = any();
      client = {std::string(context_of(read.bytes)), read.model.seen};
    } else if (random.chance(0.2)) {
      client = {};
    }
    const bool stranger = random.chance(0.1);
    VersionState state = stranger ? VersionState() : replicas_[at];
    NewVersion version;
    version.operation = ++operations_;
    version.tombstone = random.chance(0.2);
    version.time = static_cast<Time>(1000 + random.below(1000));  // clocks say what they like
    if (!version.tombstone && random.chance(0.2)) version.expires = 5000;
    std::optional<std::string_view> stored;
    if (!state.bytes.empty()) stored = state.bytes;
    std::string out;
    const Versioning::Put put =
        scheme->put(stored, client.context, version, actors_.at(stranger ? 4 : at), out);
    ASSERT_TRUE(put.state == Versioning::Put::State::kMade ||
                put.state == Versioning::Put::State::kStale);
    truncated += put.truncated;
    VersionState next = state;
    next.model.put(client.seen, operations_);
    if (put.state == Versioning::Put::State::kMade) {
      next.bytes = out;
      VersionViews siblings;
      ASSERT_TRUE(read_object(next.bytes, siblings));
      for (const VersionView& sibling : siblings) {
        if (sibling.operation != operations_) continue;
        last_put_ = sibling;
        last_put_.value = {};
      }
    }
    client.context = scheme->context_after(client.context, put.made);
    client.seen.insert(operations_);
    if (stranger) {
      past.push_back(next);
      if (random.chance(0.5)) replicas_[at] = merged(replicas_[at], next);
    } else {
      replicas_[at] = next;
    }
  }

  TestWorld world_;
  std::map<std::size_t, Actors> actors_;
  std::vector<VersionState> replicas_;
  std::map<uint64_t, Knowledge> clients_;
  uint64_t operations_ = 0;
  VersionView last_put_;
};

inline Operations operations_of(const std::string& bytes) {
  VersionViews siblings;
  EXPECT_TRUE(bytes.empty() || read_object(bytes, siblings));
  Operations operations;
  for (const VersionView& sibling : siblings) operations.insert(sibling.operation);
  return operations;
}

}  // namespace ringside::test
