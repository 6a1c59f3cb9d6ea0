#include "protocols/replication/dynamo/versioning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "protocols/replication/dynamo/test_versions.h"

namespace ringside {
namespace {

using test::Operations;
using test::operations_of;
using test::VersionHistory;
using test::VersionState;
using test::with_versions;

struct Scheme {
  const char* name;
  DynamoOptions options;
  Versions versions() const { return options.versions; }
};
void PrintTo(const Scheme& scheme, std::ostream* out) { *out << scheme.name; }

class EveryScheme : public testing::TestWithParam<Scheme> {};

INSTANTIATE_TEST_SUITE_P(
    Versions, EveryScheme,
    testing::Values(Scheme{"dotted", with_versions(Versions::kDotted)},
                    Scheme{"vector_clocks", with_versions(Versions::kVectorClock)},
                    Scheme{"truncated_clocks", with_versions(Versions::kVectorClock, 2)},
                    Scheme{"last_writer_wins", with_versions(Versions::kLastWriterWins)}),
    [](const testing::TestParamInfo<Scheme>& info) { return std::string(info.param.name); });

TEST_P(EveryScheme, merge_is_idempotent_commutative_and_associative) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    VersionHistory history(GetParam().options, seed);
    for (int i = 0; i < 40; ++i) history.step();
    for (int i = 0; i < 40; ++i) {
      const std::string a = history.any().bytes, b = history.any().bytes, c = history.any().bytes;
      ASSERT_EQ(history.merge(a, a), a);
      const std::string both = history.merge(a, b);
      ASSERT_EQ(both, history.merge(b, a)) << seed;
      ASSERT_EQ(history.merge(both, c), history.merge(a, history.merge(b, c))) << seed;
      if (a.empty() || b.empty()) continue;
      ASSERT_TRUE(history.scheme->valid(both));
      ASSERT_TRUE(history.scheme->includes(both, a) && history.scheme->includes(both, b));
      ASSERT_EQ(history.scheme->includes(a, b), both == a);
    }
  }
}

TEST_P(EveryScheme, a_put_survives_merges_with_objects_that_have_not_seen_it) {
  int met = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    VersionHistory history(GetParam().options, seed);
    for (int i = 0; i < 30; ++i) history.step();
    const std::vector<VersionState> before = history.past;
    const std::size_t count = before.size();
    const uint64_t puts = history.puts();
    while (history.puts() == puts) history.step();
    const VersionView put = history.last_put();
    const std::string with = history.past.back().bytes;
    if (operations_of(with).count(put.operation) == 0) continue;  // a stranger's, or too late
    for (int i = 0; i < 30; ++i) {
      std::string bytes = with;
      for (int j = 0; j < 3; ++j)
        bytes = history.merge(bytes, before[history.random.below(count)].bytes);
      ASSERT_TRUE(present_or_superseded(bytes, put)) << seed;
      if (GetParam().versions() != Versions::kLastWriterWins)
        ASSERT_EQ(operations_of(bytes).count(put.operation), 1u) << seed;
      ++met;
    }
  }
  EXPECT_GT(met, 1000);
}

TEST_P(EveryScheme, keeps_to_the_model_of_sets_over_random_histories) {
  const Versions versions = GetParam().versions();
  uint64_t compared = 0, more = 0, lost = 0, truncated = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    VersionHistory history(GetParam().options, seed);
    for (int i = 0; i < 40; ++i) history.step();
    for (int i = 0; i < 20; ++i) {
      const VersionState a = history.any(), b = history.any(), both = history.merged(a, b);
      const Operations have = operations_of(both.bytes);
      const Operations& should = both.model.siblings;
      ++compared;
      if (versions == Versions::kDotted) ASSERT_EQ(have, should) << seed;
      const bool all = std::includes(have.begin(), have.end(), should.begin(), should.end());
      lost += !all;
      more += all && have != should;
      if (versions == Versions::kVectorClock) ASSERT_TRUE(all) << seed << ": a put was lost";
    }
    truncated += history.truncated;
  }
  EXPECT_EQ(compared, 10'000u);
  if (versions == Versions::kVectorClock) EXPECT_GT(more, 100u) << "false siblings";
  if (versions == Versions::kLastWriterWins) EXPECT_GT(lost, 1'000u);
  if (GetParam().options.clock_entries_max == 2) EXPECT_GT(truncated, 1'000u);
  printf(
      "  %lu objects compared: %lu with false siblings, %lu lacking a put, %lu entries dropped\n",
      compared, more, lost, truncated);
}

TEST_P(EveryScheme, decodes_what_it_makes_and_refuses_everything_else) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    VersionHistory history(GetParam().options, seed);
    for (int i = 0; i < 30; ++i) history.step();
    const std::string bytes = history.any().bytes;
    if (bytes.empty()) continue;
    const Versioning& scheme = *history.scheme;
    ASSERT_TRUE(scheme.valid(bytes));
    ASSERT_TRUE(scheme.valid_context(context_of(bytes)) && scheme.valid_context(""));
    ASSERT_EQ(scheme_of(bytes), scheme.scheme());
    VersionViews siblings;
    ASSERT_TRUE(read_object(bytes, siblings));
    ASSERT_EQ(siblings.size(), sibling_count(bytes));
    for (const VersionView& version : siblings) {
      EXPECT_TRUE(present_or_superseded(bytes, version));
      EXPECT_TRUE(context_covers(context_of(bytes), version.dot));
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_FALSE(scheme.valid(bytes.substr(0, size)));
      if (size != context_of(bytes).size() && size != 0)
        ASSERT_FALSE(scheme.valid_context(bytes.substr(0, size)));
    }
    ASSERT_FALSE(scheme.valid(bytes + '\0'));
    // Damage is refused, or is another object in canonical form: then merging it with itself, which
    // encodes nothing, and with the good one, which may, give objects too.
    for (int i = 0; i < 200; ++i) {
      std::string damaged = bytes;
      damaged[history.random.below(damaged.size())] = static_cast<char>(history.random.next());
      if (scheme.valid(damaged)) ASSERT_TRUE(scheme.valid(history.merge(damaged, bytes)));
    }
    for (const Versions other :
         {Versions::kDotted, Versions::kVectorClock, Versions::kLastWriterWins}) {
      if (other == scheme.scheme()) continue;
      const auto stranger = Versioning::make(with_versions(other));
      EXPECT_FALSE(stranger->valid(bytes));
      EXPECT_FALSE(stranger->valid_context(context_of(bytes)));
    }
  }
}

TEST_P(EveryScheme, knows_since_when_there_are_only_tombstones_and_when_all_has_expired) {
  test::TestWorld world;
  Actors actors(world.host(1));
  const auto scheme = Versioning::make(GetParam().options);
  std::string object, next;
  const auto put = [&](const std::string& seen, Time time, bool tombstone, Time expires) {
    std::optional<std::string_view> stored;
    if (!object.empty()) stored = object;
    NewVersion version{
        tombstone ? "" : "x", tombstone, static_cast<uint64_t>(time), time, expires, {}};
    ASSERT_EQ(scheme->put(stored, seen, version, actors, next).state,
              Versioning::Put::State::kMade);
    object = next;
  };
  put("", 100, false, 0);
  EXPECT_EQ(dead_since(object, 1'000'000), std::nullopt);
  EXPECT_EQ(expiry_of(object), 0);
  put(std::string(context_of(object)), 200, false, 5'000);
  EXPECT_EQ(expiry_of(object), 5'000);
  EXPECT_EQ(dead_since(object, 4'999), std::nullopt);
  EXPECT_EQ(dead_since(object, 5'000), 5'000);
  put(std::string(context_of(object)), 300, true, 0);
  EXPECT_EQ(dead_since(object, 300), 300);
  EXPECT_EQ(expiry_of(object), 0) << "a tombstone does not go by itself";
  put("", 400, false, 7'000);
  if (GetParam().versions() == Versions::kLastWriterWins) return;
  EXPECT_EQ(sibling_count(object), 2u);
  EXPECT_EQ(expiry_of(object), 0) << "one of two expires";
  EXPECT_EQ(dead_since(object, 6'999), std::nullopt);
  EXPECT_EQ(dead_since(object, 7'000), 7'000);
}

TEST_P(EveryScheme, the_same_operation_makes_one_version_at_one_coordinator) {
  test::TestWorld world;
  Actors actors(world.host(1));
  const auto scheme = Versioning::make(GetParam().options);
  std::string object, next;
  const Versioning::Put first = scheme->put({}, "", {"milk", false, 7, 100, 0, {}}, actors, object);
  ASSERT_EQ(first.state, Versioning::Put::State::kMade);
  EXPECT_EQ(scheme->put(object, "", {"milk", false, 7, 150, 0, {}}, actors, next).state,
            Versioning::Put::State::kRepeated);
  const std::string seen = scheme->context_after("", first.made);
  ASSERT_EQ(scheme->put(object, seen, {"bread", false, 8, 200, 0, {}}, actors, next).state,
            Versioning::Put::State::kMade);
  EXPECT_EQ(operations_of(next), Operations{8});
  const NewVersion again{"milk", false, 7, 250, 0, first.made};
  EXPECT_EQ(scheme->put(next, "", again, actors, object).state, Versioning::Put::State::kRepeated)
      << "it was superseded, and is remembered";
  // One that holds nothing of the key makes the same version again, to the byte.
  std::string once, twice;
  const Versioning::Put stranger =
      scheme->put({}, "", {"milk", false, 9, 300, 0, {}}, actors, once);
  scheme->put({}, "", {"milk", false, 9, 350, 0, stranger.made}, actors, twice);
  EXPECT_EQ(once, twice);
}

TEST_P(EveryScheme, a_context_cannot_cover_what_is_only_now_being_made) {
  test::TestWorld world;
  Actors actors(world.host(1));
  const auto scheme = Versioning::make(GetParam().options);
  std::string object, next;
  EXPECT_EQ(scheme->put({}, "no context", {"x", false, 1, 1, 0, {}}, actors, object).state,
            Versioning::Put::State::kBadContext);
  const Versioning::Put put = scheme->put({}, "", {"x", false, 1, 1, 0, {}}, actors, object);
  if (GetParam().versions() == Versions::kLastWriterWins) return;
  const std::string seen = scheme->context_after("", put.made);
  EXPECT_EQ(scheme->put({}, seen, {"x", false, 1, 1, 0, put.made}, actors, next).state,
            Versioning::Put::State::kBadContext);
}

// The reaper, an expiry or a range handed over removed the row; the past that comes back does not
// know all that was made here.
TEST_P(EveryScheme, a_key_that_was_removed_here_and_comes_back_reissues_nothing) {
  if (GetParam().versions() == Versions::kLastWriterWins) return;  // its actors only break ties
  test::TestWorld world;
  Actors actors(world.host(1));
  const auto scheme = Versioning::make(GetParam().options);
  std::string first, second, again, next;
  const auto made = scheme->put({}, "", {"a", false, 1, 1, 0, {}}, actors, first).made;
  ASSERT_TRUE(names_actor(first, actors));
  scheme->put(first, scheme->context_after("", made), {"b", false, 2, 2, 0, {}}, actors, second);
  // Removed; a put begins anew, and `second`, on its way all the time, cannot supersede it.
  scheme->put({}, "", {"c", false, 3, 3, 0, {}}, actors, again);
  std::string out;
  EXPECT_EQ(scheme->merge(again, second, out), Versioning::Merge::kBoth);
  EXPECT_EQ(operations_of(out), (Operations{2, 3}));
  // Removed; `first` comes back, and the next put builds on it.
  actors.retire();
  scheme->put(first, context_of(first), {"d", false, 4, 4, 0, {}}, actors, next);
  EXPECT_EQ(operations_of(next), Operations{4});
  EXPECT_EQ(scheme->merge(next, second, out), Versioning::Merge::kBoth);
  EXPECT_EQ(operations_of(out), (Operations{2, 4})) << "neither had seen the other";
}

}  // namespace
}  // namespace ringside
