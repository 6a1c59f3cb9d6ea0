#include "storage/merkle.h"

#include <gtest/gtest.h>

#include <map>

#include "runtime/random.h"
#include "storage/test_bytes.h"

namespace ringside {
namespace {

struct Held {
  std::string value;
  int64_t expires = 0;
};
using Tablet = std::map<std::string, Held>;

void rehash_leaf(MerkleTree& tree, const Tablet& tablet, uint32_t leaf, int64_t now) {
  const KeyRange range = tree.leaf_range(leaf);
  tree.begin(leaf);
  MerkleLeaf hasher;
  for (auto at = tablet.lower_bound(range.begin);
       !range.empty() && at != tablet.end() && before_end(at->first, range.end); ++at) {
    const Held& held = at->second;
    if (held.expires != 0 && held.expires <= now) continue;
    hasher.add(at->first, held.value, held.expires);
  }
  tree.set(leaf, hasher.hash(), hasher.first_expiry());
}

uint64_t rehash_dirty(MerkleTree& tree, const Tablet& tablet, int64_t now = 0) {
  tree.expire(now);
  uint64_t leaves = 0;
  for (std::optional<uint32_t> leaf = tree.next_dirty(0); leaf; leaf = tree.next_dirty(*leaf + 1)) {
    rehash_leaf(tree, tablet, *leaf, now);
    ++leaves;
  }
  return leaves;
}

MerkleHashes rebuilt(const KeyRange& range, uint32_t depth, const Tablet& tablet, int64_t now = 0) {
  MerkleTree tree(range, depth);
  rehash_dirty(tree, tablet, now);
  return tree.hashes();
}

std::string random_key(Random& random, uint64_t bytes_max) {
  std::string key(random.below(bytes_max + 1), '\0');
  // Extremes are likely, so that keys meet the corners.
  for (char& byte : key) {
    const uint64_t kind = random.below(4);
    byte = static_cast<char>(kind == 0 ? 0 : kind == 1 ? 0xff : random.below(256));
  }
  return key;
}

std::string text(const KeyRange& range) {
  return "[" + hex(range.begin) + ", " + hex(range.end) + ")";
}

const std::vector<KeyRange>& ranges_of_every_kind() {
  using namespace std::string_literals;
  static const std::vector<KeyRange> ranges = {
      {"", ""},
      {"", "m"},
      {"m", ""},
      {"a", "b"},
      {"user/1000", "user/2000"},
      {"a long prefix that both share/1", "a long prefix that both share/2"},
      {"\x20\x00\x00\x00\x00\x00\x00\x00"s, "\x40\x00\x00\x00\x00\x00\x00\x00"s},
      {"\x20\x00\x00\x00\x00\x00\x00\x01"s, "\x40\x00\x00\x00\x00\x00\x00\x03"s},
      {"abc", "abcd"},
      {"abc", "abc\0\0\0\x01"s},
      {"abc", "abc\0"s},                               // one key
      {"", "\0\0\0\0"s},                               // four keys, all of them zeros
      {"a\xff\xff\xff\xff\xff\xff\xff\xff\xff", "b"},  // one number apart
      {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
       "abc",
       ""},  // nothing but 0xff in common
      {"\xff\xff", ""},
      {"k\0\0\0\0\0\0\0\x00"s, "k\0\0\0\0\0\0\x10\x00"s},  // about as many numbers as leaves
  };
  return ranges;
}

TEST(KeyDivision, every_key_falls_in_the_one_part_whose_range_holds_it) {
  Random random(1);
  for (const KeyRange& range : ranges_of_every_kind()) {
    for (uint32_t depth = 0; depth <= 12; ++depth) {
      const KeyDivision division(range, depth);
      const uint32_t parts = division.parts();
      // Without a gap, from bound to bound.
      EXPECT_EQ(division.part(0).begin, range.begin);
      EXPECT_EQ(division.part(parts - 1).end, range.end);
      std::vector<std::string> keys;
      for (uint32_t part = 0; part < parts; ++part) {
        const KeyRange held = division.part(part);
        if (part > 0) ASSERT_EQ(division.part(part - 1).end, held.begin);
        ASSERT_TRUE(held.end.empty() || held.begin <= held.end) << text(held);
        // The bound itself, what comes right after it, and what comes just before.
        keys.insert(keys.end(), {held.begin, held.begin + '\0', held.begin + "\xff\xff"});
        if (!held.begin.empty()) {
          keys.push_back(held.begin.substr(0, held.begin.size() - 1));
          keys.push_back(held.begin);
          if (keys.back().back() != '\0') {
            keys.back().back() = static_cast<char>(keys.back().back() - 1);
            keys.back() += "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
          }
        }
      }
      std::string prefix = range.begin;
      for (int i = 0; i < 200; ++i) {
        keys.push_back(random_key(random, 20));
        const uint64_t kept = random.below(prefix.size() + 1);
        keys.push_back(prefix.substr(0, kept) + random_key(random, 10));
      }
      for (const std::string& key : keys) {
        if (!range.contains(key)) continue;
        const KeyRange held = division.part(division.part_of(key));
        ASSERT_TRUE(held.contains(key) && !held.empty())
            << hex(key) << " in " << text(held) << " of " << text(range) << ", depth " << depth;
      }
    }
  }
}

TEST(KeyDivision, parts_are_of_equal_width_beyond_what_keys_share) {
  const KeyDivision tokens({}, 8);
  EXPECT_EQ(hex(tokens.part(1).begin), "01");
  EXPECT_EQ(hex(tokens.part(255).begin), "ff");
  const KeyDivision users({"user/a", "user/e"}, 2);
  EXPECT_EQ(users.part(1).begin, "user/b");
  EXPECT_EQ(users.part(3), (KeyRange{"user/d", "user/e"}));
  const KeyDivision thirds({"\x03", "\x06"}, 1);
  EXPECT_EQ(hex(thirds.part(1).begin), "0480");

  // Random keys spread: no part has less than half or more than twice its share.
  Random random(2);
  const int keys = 64'000;
  const KeyDivision even({"t/", "t0"}, 6);
  std::vector<int> spread(even.parts());
  for (int i = 0; i < keys; ++i) {
    std::string key = "t/";
    uint64_t token = random.next();
    for (int byte = 0; byte < 8; ++byte, token >>= 8) key.push_back(static_cast<char>(token));
    ++spread[even.part_of(key)];
  }
  for (const int count : spread) {
    EXPECT_GT(count, keys / 64 / 2);
    EXPECT_LT(count, keys / 64 * 2);
  }
}

TEST(MerkleTree, equals_a_tree_rebuilt_from_scratch_after_random_changes) {
  for (const KeyRange& range : ranges_of_every_kind()) {
    for (const uint32_t depth : {0u, 1u, 5u, 9u}) {
      Random random(mix(depth, range.begin.size()));
      MerkleTree tree(range, depth);
      Tablet tablet;
      std::vector<std::string> keys;
      for (int i = 0; i < 200; ++i) {
        const uint64_t kept = random.below(range.begin.size() + 1);
        std::string key = range.begin.substr(0, kept) + random_key(random, 12);
        if (range.contains(key)) keys.push_back(std::move(key));
      }
      keys.push_back(range.begin);
      for (int round = 0; round < 30; ++round) {
        for (uint64_t changes = random.below(6); changes > 0; --changes) {
          const std::string& key = keys[random.below(keys.size())];
          const uint64_t what = random.below(8);
          if (what == 0) {
            std::string begin = keys[random.below(keys.size())];
            std::string end = random.chance(0.2) ? "" : keys[random.below(keys.size())];
            if (!before_end(begin, end)) std::swap(begin, end);
            tablet.erase(tablet.lower_bound(begin),
                         end.empty() ? tablet.end() : tablet.lower_bound(end));
            tree.mark_range(begin, end);
          } else if (what < 3) {
            tablet.erase(key);
            tree.mark(key);
          } else {
            tablet[key] = {std::to_string(random.next()), 0};
            tree.mark(key);
          }
        }
        rehash_dirty(tree, tablet);
        ASSERT_EQ(tree.hashes().nodes, rebuilt(range, depth, tablet).nodes)
            << text(range) << ", depth " << depth << ", round " << round;
      }
    }
  }
}

TEST(MerkleTree, hashes_have_the_values_that_replicas_of_version_1_agree_on) {
  const MerkleHashes hashes =
      rebuilt({}, 1, {{"apple", {"red", 0}}, {"apricot", {"", 7}}, {"\xc0", {"x"}}});
  ASSERT_EQ(hashes.nodes.size(), 3u);
  std::vector<std::string> words;
  for (const MerkleHash& node : hashes.nodes) {
    char text[40];
    snprintf(text, sizeof text, "%016llx %016llx", static_cast<unsigned long long>(node.high),
             static_cast<unsigned long long>(node.low));
    words.push_back(text);
  }
  EXPECT_EQ(words, (std::vector<std::string>{"68710d0735a77f2a ada630e32f2c48e0",
                                             "e62b279b534dd284 47940a1f9df2ba27",
                                             "ee5371605d09e057 c2da42ffdcc5fcff"}));
}

TEST(MerkleTree, order_and_boundaries_of_entries_matter) {
  const auto hash = [](const std::vector<std::pair<std::string, Held>>& entries) {
    MerkleLeaf leaf;
    for (const auto& [key, held] : entries) leaf.add(key, held.value, held.expires);
    return leaf.hash();
  };
  const std::vector<MerkleHash> all = {
      hash({}),
      hash({{"", {""}}}),
      hash({{"", {""}}, {"", {""}}}),
      hash({{"ab", {"c"}}}),
      hash({{"a", {"bc"}}}),
      hash({{"abc", {""}}}),
      hash({{"c", {"ab"}}}),
      hash({{"ab", {"c", 1}}}),
      hash({{"ab", {"c", 2}}}),
      hash({{"a", {"1"}}, {"b", {"2"}}}),
      hash({{"b", {"2"}}, {"a", {"1"}}}),
      hash({{"a", {"2"}}, {"b", {"1"}}}),
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(all[i], all[j]) << i << " and " << j;
  }
}

TEST(MerkleTree, only_the_paths_above_changed_leaves_are_hashed_again) {
  const uint32_t depth = 10;
  MerkleTree tree({}, depth);
  Tablet tablet;
  Random random(3);
  for (int i = 0; i < 5'000; ++i) tablet[random_key(random, 8)] = {"v"};
  EXPECT_EQ(rehash_dirty(tree, tablet), 1u << depth);
  const MerkleHashes before = tree.hashes();
  EXPECT_EQ(tree.rehashed(), (1u << depth) - 1);

  EXPECT_EQ(rehash_dirty(tree, tablet), 0u);
  EXPECT_EQ(tree.hashes().nodes, before.nodes);
  EXPECT_EQ(tree.rehashed(), (1u << depth) - 1);

  tablet["key"] = {"new"};
  tree.mark("key");
  tree.mark("key");
  EXPECT_EQ(rehash_dirty(tree, tablet), 1u);
  EXPECT_NE(tree.hashes().nodes[0], before.nodes[0]);
  EXPECT_EQ(tree.rehashed(), (1u << depth) - 1 + depth);

  // Marked, and nothing changed: nothing above is hashed.
  tree.mark("key");
  EXPECT_EQ(rehash_dirty(tree, tablet), 1u);
  tree.hashes();
  EXPECT_EQ(tree.rehashed(), (1u << depth) - 1 + depth);
}

TEST(MerkleTree, a_mark_that_meets_a_recompute_is_not_lost) {
  MerkleTree tree({}, 4);
  Tablet tablet = {{"key", {"old"}}};
  rehash_dirty(tree, tablet);
  tree.mark("key");
  const std::optional<uint32_t> leaf = tree.next_dirty(0);
  ASSERT_TRUE(leaf);
  tree.begin(*leaf);
  EXPECT_FALSE(tree.next_dirty(0));
  MerkleLeaf hasher;
  hasher.add("key", "old", 0);  // the scan has passed the key
  tablet["key"].value = "new";
  tree.mark("key");
  tree.set(*leaf, hasher.hash(), hasher.first_expiry());
  EXPECT_EQ(tree.next_dirty(0), leaf);
  EXPECT_NE(tree.hashes().nodes, rebuilt({}, 4, tablet).nodes);
  EXPECT_EQ(rehash_dirty(tree, tablet), 1u);
  EXPECT_EQ(tree.hashes().nodes, rebuilt({}, 4, tablet).nodes);
}

TEST(MerkleTree, a_range_marks_the_leaves_that_it_touches_and_no_others) {
  for (const uint32_t depth : {0u, 3u, 8u}) {
    const KeyRange range{"d", "t"};
    Random random(depth);
    for (int round = 0; round < 300; ++round) {
      MerkleTree tree(range, depth);
      for (uint32_t leaf = 0; leaf < tree.leaves(); ++leaf) tree.begin(leaf);
      std::string begin = random_key(random, 3), end = random_key(random, 3);
      if (random.chance(0.5)) {
        begin = tree.leaf_range(static_cast<uint32_t>(random.below(tree.leaves()))).begin;
        end = tree.leaf_range(static_cast<uint32_t>(random.below(tree.leaves()))).end;
      }
      if (!before_end(begin, end)) continue;
      tree.mark_range(begin, end);
      std::vector<bool> dirty(tree.leaves());
      for (auto leaf = tree.next_dirty(0); leaf; leaf = tree.next_dirty(*leaf + 1))
        dirty[*leaf] = true;
      for (uint32_t leaf = 0; leaf < tree.leaves(); ++leaf) {
        ASSERT_EQ(dirty[leaf], tree.leaf_range(leaf).overlaps(begin, end))
            << hex(begin) << " to " << hex(end) << ", leaf " << leaf << " of depth " << depth;
      }
    }
  }
}

TEST(MerkleTree, what_expires_is_in_the_hash_until_then) {
  const Tablet tablet = {{"a", {"1", 100}}, {"b", {"2", 50}}, {"c", {"3"}}, {"\xf0", {"4", 200}}};
  const auto without = [&](std::vector<std::string> keys) {
    Tablet left = tablet;
    for (const std::string& key : keys) left.erase(key);
    return rebuilt({}, 4, left).nodes;
  };
  MerkleTree tree({}, 4);
  rehash_dirty(tree, tablet, 10);
  EXPECT_EQ(tree.hashes().nodes, without({}));
  EXPECT_EQ(rehash_dirty(tree, tablet, 49), 0u);
  EXPECT_EQ(rehash_dirty(tree, tablet, 50), 1u);
  EXPECT_EQ(tree.hashes().nodes, without({"b"}));
  EXPECT_EQ(rehash_dirty(tree, tablet, 99), 0u);
  EXPECT_EQ(rehash_dirty(tree, tablet, 500), 2u);
  EXPECT_EQ(tree.hashes().nodes, without({"a", "b", "\xf0"}));
  EXPECT_EQ(rehash_dirty(tree, tablet, 1'000), 0u);
  // The clock was ahead: what it hid is alive.
  EXPECT_EQ(rehash_dirty(tree, tablet, 60), tree.leaves());
  EXPECT_EQ(tree.hashes().nodes, without({"b"}));
  EXPECT_EQ(rehash_dirty(tree, tablet, 100), 1u);
  EXPECT_EQ(tree.hashes().nodes, without({"a", "b"}));
}

TEST(MerkleTree, differences_are_found_from_the_root) {
  for (uint32_t depth = 0; depth <= 12; ++depth) {
    Random random(depth);
    Tablet tablet;
    for (int i = 0; i < 500; ++i) tablet[random_key(random, 8)] = {"v"};
    Tablet other = tablet;
    MerkleTree tree({}, depth);
    std::vector<uint32_t> changed;
    for (uint64_t i = 0; i < depth; ++i) {
      const std::string key = random_key(random, 8);
      other[key] = {"w"};
      changed.push_back(KeyDivision({}, depth).part_of(key));
    }
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    const Result<std::vector<uint32_t>> found =
        differing_leaves(rebuilt({}, depth, tablet), rebuilt({}, depth, other));
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, changed);
  }
  const MerkleHashes tree = rebuilt({}, 2, {});
  EXPECT_EQ(differing_leaves(tree, rebuilt({}, 3, {})).code(), Code::kInvalid);
  EXPECT_EQ(differing_leaves(tree, rebuilt({"a", "b"}, 2, {})).code(), Code::kInvalid);
  EXPECT_EQ(differing_leaves({}, {}).code(), Code::kInvalid);
  MerkleHashes odd = tree;
  odd.nodes.pop_back();
  EXPECT_EQ(differing_leaves(odd, odd).code(), Code::kInvalid);
}

}  // namespace
}  // namespace ringside
