#include "protocols/wire.h"

#include <gtest/gtest.h>

#include "protocols/members.h"
#include "protocols/wire.pb.h"
#include "runtime/random.h"

namespace ringside {
namespace {

std::string body(const Buffer& message) { return std::string(message.view().substr(kHeaderBytes)); }

std::string random_bytes(Random& random) {
  const uint64_t size = random.chance(0.3) ? 0 : random.below(random.chance(0.1) ? 20'000 : 40);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

TEST(Wire, bodies_are_what_protobuf_makes_of_the_schema_both_ways) {
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const std::string key = random_bytes(random), context = random_bytes(random),
                      value = random_bytes(random);
    const bool flag = random.chance(0.5);
    const auto number = static_cast<uint32_t>(random.next() >> (32 + random.below(32)));

    wire::GetRequest get;
    get.set_key(key);
    get.set_hints(flag);
    ASSERT_EQ(body(GetRequest{key, flag}.encode()), get.SerializeAsString());
    GetRequest get_back;
    const std::string get_bytes = get.SerializeAsString();
    ASSERT_TRUE(get_back.parse(get_bytes));
    EXPECT_EQ(get_back.hints, flag);

    wire::GetReply got;
    got.set_found(flag);
    got.set_object(value);
    got.set_coordinator(number);
    got.set_fastest(number / 3);
    ASSERT_EQ(body(GetReply{flag, value, number, number / 3}.encode()), got.SerializeAsString());
    GetReply got_back;
    ASSERT_TRUE(got_back.parse(got.SerializeAsString()));
    EXPECT_EQ(got_back.found, flag);
    EXPECT_EQ(got_back.coordinator, number);
    EXPECT_EQ(got_back.fastest, number / 3);

    wire::PutRequest put;
    put.set_key(key);
    put.set_context(context);
    put.set_value(value);
    put.set_tombstone(flag);
    put.set_expires(number);
    const std::string put_bytes = put.SerializeAsString();
    ASSERT_EQ(body(PutRequest{key, context, value, flag, number}.encode()), put_bytes);
    PutRequest put_back;
    ASSERT_TRUE(put_back.parse(put_bytes));
    EXPECT_EQ(put_back.key, key);
    EXPECT_EQ(put_back.context, context);
    EXPECT_EQ(put_back.value, value);
    EXPECT_EQ(put_back.tombstone, flag);
    EXPECT_EQ(put_back.expires, number);

    wire::PutReply done;
    done.set_context(context);
    done.set_coordinator(number);
    ASSERT_EQ(body(PutReply{context, number}.encode()), done.SerializeAsString());

    wire::ReplicaPutRequest replica;
    replica.set_key(key);
    replica.set_object(value);
    replica.set_durable(flag);
    ASSERT_EQ(body(ReplicaPutRequest{key, value, flag}.encode()), replica.SerializeAsString());
    ReplicaPutRequest replica_back;
    const std::string replica_bytes = replica.SerializeAsString();
    ASSERT_TRUE(replica_back.parse(replica_bytes));
    EXPECT_EQ(replica_back.durable, flag);

    wire::HintedPutRequest hinted;
    hinted.set_key(key);
    hinted.set_object(value);
    hinted.set_intended(number);
    ASSERT_EQ(body(HintedPutRequest{key, value, number}.encode()), hinted.SerializeAsString());
    const std::string hinted_bytes = hinted.SerializeAsString();
    HintedPutRequest hinted_back;
    ASSERT_TRUE(hinted_back.parse(hinted_bytes));
    EXPECT_EQ(hinted_back.key, key);
    EXPECT_EQ(hinted_back.object, value);
    EXPECT_EQ(hinted_back.intended, number);

    wire::Members members;
    wire::MemberInfo& info = *members.add_members();
    info.set_id(number + 1);
    info.set_zone(key);
    info.set_address(context);
    ASSERT_EQ(body_of_members({KnownMember{Member{number + 1, "", key, ""}, context}}),
              members.SerializeAsString());
  }
}

TEST(Wire, skips_fields_that_a_newer_peer_may_send) {
  const std::string bytes(
      "\x0a\x01k"
      "\x78\x05"
      "\x71"
      "12345678"
      "\x75"
      "1234"
      "\x12\x01o",
      3 + 2 + 9 + 5 + 3);
  ReplicaPutRequest put;
  ASSERT_TRUE(put.parse(bytes));
  EXPECT_EQ(put.key, "k");
  EXPECT_EQ(put.object, "o");
}

TEST(Wire, refuses_bodies_that_are_cut_or_of_the_wrong_type) {
  const std::string bytes = body(PutRequest{"key", "context", "value", true}.encode());
  int whole = 0;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    PutRequest put;
    whole += put.parse(std::string_view(bytes).substr(0, size));
  }
  EXPECT_EQ(whole, 5) << "only between two fields";
  PutRequest put;
  EXPECT_FALSE(put.parse(std::string_view("\x08\x05", 2))) << "the key as a number";
  EXPECT_FALSE(put.parse(std::string_view("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11)));
}

TEST(Wire, the_header_is_these_bytes) {
  Buffer message = GetRequest{"k"}.encode();
  Header header;
  header.call = 0x0102030405060708;
  header.budget_us = 250'000;
  seal(message, Kind::kClientGetRequest, 9, header);
  EXPECT_EQ(message.view().substr(4), std::string_view("\x08\x07\x06\x05\x04\x03\x02\x01"
                                                       "\x90\xd0\x03\x00"
                                                       "\x00\x00"
                                                       "\x01\x00"
                                                       "\x0a\x01k",
                                                       19));
  const Frame frame{1, 2, number(Kind::kClientGetRequest), 9, message};
  const std::optional<Header> back = unseal(frame);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->call, header.call);
  EXPECT_EQ(back->budget_us, header.budget_us);
}

TEST(Wire, every_single_damaged_bit_is_noticed_and_so_is_another_kind_or_operation) {
  Buffer message = PutRequest{"key", "", "value", false}.encode();
  seal(message, Kind::kClientPutRequest, 7, Header{.call = 5});
  const std::string good(message.view());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(unseal(Frame{1, 2, number(Kind::kClientPutRequest), 7, Buffer::copy_of(bad)}))
        << bit;
  }
  EXPECT_FALSE(unseal(Frame{1, 2, number(Kind::kForwardPutRequest), 7, message}));
  EXPECT_FALSE(unseal(Frame{1, 2, number(Kind::kClientPutRequest), 8, message}));
  EXPECT_FALSE(
      unseal(Frame{1, 2, number(Kind::kClientPutRequest), 7, Buffer::copy_of(good.substr(0, 19))}));
  EXPECT_TRUE(unseal(Frame{1, 2, number(Kind::kClientPutRequest), 7, message}));
}

TEST(Wire, kinds_are_known_by_name) {
  for (const std::string_view name : kind_names())
    EXPECT_EQ(kind_name(number(kind_of(name))), name);
  EXPECT_EQ(kind_of("replica_put_reply"), reply_to(Kind::kReplicaPutRequest));
  EXPECT_EQ(kind_of("replica_putt"), Kind::kNone);
  EXPECT_EQ(kind_name(999), "");
}

}  // namespace
}  // namespace ringside
