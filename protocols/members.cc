#include "protocols/members.h"

#include "protocols/flat.h"
#include "protocols/membership/encode.h"
#include "protocols/wire.h"

namespace ringside {
namespace {

constexpr uint64_t kInfoCapacityMax = 100'000;
constexpr uint64_t kPartitionsMax = 1 << 20;

std::string encode_one(const KnownMember& known) {
  const Member& member = known.member;
  std::string bytes(flat::number_field_size(member.id) + flat::bytes_field_size(member.machine) +
                        flat::bytes_field_size(member.zone) + flat::bytes_field_size(member.rack) +
                        flat::bytes_field_size(known.address) +
                        flat::number_field_size(member.capacity == 100 ? 0 : member.capacity),
                    '\0');
  char* out = flat::put_number_field(bytes.data(), 1, member.id);
  out = flat::put_bytes_field(out, 2, member.machine);
  out = flat::put_bytes_field(out, 3, member.zone);
  out = flat::put_bytes_field(out, 4, member.rack);
  out = flat::put_bytes_field(out, 5, known.address);
  flat::put_number_field(out, 6, member.capacity == 100 ? 0 : member.capacity);
  return bytes;
}

bool parse_one(std::string_view bytes, KnownMember& known) {
  flat::Reader reader(bytes);
  uint64_t capacity = 100;
  while (reader.next()) {
    switch (reader.field()) {
      case 1: known.member.id = static_cast<NodeId>(reader.number()); break;
      case 2: known.member.machine = std::string(reader.bytes()); break;
      case 3: known.member.zone = std::string(reader.bytes()); break;
      case 4: known.member.rack = std::string(reader.bytes()); break;
      case 5: known.address = std::string(reader.bytes()); break;
      case 6: capacity = reader.number(); break;
      default: break;
    }
  }
  if (capacity == 0 || capacity > kInfoCapacityMax) return false;
  known.member.capacity = static_cast<uint32_t>(capacity);
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
  return message_of(body_of_members(members));
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

Buffer MembersReply::encode() const {
  std::string body = body_of_members(members);
  append_number(body, 2, static_cast<uint64_t>(ring.strategy));
  append_number(body, 3, ring.q);
  append_number(body, 4, ring.tokens);
  append_number(body, 5, n);
  append_number(body, 6, ticket);
  return message_of(body);
}

bool MembersReply::parse(std::string_view body) {
  if (!parse_members(body, members) || members.empty()) return false;
  flat::Reader reader(body);
  uint64_t strategy = 0, q = 0, tokens = 0, copies = 0;
  while (reader.next()) {
    switch (reader.field()) {
      case 2: strategy = reader.number(); break;
      case 3: q = reader.number(); break;
      case 4: tokens = reader.number(); break;
      case 5: copies = reader.number(); break;
      case 6: ticket = reader.number(); break;
      default: break;
    }
  }
  const bool known = strategy >= 1 && strategy <= 3;
  if (!reader.ok() || !known || q == 0 || q > kPartitionsMax || tokens == 0 ||
      tokens > kPartitionsMax || copies == 0 || copies > kPartitionsMax)
    return false;
  ring = {static_cast<Partitioning>(strategy), static_cast<uint32_t>(q),
          static_cast<uint32_t>(tokens)};
  n = static_cast<uint32_t>(copies);
  return true;
}

}  // namespace ringside
