#include "protocols/tap.h"

#include "protocols/replication/dynamo/version.h"

namespace ringside {
namespace {

bool take_object(std::string_view bytes, TappedFrame& tapped) {
  if (bytes.empty()) return true;
  Object object;
  if (!object.decode(bytes)) return false;
  tapped.context = context_of(bytes);
  for (const Version& version : object.siblings) {
    tapped.versions.push_back({version.dot.actor, version.dot.counter, version.operation,
                               version.tombstone, version.value});
  }
  return true;
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
      tapped.versions.push_back({0, 0, frame.operation, put.tombstone, put.value});
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

bool context_covers(std::string_view context, uint64_t actor, uint64_t counter) {
  Context decoded;
  return decoded.decode(context) && decoded.covers({actor, counter});
}

}  // namespace ringside
