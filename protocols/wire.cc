#include "protocols/wire.h"

#include <algorithm>
#include <array>

#include "protocols/flat.h"
#include "runtime/random.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::kEnd)> kNames = {
    "",
    "client_get_request",
    "client_get_reply",
    "client_put_request",
    "client_put_reply",
    "replica_get_request",
    "replica_get_reply",
    "replica_put_request",
    "replica_put_reply",
    "forward_get_request",
    "forward_get_reply",
    "forward_put_request",
    "forward_put_reply",
    "join_request",
    "join_reply",
    "members_push",
    "",
    "gossip_request",
    "gossip_reply",
    "gossip_push",
    "",
    "ping_request",
    "ping_reply",
    "members_request",
    "members_reply",
    "admin_request",
    "admin_reply",
    "status_request",
    "status_reply",
    "hinted_put_request",
    "hinted_put_reply",
    "tree_request",
    "tree_reply",
    "leaf_request",
    "leaf_reply",
    "rows_request",
    "rows_reply",
    "reap_request",
    "reap_reply",
    "offer_request",
    "offer_reply",
    "page_request",
    "page_reply",
    "confirm_request",
    "confirm_reply",
};

uint32_t checksum(const char* message, std::size_t size, Kind kind, uint64_t operation) {
  const std::string_view covered(message + sizeof(uint32_t), size - sizeof(uint32_t));
  return static_cast<uint32_t>(hash_bytes(covered, mix(operation, number(kind))));
}

}  // namespace

std::string_view kind_name(FrameKind kind) {
  return kind < kNames.size() ? kNames[kind] : std::string_view();
}

Kind kind_of(std::string_view name) {
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (!name.empty() && kNames[i] == name) return static_cast<Kind>(i);
  }
  return Kind::kNone;
}

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> names;
  for (const std::string_view name : kNames) {
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

std::string_view status_name(Status status) {
  switch (status) {
    case Status::kOk: return "ok";
    case Status::kUnknown: return "unknown";
    case Status::kFailed: return "failed";
    case Status::kOverloaded: return "overloaded";
    case Status::kInvalid: return "invalid";
    case Status::kUnavailable: return "unavailable";
  }
  return "?";
}

void seal(Buffer& message, Kind kind, uint64_t operation, const Header& header) {
  CHECK(message.size() >= kHeaderBytes);
  char* bytes = message.mutable_data();
  store<uint64_t>(bytes + 4, header.call);
  store<uint32_t>(bytes + 12, header.budget_us);
  store<uint8_t>(bytes + 16, header.flags);
  store<uint8_t>(bytes + 17, static_cast<uint8_t>(header.status));
  store<uint16_t>(bytes + 18, std::max(header.version, first_version(kind)));
  store<uint32_t>(bytes, checksum(bytes, message.size(), kind, operation));
}

std::optional<Header> unseal(const Frame& frame) {
  if (frame.bytes.size() < kHeaderBytes) return std::nullopt;
  const char* bytes = frame.bytes.data();
  const Kind kind = static_cast<Kind>(frame.kind);
  if (load<uint32_t>(bytes) != checksum(bytes, frame.bytes.size(), kind, frame.operation))
    return std::nullopt;
  const uint16_t version = load<uint16_t>(bytes + 18);
  if (version < first_version(kind) || version > kWireVersion) return std::nullopt;
  const uint8_t status = load<uint8_t>(bytes + 17);
  if (status > static_cast<uint8_t>(Status::kUnavailable)) return std::nullopt;
  return Header{load<uint64_t>(bytes + 4), load<uint32_t>(bytes + 12), load<uint8_t>(bytes + 16),
                static_cast<Status>(status), version};
}

Buffer GetRequest::encode() const {
  return message_with(flat::bytes(1, key), flat::number(2, hints));
}

bool GetRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: key = reader.bytes(); break;
      case 2: hints = reader.number() != 0; break;
      default: break;
    }
  }
  return reader.ok();
}

Buffer GetReply::encode() const {
  return message_with(flat::number(1, found), flat::bytes(2, object), flat::number(3, coordinator),
                      flat::number(4, fastest));
}

bool GetReply::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: found = reader.number() != 0; break;
      case 2: object = reader.bytes(); break;
      case 3: coordinator = static_cast<uint32_t>(reader.number()); break;
      case 4: fastest = static_cast<uint32_t>(reader.number()); break;
      default: break;
    }
  }
  return reader.ok();
}

Buffer PutRequest::encode() const {
  return message_with(flat::bytes(1, key), flat::bytes(2, context), flat::bytes(3, value),
                      flat::number(4, tombstone), flat::number(5, expires));
}

bool PutRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: key = reader.bytes(); break;
      case 2: context = reader.bytes(); break;
      case 3: value = reader.bytes(); break;
      case 4: tombstone = reader.number() != 0; break;
      case 5: expires = reader.number(); break;
      default: break;
    }
  }
  return reader.ok();
}

Buffer PutReply::encode() const {
  return message_with(flat::bytes(1, context), flat::number(2, coordinator));
}

bool PutReply::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: context = reader.bytes(); break;
      case 2: coordinator = static_cast<uint32_t>(reader.number()); break;
      default: break;
    }
  }
  return reader.ok();
}

Buffer ReplicaPutRequest::encode() const {
  return message_with(flat::bytes(1, key), flat::bytes(2, object), flat::number(3, durable));
}

bool ReplicaPutRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: key = reader.bytes(); break;
      case 2: object = reader.bytes(); break;
      case 3: durable = reader.number() != 0; break;
      default: break;
    }
  }
  return reader.ok();
}

Buffer HintedPutRequest::encode() const {
  return message_with(flat::bytes(1, key), flat::bytes(2, object), flat::number(3, intended));
}

bool HintedPutRequest::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: key = reader.bytes(); break;
      case 2: object = reader.bytes(); break;
      case 3: intended = static_cast<uint32_t>(reader.number()); break;
      default: break;
    }
  }
  return reader.ok();
}

Buffer encode_empty() { return message_with(); }

}  // namespace ringside
