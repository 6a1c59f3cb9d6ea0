#include "protocols/replication/dynamo/vector_clock.h"

#include <gtest/gtest.h>

#include "protocols/test_host.h"

namespace ringside {
namespace {

// One server's copy of one key.
struct ClockServer {
  ClockServer(test::TestWorld& world, NodeId node, Versions versions, uint32_t most = 10)
      : actors(world.host(node)) {
    DynamoOptions options;
    options.versions = versions;
    options.clock_entries_max = most;
    scheme = Versioning::make(options);
  }
  // Returns the context after it.
  std::string put(const std::string& seen, std::string_view value, Time time = 1) {
    std::optional<std::string_view> stored;
    if (!object.empty()) stored = object;
    std::string out;
    last =
        scheme->put(stored, seen, {value, false, hash_bytes(value) | 1, time, 0, {}}, actors, out);
    EXPECT_EQ(last.state, Versioning::Put::State::kMade);
    object = out;
    return scheme->context_after(seen, last.made);
  }
  void merge(const std::string& other) {
    std::string out;
    switch (scheme->merge(object, other, out)) {
      case Versioning::Merge::kFirst: return;
      case Versioning::Merge::kSecond: object = other; return;
      case Versioning::Merge::kBoth: object = out; return;
      default: FAIL() << "bad object";
    }
  }
  std::string context() const { return std::string(context_of(object)); }

  std::unique_ptr<Versioning> scheme;
  Actors actors;
  std::string object;
  Versioning::Put last;
};

std::multiset<std::string> sibling_values(const std::string& object) {
  VersionViews siblings;
  EXPECT_TRUE(read_object(object, siblings));
  std::multiset<std::string> values;
  for (const VersionView& sibling : siblings) values.emplace(sibling.value);
  return values;
}
using Values = std::multiset<std::string>;

TEST(VectorClock, the_papers_figure_3) {
  test::TestWorld world;
  ClockServer x(world, 1, Versions::kVectorClock), y(world, 2, Versions::kVectorClock),
      z(world, 3, Versions::kVectorClock);
  const std::string d1 = x.put("", "D1");
  const std::string d2 = x.put(d1, "D2");
  EXPECT_EQ(sibling_values(x.object), Values{"D2"}) << "D2 descends from D1";
  y.object = z.object = x.object;
  y.put(d2, "D3");
  z.put(d2, "D4");
  x.merge(y.object);
  x.merge(z.object);
  EXPECT_EQ(sibling_values(x.object), (Values{"D3", "D4"}));
  x.put(x.context(), "D5");
  EXPECT_EQ(sibling_values(x.object), Values{"D5"});
  y.merge(x.object);
  EXPECT_EQ(y.object, x.object);
}

TEST(VectorClock, puts_of_one_server_that_did_not_see_each_other_stay_siblings_everywhere) {
  test::TestWorld world;
  ClockServer x(world, 1, Versions::kVectorClock), y(world, 2, Versions::kVectorClock);
  x.put("", "milk");
  y.object = x.object;
  x.put("", "bread");
  EXPECT_EQ(sibling_values(x.object), (Values{"milk", "bread"}));
  y.merge(x.object);
  EXPECT_EQ(sibling_values(y.object), (Values{"milk", "bread"}));
}

// The paper's clocks, one actor a server: two clients that write through the same server by turns,
// each on top of its own last version. Dotted version vectors keep one version of each.
TEST(VectorClock, has_false_concurrency_where_dotted_version_vectors_have_none) {
  test::TestWorld world;
  std::size_t siblings[2];
  for (const Versions versions : {Versions::kVectorClock, Versions::kDotted}) {
    ClockServer x(world, 1, versions);
    std::string one, two;
    for (int i = 0; i < 10; ++i) {
      one = x.put(one, "one " + std::to_string(i));
      two = x.put(two, "two " + std::to_string(i));
    }
    siblings[versions == Versions::kDotted] = sibling_count(x.object);
    EXPECT_EQ(sibling_values(x.object).count("one 9"), 1u);
    EXPECT_EQ(sibling_values(x.object).count("two 9"), 1u);
    x.put(x.context(), "all");
    EXPECT_EQ(sibling_values(x.object), Values{"all"}) << "who reads again replaces them";
  }
  EXPECT_EQ(siblings[1], 2u);
  EXPECT_EQ(siblings[0], 20u) << "none of them ever replaced its own last one";
}

TEST(VectorClock, truncation_drops_the_oldest_entries_and_never_the_puts_own) {
  VectorClock clock;
  clock.set({1, 5, 300});
  clock.set({2, 5, 100});
  clock.set({3, 5, 200});
  clock.set({4, 5, 100});
  clock.set({5, 1, 50});  // of the put, by a clock that is far behind
  EXPECT_EQ(clock.truncate(5, 5), 0u);
  EXPECT_EQ(clock.truncate(4, 5), 1u);
  EXPECT_EQ(clock.count_of(2), 0u) << "of two as old the lower actor";
  EXPECT_EQ(clock.truncate(2, 5), 2u);
  ASSERT_EQ(clock.size(), 2u);
  EXPECT_EQ(clock.count_of(1), 5u);
  EXPECT_EQ(clock.count_of(5), 1u);
  EXPECT_EQ(clock.truncate(0, 5), 1u);
  EXPECT_EQ(clock.count_of(5), 1u);
}

TEST(VectorClock, truncation_makes_false_siblings) {
  test::TestWorld world;
  for (const uint32_t most : {10u, 2u}) {
    std::vector<std::unique_ptr<ClockServer>> servers;
    for (NodeId id = 1; id <= 4; ++id)
      servers.push_back(std::make_unique<ClockServer>(world, id, Versions::kVectorClock, most));
    std::string seen = servers[0]->put("", "0", 100);
    const std::string stale = servers[0]->object;  // on a replica that is down
    uint64_t truncated = 0;
    for (int i = 1; i < 4; ++i) {
      servers[i]->object = servers[i - 1]->object;
      seen = servers[i]->put(seen, std::to_string(i), 100 * (i + 1));
      truncated += servers[i]->last.truncated;
    }
    EXPECT_EQ(sibling_values(servers[3]->object), Values{"3"});
    servers[3]->merge(stale);
    if (most == 10) {
      EXPECT_EQ(sibling_values(servers[3]->object), Values{"3"}) << "it descends from 0";
      EXPECT_EQ(truncated, 0u);
    } else {
      EXPECT_EQ(sibling_values(servers[3]->object), (Values{"0", "3"}));
      EXPECT_EQ(truncated, 3u) << "one of three entries, then two of four: contexts lose nothing";
    }
  }
}

TEST(VectorClock, its_encoding_is_these_bytes) {
  VectorClock one, two;
  one.set({0x11, 1, 0x64});
  two.set({0x22, 2, 0xc8});
  ClockedObject object;
  object.put({}, ClockedVersion{{0x11, 1}, one, 7, false, "hi", 0x64, 0x3344});
  const std::string context(
      "\x03\x00"
      "\x01\x00"
      "\x00\x00\x00\x00"
      "\x11\x00\x00\x00\x00\x00\x00\x00"
      "\x01\x00\x00\x00\x00\x00\x00\x00"
      "\x64\x00\x00\x00\x00\x00\x00\x00",
      32);
  const std::string version(
      "\x11\x00\x00\x00\x00\x00\x00\x00"
      "\x01\x00\x00\x00\x00\x00\x00\x00"
      "\x07\x00\x00\x00\x00\x00\x00\x00"
      "\x64\x00\x00\x00\x00\x00\x00\x00"
      "\x02\x00\x00\x40"
      "\x44\x33\x00\x00\x00\x00\x00\x00",
      44);
  EXPECT_EQ(object.encoded(),
            context + std::string("\x01\x00\x00\x80", 4) + version + "\xff\xffhi");
  EXPECT_EQ(context_of(object.encoded()), context);
  object.put({}, ClockedVersion{{0x22, 2}, two, 8, true, {}, 0xc8, 0});
  EXPECT_EQ(object.encoded(), std::string("\x03\x00\x02\x00", 4) + context.substr(4) +
                                  std::string("\x22\x00\x00\x00\x00\x00\x00\x00"
                                              "\x02\x00\x00\x00\x00\x00\x00\x00"
                                              "\xc8\x00\x00\x00\x00\x00\x00\x00"
                                              "\x02\x00\x00\x00",
                                              28) +
                                  version + std::string("\x01\x00", 2) + context.substr(8) + "hi" +
                                  std::string("\x22\x00\x00\x00\x00\x00\x00\x00"
                                              "\x02\x00\x00\x00\x00\x00\x00\x00"
                                              "\x08\x00\x00\x00\x00\x00\x00\x00"
                                              "\xc8\x00\x00\x00\x00\x00\x00\x00"
                                              "\x00\x00\x00\x80"
                                              "\x01\x00"
                                              "\x22\x00\x00\x00\x00\x00\x00\x00"
                                              "\x02\x00\x00\x00\x00\x00\x00\x00"
                                              "\xc8\x00\x00\x00\x00\x00\x00\x00",
                                              62));
}

}  // namespace
}  // namespace ringside
