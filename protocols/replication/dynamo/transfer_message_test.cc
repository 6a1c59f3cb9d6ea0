#include "protocols/replication/dynamo/transfer_message.h"

#include <gtest/gtest.h>

#include "protocols/replication/dynamo/transfer.pb.h"
#include "protocols/wire.h"
#include "runtime/random.h"

namespace ringside {
namespace {

std::string body(const Buffer& message) { return std::string(message.view().substr(kHeaderBytes)); }

std::string random_bytes(Random& random, uint64_t max) {
  std::string bytes(random.below(max + 1), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

TEST(TransferMessage, bodies_are_what_protobuf_makes_of_the_schema_both_ways) {
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const uint64_t begin = random.next() >> random.below(64);
    const uint64_t end = random.chance(0.2) ? 0 : begin + 1 + (random.next() >> 32);
    if (end != 0 && end <= begin) continue;
    const uint64_t ticket = random.next() >> random.below(64);
    const bool flag = random.chance(0.5);
    const std::string key = random_bytes(random, 40);

    wire::RangeRequest range;
    range.set_begin(begin);
    range.set_end(end);
    range.set_ticket(ticket);
    ASSERT_EQ(body(RangeRequest{{begin, end}, ticket}.encode()), range.SerializeAsString());
    RangeRequest range_back;
    ASSERT_TRUE(range_back.parse(range.SerializeAsString()));
    EXPECT_EQ(range_back.range, (PositionRange{begin, end}));
    EXPECT_EQ(range_back.ticket, ticket);

    wire::RangeReply held;
    held.set_held(true);
    held.set_whole(flag);
    held.set_keys(ticket);
    held.set_bytes(begin);
    ASSERT_EQ(body(RangeReply{true, flag, ticket, begin}.encode()), held.SerializeAsString());
    RangeReply held_back;
    ASSERT_TRUE(held_back.parse(held.SerializeAsString()));
    EXPECT_TRUE(held_back.held);
    EXPECT_EQ(held_back.whole, flag);
    EXPECT_EQ(held_back.keys, ticket);
    EXPECT_EQ(held_back.bytes, begin);

    wire::PageRequest page;
    page.set_begin(begin);
    page.set_end(end);
    page.set_ticket(ticket);
    page.set_after(key);
    page.set_bytes_max(i);
    page.set_digests(flag);
    page.set_even_partial(!flag);
    const uint64_t bytes_max = static_cast<uint64_t>(i);
    ASSERT_EQ(body(PageRequest{{begin, end}, ticket, key, bytes_max, flag, !flag}.encode()),
              page.SerializeAsString());
    PageRequest page_back;
    const std::string page_bytes = page.SerializeAsString();
    ASSERT_TRUE(page_back.parse(page_bytes));
    EXPECT_EQ(page_back.range, (PositionRange{begin, end}));
    EXPECT_EQ(page_back.after, key);
    EXPECT_EQ(page_back.bytes_max, bytes_max);
    EXPECT_EQ(page_back.digests, flag);
    EXPECT_EQ(page_back.even_partial, !flag);
  }
}

TEST(TransferMessage, pages_of_rows_are_what_protobuf_makes_of_them) {
  Random random(2);
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> kept;
    kept.reserve(40);
    PageReply page;
    wire::PageReply reference;
    for (uint64_t rows = random.below(20); rows > 0; --rows) {
      kept.push_back("k" + random_bytes(random, 300));
      PageRow row{kept.back(), {}, 0};
      if (random.chance(0.5)) {
        row.digest = random.next();
      } else {
        kept.push_back(random_bytes(random, 300));
        row.object = kept.back();
      }
      page.rows.push_back(row);
      wire::PageRow& other = *reference.add_rows();
      other.set_key(std::string(row.key));
      other.set_object(std::string(row.object));
      other.set_digest(row.digest);
    }
    page.last = random.chance(0.5);
    reference.set_last(page.last);
    const std::string bytes = reference.SerializeAsString();
    ASSERT_EQ(body(page.encode()), bytes);
    PageReply back;
    ASSERT_TRUE(back.parse(bytes));
    ASSERT_EQ(back.rows.size(), page.rows.size());
    for (std::size_t at = 0; at < back.rows.size(); ++at) {
      EXPECT_EQ(back.rows[at].key, page.rows[at].key);
      EXPECT_EQ(back.rows[at].object, page.rows[at].object);
      EXPECT_EQ(back.rows[at].digest, page.rows[at].digest);
    }
    EXPECT_EQ(back.last, page.last);
  }
}

TEST(TransferMessage, nonsense_is_refused) {
  wire::PageReply page;
  page.add_rows()->set_object("of no key");
  PageReply back;
  EXPECT_FALSE(back.parse(page.SerializeAsString()));
  wire::RangeRequest range;
  range.set_begin(5);
  range.set_end(5);
  RangeRequest empty;
  EXPECT_FALSE(empty.parse(range.SerializeAsString())) << "a range of nothing";
}

TEST(TransferMessage, a_mark_is_these_bytes) {
  TransferMark mark;
  mark.range = {0x0102, 0x0304};
  mark.source = 0x05060708;
  mark.ticket = 9;
  mark.tablets = 10;
  mark.done = true;
  mark.after = "key";
  EXPECT_EQ(mark.row(), std::string("\xfftransfer/\0\0\0\0\0\0\x01\x02\x05\x06\x07\x08", 22));
  EXPECT_EQ(mark.value(), std::string("\0\0\0\0\0\0\x03\x04\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x0a\x01"
                                      "key",
                                      28));
  TransferMark back;
  ASSERT_TRUE(back.parse(mark.row(), mark.value()));
  EXPECT_EQ(back.range, mark.range);
  EXPECT_EQ(back.source, mark.source);
  EXPECT_EQ(back.ticket, mark.ticket);
  EXPECT_EQ(back.tablets, mark.tablets);
  EXPECT_TRUE(back.done);
  EXPECT_EQ(back.after, "key");
  EXPECT_FALSE(back.parse(mark.row(), "short"));
}

}  // namespace
}  // namespace ringside
