// Members: the message of join_request, join_reply and members_push: who is in the cluster and
// where each listens. A node that starts tells a seed about itself; the seed answers with everyone
// it knows and passes the news on.
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

}  // namespace ringside
