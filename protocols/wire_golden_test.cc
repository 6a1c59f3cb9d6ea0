// Frames of wire version 1, as the release that knew no other sent them (golden/wire_v1.txt: kind,
// operation, bytes in hexadecimal). They are read for ever, and what is said to a peer that speaks
// no more than version 1 is still said in these bytes.

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "protocols/members.h"
#include "protocols/wire.h"

namespace ringside {
namespace {

constexpr uint64_t kGoldenOperation = 0x0100000200000003;

struct Said {
  Kind kind;
  Buffer message;
  Status status = Status::kOk;
};

std::vector<Said> everything_said() {
  const KnownMember one{{1, "m1", "a", "r1"}, "127.0.0.1:7001"}, two{{2, "", "", ""}, ""};
  std::vector<Said> said;
  for (const Kind kind :
       {Kind::kClientGetRequest, Kind::kReplicaGetRequest, Kind::kForwardGetRequest}) {
    said.push_back({kind, GetRequest{"cart"}.encode()});
    said.push_back({reply_to(kind), GetReply{true, "object", 3}.encode()});
  }
  for (const Kind kind : {Kind::kClientPutRequest, Kind::kForwardPutRequest}) {
    said.push_back({kind, PutRequest{"cart", "seen", "milk", false}.encode()});
    said.push_back({kind, PutRequest{"cart", "seen", "", true}.encode()});
    said.push_back({reply_to(kind), PutReply{"now", 2}.encode()});
    said.push_back({reply_to(kind), encode_empty(), Status::kUnavailable});
  }
  said.push_back({Kind::kReplicaPutRequest, ReplicaPutRequest{"cart", "object"}.encode()});
  said.push_back({Kind::kReplicaPutReply, encode_empty()});
  said.push_back({Kind::kJoinRequest, encode_members({one})});
  said.push_back({Kind::kJoinReply, encode_members({one, two})});
  said.push_back({Kind::kMembersPush, encode_members({one, two})});
  return said;
}

Frame framed(const Said& said) {
  Header header;
  header.call = 0x1111222233334444;
  if (is_request(said.kind)) header.budget_us = 400'000;
  if (!is_request(said.kind)) header.flags = kFlagReply;
  header.status = said.status;
  Buffer message = said.message;
  Buffer own = Buffer::copy_of(message.view());
  seal(own, said.kind, kGoldenOperation, header);
  return Frame{1, 2, number(said.kind), kGoldenOperation, own};
}

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    for (const int shift : {4, 0}) text += "0123456789abcdef"[(byte >> shift) & 15];
  }
  return text;
}

TEST(WireGolden, version_1_is_these_bytes) {
  std::ifstream file(RINGSIDE_GOLDEN "/wire_v1.txt");
  ASSERT_TRUE(file.good()) << RINGSIDE_GOLDEN;
  for (const Said& said : everything_said()) {
    std::string line;
    ASSERT_TRUE(std::getline(file, line));
    const Frame frame = framed(said);
    EXPECT_EQ(std::string(kind_name(frame.kind)) + " " + hex_of(frame.bytes.view()), line);
    const std::optional<Header> header = unseal(frame);
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(header->status, said.status);
  }
  std::string more;
  EXPECT_FALSE(std::getline(file, more));
}

}  // namespace
}  // namespace ringside
