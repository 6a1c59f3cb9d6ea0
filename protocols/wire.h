// The wire: what nodes and clients say to each other. A frame's bytes are a fixed RPC header of 20
// bytes and a body, one protobuf message of wire.proto. Frame.kind says which message it is;
// scenarios, faults and logs call kinds by the names below. The header's checksum covers the rest
// of the bytes, the kind and the client operation, because both hosts hand up damaged frames.
// Bodies are written and read in place (flat.h): a parsed message is views into the frame's Buffer,
// which must outlive it. wire_test.cc holds these bytes to what protobuf itself makes of
// wire.proto.
//
//   0  u32 checksum  of everything behind it, seeded with kind and operation
//   4  u64 call      incarnation 16, slot 20, generation 28 bits; 0: no reply is wanted
//  12  u32 budget    microseconds that the caller will still wait; relative: clocks differ
//  16  u8  flags     1: this is a reply
//  17  u8  status    of a reply: Status
//  18  u16 version   1, or kWireVersion
// All little-endian. Version 2 brought the kinds from gossip_request on; the others are as they
// were, and go in the version that the peer speaks (rpc.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protocols/flat.h"
#include "runtime/network.h"
#include "runtime/result.h"

namespace ringside {

// Numbers are for ever; a new kind takes a new one. A reply is its request plus one.
enum class Kind : FrameKind {
  kNone = 0,
  kClientGetRequest = 1,
  kClientGetReply = 2,
  kClientPutRequest = 3,
  kClientPutReply = 4,
  kReplicaGetRequest = 5,
  kReplicaGetReply = 6,
  kReplicaPutRequest = 7,
  kReplicaPutReply = 8,
  kForwardGetRequest = 9,  // a client's get that another node should coordinate
  kForwardGetReply = 10,
  kForwardPutRequest = 11,
  kForwardPutReply = 12,
  kJoinRequest = 13,
  kJoinReply = 14,
  kMembersPush = 15,    // no reply
  kGossipRequest = 17,  // membership/: what is known of the members, digests first
  kGossipReply = 18,
  kGossipPush = 19,  // no reply
  kPingRequest = 21,
  kPingReply = 22,
  kMembersRequest = 23,  // a client asks who is there
  kMembersReply = 24,
  kAdminRequest = 25,  // an administrator's order: join, leave, replace, …
  kAdminReply = 26,
  kStatusRequest = 27,  // what a node says of itself
  kStatusReply = 28,
  kHintedPutRequest = 29,  // a replica_put that a stand-in keeps for somebody else
  kHintedPutReply = 30,
  kTreeRequest = 31,  // anti-entropy: the hashes of a range …
  kTreeReply = 32,
  kLeafRequest = 33,  // … what the keys of differing leaves hold, as digests …
  kLeafReply = 34,
  kRowsRequest = 35,  // … and the objects themselves
  kRowsReply = 36,
  kReapRequest = 37,  // may this tombstone go?
  kReapReply = 38,
  kOfferRequest = 39,  // transfer: a range for who is to hold it
  kOfferReply = 40,
  kPageRequest = 41,  // a page of a range
  kPageReply = 42,
  kConfirmRequest = 43,
  kConfirmReply = 44,
  kEnd = 45,
};

constexpr FrameKind number(Kind kind) { return static_cast<FrameKind>(kind); }
constexpr bool is_request(Kind kind) { return number(kind) % 2 == 1; }
constexpr Kind reply_to(Kind request) { return static_cast<Kind>(number(request) + 1); }

// "client_put_request"; "" for a number that is no kind.
std::string_view kind_name(FrameKind kind);
// The kind of that name; Kind::kNone when there is none.
Kind kind_of(std::string_view name);
// Every kind's name in the order of numbers, for messages to people ("one of …").
std::vector<std::string_view> kind_names();

// What a reply says of its request.
enum class Status : uint8_t {
  kOk = 0,
  kUnknown = 1,      // it may have happened, or may happen later
  kFailed = 2,       // surely did not happen; ask again or elsewhere
  kOverloaded = 3,   // likewise
  kInvalid = 4,      // surely did not happen, and never will: the request itself is wrong
  kUnavailable = 5,  // surely did not happen: too few replicas
};
// True when the request surely had no effect.
constexpr bool surely_not(Status status) { return status >= Status::kFailed; }
std::string_view status_name(Status status);

inline constexpr std::size_t kHeaderBytes = 20;
inline constexpr uint16_t kWireVersion = 2;
// The first version that has the kind.
constexpr uint16_t first_version(Kind kind) { return number(kind) < 17 ? 1 : 2; }
inline constexpr uint8_t kFlagReply = 1;

inline constexpr std::size_t kKeyBytesMax = 2048;
inline constexpr std::size_t kValueBytesMax = 1u << 20;

struct Header {
  uint64_t call = 0;
  uint32_t budget_us = 0;
  uint8_t flags = 0;
  Status status = Status::kOk;
  uint16_t version = 1;
};

// An unsealed message of these fields, in this order: message_with(flat::bytes(1, key), …).
template <class... Fields>
Buffer message_with(const Fields&... fields) {
  Buffer message =
      Buffer::with_size(kHeaderBytes + (flat::field_size(fields) + ... + std::size_t{0}));
  [[maybe_unused]] char* out = message.mutable_data() + kHeaderBytes;
  ((out = flat::put_field(out, fields)), ...);
  return message;
}

// Writes the header over the first kHeaderBytes of a message that nobody else holds yet. Of a kind
// that the header's version has not, the first version that has it.
void seal(Buffer& message, Kind kind, uint64_t operation, const Header& header);
// The header of an undamaged frame; nothing when the checksum, the length or the version is wrong.
std::optional<Header> unseal(const Frame& frame);
inline std::string_view body_of(const Frame& frame) {
  return frame.bytes.view().substr(kHeaderBytes);
}

// --- Bodies. `encode` returns a Buffer with room for the header in front; `parse` is false when
// the bytes are no such message. `object` and `context` are encodings of
// replication/dynamo/versioning.h (or of another strategy).

struct GetRequest {  // client_get, replica_get, forward_get
  std::string_view key;
  bool hints = false;  // replica_get: what the peer keeps for others, since it is no home
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct GetReply {
  bool found = false;
  std::string_view object;   // empty when not found
  uint32_t coordinator = 0;  // who coordinated it; 0 in a replica's reply
  uint32_t fastest = 0;      // the home that answered first: the best coordinator of a put; 0: none
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct PutRequest {  // client_put, forward_put
  std::string_view key;
  std::string_view context;
  std::string_view value;
  bool tombstone = false;
  uint64_t expires = 0;  // wall clock, ns; 0: never
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct PutReply {
  // Covers what the request's context covered, and the put (with vector clocks, if that stood
  // alone).
  std::string_view context;
  uint32_t coordinator = 0;
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct ReplicaPutRequest {
  std::string_view key;
  std::string_view object;
  bool durable = false;  // with buffered writes: acknowledged only when the log holds it
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct HintedPutRequest {
  std::string_view key;
  std::string_view object;
  uint32_t intended = 0;  // the home for which it is kept
  Buffer encode() const;
  bool parse(std::string_view body);
};

// replica_put_reply and hinted_put_reply have no fields.
Buffer encode_empty();

}  // namespace ringside
