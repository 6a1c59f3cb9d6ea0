#include "protocols/replication/dynamo/repair_wire.h"

#include <gtest/gtest.h>

#include "protocols/replication/dynamo/repair.pb.h"

namespace ringside {
namespace {

std::string body_of_repair(const Buffer& message) {
  return std::string(message.view().substr(kHeaderBytes));
}

std::string drawn_bytes(Random& random) {
  const uint64_t size = random.chance(0.3) ? 0 : random.below(random.chance(0.1) ? 20'000 : 40);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

template <class T>
std::vector<T> drawn_numbers(Random& random) {
  std::vector<T> numbers(random.below(20));
  for (T& number : numbers) number = static_cast<T>(random.next());
  return numbers;
}

template <class T, class Field>
void put_all(const std::vector<T>& numbers, Field* field) {
  for (const T number : numbers) field->Add(number);
}

TEST(RepairWire, bodies_are_what_protobuf_makes_of_the_schema_both_ways) {
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const std::string begin = drawn_bytes(random), end = drawn_bytes(random),
                      object = drawn_bytes(random);
    const auto small = static_cast<uint32_t>(random.next() >> (32 + random.below(32)));
    const uint64_t large = random.next() >> random.below(64);
    const std::vector<uint32_t> narrow = drawn_numbers<uint32_t>(random);
    const std::vector<uint64_t> wide = drawn_numbers<uint64_t>(random);
    std::vector<uint64_t> pairs = wide;
    pairs.insert(pairs.end(), wide.begin(), wide.end());

    wire::TreeRequest tree;
    tree.set_begin(begin);
    tree.set_end(end);
    tree.set_depth(small);
    tree.set_levels(small / 2);
    put_all(narrow, tree.mutable_nodes());
    ASSERT_EQ(body_of_repair(TreeRequest{begin, end, small, small / 2, packed(narrow)}.encode()),
              tree.SerializeAsString());
    const std::string tree_bytes = tree.SerializeAsString();
    TreeRequest tree_back;
    ASSERT_TRUE(tree_back.parse(tree_bytes));
    EXPECT_EQ(tree_back.begin, begin);
    EXPECT_EQ(tree_back.end, end);
    EXPECT_EQ(tree_back.depth, small);
    EXPECT_EQ(tree_back.levels, small / 2);
    EXPECT_EQ(tree_back.nodes, packed(narrow));

    wire::TreeReply hashes;
    put_all(pairs, hashes.mutable_hashes());
    ASSERT_EQ(body_of_repair(TreeReply{packed(pairs)}.encode()), hashes.SerializeAsString());

    wire::LeafRequest leaf;
    leaf.set_begin(begin);
    leaf.set_end(end);
    put_all(pairs, leaf.mutable_rows());
    ASSERT_EQ(body_of_repair(LeafRequest{begin, end, packed(pairs)}.encode()),
              leaf.SerializeAsString());

    wire::LeafReply differ;
    put_all(wide, differ.mutable_wanted());
    put_all(pairs, differ.mutable_theirs());
    const std::string differ_bytes = differ.SerializeAsString();
    ASSERT_EQ(body_of_repair(LeafReply{packed(wide), packed(pairs)}.encode()), differ_bytes);
    LeafReply differ_back;
    ASSERT_TRUE(differ_back.parse(differ_bytes));
    EXPECT_EQ(differ_back.wanted, packed(wide));
    EXPECT_EQ(differ_back.theirs, packed(pairs));

    wire::RowsRequest rows;
    rows.set_begin(begin);
    rows.set_end(end);
    put_all(wide, rows.mutable_rows());
    ASSERT_EQ(body_of_repair(RowsRequest{begin, end, packed(wide)}.encode()),
              rows.SerializeAsString());

    wire::RowsReply found;
    RowsReply ours;
    wire::ReapRequest reap;
    reap.set_begin(large);
    reap.set_end(large / 3);
    put_all(narrow, reap.mutable_homes());
    reap.set_remove(random.chance(0.5));
    ReapRequest our_reap{large, large / 3, packed(narrow), reap.remove(), {}};
    for (uint64_t n = random.below(4); n > 0; --n) {
      found.add_rows()->set_key(begin);
      found.mutable_rows()->rbegin()->set_object(object);
      ours.rows.push_back({begin, object});
      reap.add_rows()->set_key(end);
      reap.mutable_rows()->rbegin()->set_object(large);
      our_reap.rows.push_back({end, large});
    }
    const std::string found_bytes = found.SerializeAsString();
    const std::string reap_bytes = reap.SerializeAsString();
    ASSERT_EQ(body_of_repair(ours.encode()), found_bytes);
    ASSERT_EQ(body_of_repair(our_reap.encode()), reap_bytes);
    RowsReply found_back;
    ASSERT_TRUE(found_back.parse(found_bytes));
    ASSERT_EQ(found_back.rows.size(), ours.rows.size());
    ReapRequest reap_back;
    ASSERT_TRUE(reap_back.parse(reap_bytes));
    ASSERT_EQ(reap_back.rows.size(), ours.rows.size());
    EXPECT_EQ(reap_back.begin, large);
    EXPECT_EQ(reap_back.remove, reap.remove());
    EXPECT_EQ(reap_back.homes, packed(narrow));
    for (std::size_t row = 0; row < ours.rows.size(); ++row) {
      EXPECT_EQ(found_back.rows[row].key, begin);
      EXPECT_EQ(found_back.rows[row].object, object);
      EXPECT_EQ(reap_back.rows[row].key, end);
      EXPECT_EQ(reap_back.rows[row].object, large);
    }

    wire::ReapReply same;
    put_all(narrow, same.mutable_same());
    ASSERT_EQ(body_of_repair(ReapReply{packed(narrow)}.encode()), same.SerializeAsString());
  }
}

TEST(RepairWire, refuses_half_numbers_and_what_is_cut) {
  LeafRequest leaf;
  const std::string half(
      "\x1a\x08"
      "12345678",
      10);
  EXPECT_FALSE(leaf.parse(half)) << "a row without its object's hash";
  RowsReply rows;
  EXPECT_FALSE(rows.parse(std::string_view("\x0a\x03\x0a\x05k", 5))) << "a key that is cut";
  ReapReply same;
  EXPECT_FALSE(
      same.parse(std::string_view("\x0a\x03"
                                  "abc",
                                  5)));
}

}  // namespace
}  // namespace ringside
