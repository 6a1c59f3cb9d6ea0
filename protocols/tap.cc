#include "protocols/tap.h"

namespace ringside {
namespace {

bool take_object(std::string_view bytes, TappedFrame& tapped) {
  if (bytes.empty()) return true;
  tapped.context = context_of(bytes);
  return read_object(bytes, tapped.versions);
}

bool take_body(const Frame& frame, TappedFrame& tapped) {
  const std::string_view body = body_of(frame);
  switch (tapped.kind) {
    case Kind::kClientGetRequest:
    case Kind::kForwardGetRequest:
    case Kind::kReplicaGetRequest: {
      GetRequest get;
      if (!get.parse(body)) return false;
      tapped.key = get.key;
      return true;
    }
    case Kind::kClientGetReply:
    case Kind::kForwardGetReply:
    case Kind::kReplicaGetReply: {
      GetReply reply;
      if (!reply.parse(body)) return false;
      if (reply.coordinator != 0) tapped.coordinator = reply.coordinator;
      return take_object(reply.object, tapped);
    }
    case Kind::kClientPutRequest:
    case Kind::kForwardPutRequest: {
      PutRequest put;
      if (!put.parse(body)) return false;
      tapped.key = put.key;
      tapped.context = put.context;
      VersionView& asked = tapped.versions.emplace_back();
      asked.operation = frame.operation;
      asked.tombstone = put.tombstone;
      asked.expires = static_cast<Time>(put.expires);
      asked.value = put.value;
      return true;
    }
    case Kind::kClientPutReply:
    case Kind::kForwardPutReply: {
      PutReply reply;
      if (!reply.parse(body)) return false;
      tapped.context = reply.context;
      if (reply.coordinator != 0) tapped.coordinator = reply.coordinator;
      return true;
    }
    case Kind::kReplicaPutRequest: {
      ReplicaPutRequest put;
      if (!put.parse(body)) return false;
      tapped.key = put.key;
      return take_object(put.object, tapped);
    }
    case Kind::kHintedPutRequest: {
      HintedPutRequest put;
      if (!put.parse(body)) return false;
      tapped.key = put.key;
      return take_object(put.object, tapped);
    }
    default: return true;
  }
}

}  // namespace

TappedFrame tap(const Frame& frame) {
  TappedFrame tapped;
  const std::optional<Header> header = unseal(frame);
  if (!header || frame.kind == 0 || frame.kind >= number(Kind::kEnd)) return tapped;
  tapped.kind = static_cast<Kind>(frame.kind);
  tapped.reply = (header->flags & kFlagReply) != 0;
  tapped.call = header->call;
  tapped.status = header->status;
  tapped.intact = take_body(frame, tapped);
  return tapped;
}

}  // namespace ringside
