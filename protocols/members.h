// Members: the message of join_request, join_reply and members_push: who is in the cluster and
// where each listens. A node of wire version 1 that starts tells a seed about itself; the seed
// answers with everyone it knows and passes the news on. A members_reply says the same to clients,
// and by which rules the ring is made of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/ring.h"
#include "runtime/buffer.h"

namespace ringside {

struct KnownMember {
  Member member;
  std::string address;  // "127.0.0.1:7001"; empty: not known
};

// Behind room for the RPC header; `body_of_members` is the same without it, for keeping.
Buffer encode_members(const std::vector<KnownMember>& members);
std::string body_of_members(const std::vector<KnownMember>& members);
// False when the bytes are no such message.
bool parse_members(std::string_view body, std::vector<KnownMember>& members);

// members_reply: all that a client needs to find a key's homes by itself. `parse_members` reads the
// members of one as well.
struct MembersReply {
  std::vector<KnownMember> members;  // of the ring by which reads go
  RingOptions ring;
  uint32_t n = 3;
  uint64_t ticket = 0;  // of the change under way; 0: none
  Buffer encode() const;
  bool parse(std::string_view body);
};

}  // namespace ringside
