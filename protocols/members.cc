#include "protocols/members.h"

#include <cstring>

#include "protocols/flat.h"
#include "protocols/wire.h"

namespace ringside {
namespace {

std::string encode_one(const KnownMember& known) {
  const Member& member = known.member;
  std::string bytes(flat::number_field_size(member.id) + flat::bytes_field_size(member.machine) +
                        flat::bytes_field_size(member.zone) + flat::bytes_field_size(member.rack) +
                        flat::bytes_field_size(known.address),
                    '\0');
  char* out = flat::put_number_field(bytes.data(), 1, member.id);
  out = flat::put_bytes_field(out, 2, member.machine);
  out = flat::put_bytes_field(out, 3, member.zone);
  out = flat::put_bytes_field(out, 4, member.rack);
  flat::put_bytes_field(out, 5, known.address);
  return bytes;
}

bool parse_one(std::string_view bytes, KnownMember& known) {
  flat::Reader reader(bytes);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: known.member.id = static_cast<NodeId>(reader.number()); break;
      case 2: known.member.machine = std::string(reader.bytes()); break;
      case 3: known.member.zone = std::string(reader.bytes()); break;
      case 4: known.member.rack = std::string(reader.bytes()); break;
      case 5: known.address = std::string(reader.bytes()); break;
      default: break;
    }
  }
  return reader.ok() && known.member.id != 0;
}

}  // namespace

std::string body_of_members(const std::vector<KnownMember>& members) {
  std::string body;
  for (const KnownMember& known : members) {
    const std::string one = encode_one(known);
    const std::size_t at = body.size();
    body.resize(at + flat::bytes_field_size(one));
    flat::put_bytes_field(body.data() + at, 1, one);
  }
  return body;
}

Buffer encode_members(const std::vector<KnownMember>& members) {
  const std::string body = body_of_members(members);
  Buffer message = Buffer::with_size(kHeaderBytes + body.size());
  if (!body.empty()) std::memcpy(message.mutable_data() + kHeaderBytes, body.data(), body.size());
  return message;
}

bool parse_members(std::string_view body, std::vector<KnownMember>& members) {
  members.clear();
  flat::Reader reader(body);
  while (reader.next()) {
    if (reader.field() != 1) continue;
    members.emplace_back();
    if (!parse_one(reader.bytes(), members.back())) return false;
  }
  return reader.ok();
}

}  // namespace ringside
