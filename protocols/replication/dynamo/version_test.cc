#include "protocols/replication/dynamo/version.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "runtime/random.h"

namespace ringside {
namespace {

// Replicas that put and merge at random: every object that can come about in a cluster of three.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed), replicas_(3) {}

  void step() {
    const uint64_t at = random_.below(replicas_.size());
    if (random_.chance(0.5)) {
      const uint64_t from = random_.below(replicas_.size());
      Object merged = replicas_[at];
      merged.merge(replicas_[from]);
      replicas_[at] = merged;
    } else {
      // A client that read some replica, some time ago, or never.
      Context seen;
      if (!past_.empty() && random_.chance(0.7)) seen = past_[random_.below(past_.size())].context;
      // A few actors a replica, so that actors retire and new ones come.
      const uint64_t actor = 10 * (at + 1) + random_.below(2);
      const uint64_t last = std::max(last_[actor], seen.last(actor));
      // Gaps happen: the counter of a coordinator that is no replica is its process's, not the
      // key's.
      last_[actor] = last + 1 + (random_.chance(0.2) ? random_.below(3) : 0);
      replicas_[at].put(seen,
                        Version{{actor, last_[actor]}, ++operation_, random_.chance(0.2), {}});
    }
    past_.push_back(replicas_[at]);
  }
  const Object& any() { return past_[random_.below(past_.size())]; }
  Random& random() { return random_; }

 private:
  Random random_;
  std::vector<Object> replicas_;
  std::vector<Object> past_;
  std::map<uint64_t, uint64_t> last_;
  uint64_t operation_ = 0;
};

Object merged(Object a, const Object& b) {
  a.merge(b);
  return a;
}

TEST(Object, merge_is_idempotent_commutative_and_associative) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    History history(seed);
    for (int i = 0; i < 40; ++i) history.step();
    for (int i = 0; i < 40; ++i) {
      const Object a = history.any(), b = history.any(), c = history.any();
      ASSERT_EQ(merged(a, a), a) << seed;
      ASSERT_EQ(merged(a, b), merged(b, a)) << seed;
      ASSERT_EQ(merged(merged(a, b), c), merged(a, merged(b, c))) << seed;
    }
  }
}

TEST(Object, merge_only_adds_to_the_context_and_includes_both_sides) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    History history(seed);
    for (int i = 0; i < 40; ++i) history.step();
    for (int i = 0; i < 40; ++i) {
      const Object a = history.any(), b = history.any();
      const Object both = merged(a, b);
      ASSERT_TRUE(both.context.dominates(a.context) && both.context.dominates(b.context));
      ASSERT_TRUE(both.includes(a) && both.includes(b));
      ASSERT_EQ(a.includes(b), merged(a, b) == a)
          << "includes says whether a merge changes anything";
      for (const Version& version : both.siblings) ASSERT_TRUE(both.context.covers(version.dot));
    }
  }
}

TEST(Context, covers_exactly_the_dots_that_were_added) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    Context a, b;
    std::map<Dot, bool> in_a, in_b;
    for (int i = 0; i < 30; ++i) {
      const Dot dot{1 + random.below(3), 1 + random.below(12)};
      if (random.chance(0.5)) {
        a.add(dot);
        in_a[dot] = true;
      } else {
        b.add(dot);
        in_b[dot] = true;
      }
    }
    Context both = a;
    both.merge(b);
    bool dominates = true;
    for (uint64_t actor = 1; actor <= 3; ++actor) {
      for (uint64_t counter = 1; counter <= 13; ++counter) {
        const Dot dot{actor, counter};
        ASSERT_EQ(a.covers(dot), in_a.count(dot) == 1);
        ASSERT_EQ(both.covers(dot), in_a.count(dot) == 1 || in_b.count(dot) == 1);
        dominates = dominates && (a.covers(dot) || !b.covers(dot));
      }
    }
    ASSERT_EQ(a.dominates(b), dominates);
  }
}

TEST(Context, dots_without_a_gap_collapse_into_the_vector_in_any_order) {
  Context context;
  for (const uint64_t counter : {3u, 1u, 4u, 2u}) context.add({7, counter});
  EXPECT_EQ(context.vector().size(), 1u);
  EXPECT_TRUE(context.cloud().empty());
  EXPECT_EQ(context.last(7), 4u);
}

TEST(Object, a_put_replaces_what_its_context_has_seen_and_stands_beside_the_rest) {
  Object object;
  object.put({}, Version{{1, 1}, 100, false, "milk"});
  const Context seen = object.context;
  object.put({}, Version{{1, 2}, 101, false, "bread"});
  EXPECT_EQ(object.siblings.size(), 2u) << "a put that has seen nothing replaces nothing";
  object.put(seen, Version{{1, 3}, 102, false, "milk, eggs"});
  ASSERT_EQ(object.siblings.size(), 2u);
  EXPECT_EQ(object.siblings[0].value, "bread");
  EXPECT_EQ(object.siblings[1].value, "milk, eggs");
  object.put(object.context, Version{{2, 1}, 103, true, {}});
  ASSERT_EQ(object.siblings.size(), 1u);
  EXPECT_TRUE(object.siblings[0].tombstone);
}

TEST(Object, puts_of_one_server_that_did_not_see_each_other_stay_siblings) {
  // The case that one actor a server gets wrong with plain version vectors.
  Object first;
  first.put({}, Version{{1, 1}, 1, false, "a"});
  Object second = first;
  second.put({}, Version{{1, 2}, 2, false, "b"});
  first.merge(second);
  EXPECT_EQ(first.siblings.size(), 2u);
}

TEST(Object, its_encoding_is_these_bytes) {
  Object object;
  Context seen;
  seen.add({0x22, 1});
  seen.add({0x11, 5});
  object.put(seen, Version{{0x22, 2}, 0x0102030405060708, false, "hi", 0x1122, 0x3344});
  const std::string expected(
      "\x02\x00"
      "\x01\x00"
      "\x01\x00\x00\x00"
      "\x22\x00\x00\x00\x00\x00\x00\x00"
      "\x02\x00\x00\x00\x00\x00\x00\x00"
      "\x11\x00\x00\x00\x00\x00\x00\x00"
      "\x05\x00\x00\x00\x00\x00\x00\x00"
      "\x01\x00\x00\x80"
      "\x22\x00\x00\x00\x00\x00\x00\x00"
      "\x02\x00\x00\x00\x00\x00\x00\x00"
      "\x08\x07\x06\x05\x04\x03\x02\x01"
      "\x22\x11\x00\x00\x00\x00\x00\x00"
      "\x02\x00\x00\x40"
      "\x44\x33\x00\x00\x00\x00\x00\x00"
      "hi",
      8 + 32 + 4 + 36 + 8 + 2);
  EXPECT_EQ(object.encoded(), expected);
  EXPECT_EQ(context_of(expected), object.context.encoded());
}

TEST(Object, decodes_what_it_encodes_and_refuses_everything_else) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    History history(seed);
    for (int i = 0; i < 30; ++i) history.step();
    const Object object = history.any();
    const std::string bytes = object.encoded();
    Object back;
    ASSERT_TRUE(back.decode(bytes));
    ASSERT_EQ(back, object);
    ASSERT_EQ(back.encoded(), bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      ASSERT_FALSE(back.decode(bytes.substr(0, size)));
    ASSERT_FALSE(back.decode(bytes + '\0'));
    // Damage is refused or read as another object in canonical form; it is never read beyond the
    // end.
    for (int i = 0; i < 200; ++i) {
      std::string damaged = bytes;
      damaged[history.random().below(damaged.size())] = static_cast<char>(history.random().next());
      if (back.decode(damaged)) ASSERT_EQ(back.encoded(), damaged);
    }
  }
}

}  // namespace
}  // namespace ringside
