// What membership says of itself: the ring, the change under way, and a section a member.
#include <string>

#include "node/membership.h"

namespace ringside {
namespace {

std::string list_of(const std::vector<NodeId>& ids) {
  std::string text;
  for (const NodeId id : ids) text += (text.empty() ? "" : " ") + std::to_string(id);
  return text;
}

}  // namespace

void Membership::describe(std::vector<StatusSection>& out) const {
  StatusSection node{"node", {}};
  node.add("id", rpc_.self());
  node.add("incarnation", incarnation_);
  node.add("takes_part", takes_part());
  node.add("lost_state", lost_state_);
  node.add("gossip_rounds", gossip_.stats().rounds);
  node.add("gossip_records", gossip_.stats().records_in);
  out.push_back(std::move(node));
  const Ring& ring = view_.reads();
  StatusSection rules{"ring", {}};
  rules.add("strategy", static_cast<uint64_t>(options_.ring.strategy));
  rules.add("partitions", ring.partitions());
  rules.add("members", ring.members().size());
  rules.add("n", options_.dynamo.n);
  rules.add("r", options_.dynamo.r);
  rules.add("w", options_.dynamo.w);
  out.push_back(std::move(rules));
  describe_change(out);
  // Thousandths of the circle that each owns.
  std::vector<uint32_t> owned(ring.members().size(), 0);
  std::vector<uint64_t> positions(ring.members().size(), 0);
  for (uint32_t partition = 0; partition < ring.partitions(); ++partition) {
    const PositionRange range = ring.range(partition);
    const NodeId owner = ring.owner(partition);
    for (std::size_t i = 0; i < ring.members().size(); ++i) {
      if (ring.members()[i].id == owner) positions[i] += (range.end - range.begin) >> 10;
    }
  }
  for (std::size_t i = 0; i < owned.size(); ++i)
    owned[i] = static_cast<uint32_t>(positions[i] * 1'000 >> 54);
  for (const auto& [id, record] : table_.all()) describe_member(record, out, owned);
}

void Membership::describe_change(std::vector<StatusSection>& out) const {
  for (const MemberTable::Change& change : table_.unfinished()) {
    StatusSection section{"change/" + std::to_string(change.id), {}};
    section.add("ticket", change.seat.ticket);
    section.add("state", std::string(seat_state_name(change.seat.state)));
    section.add("phase", std::string(phase_name(change.seat.phase)));
    section.add("driver", change.seat.driver);
    if (change.seat.replaces != 0) section.add("replaces", change.seat.replaces);
    section.add("waits_for", list_of(changes_.waiting_for(change)));
    out.push_back(std::move(section));
  }
}

void Membership::describe_member(const MemberRecord& record, std::vector<StatusSection>& out,
                                 const std::vector<uint32_t>& owned) const {
  StatusSection section{"member/" + std::to_string(record.id), {}};
  const Seat& seat = record.seat;
  const bool seated = seat.version != 0;
  section.add("seat", seated ? std::string(seat_state_name(seat.state)) : "none");
  section.add("address", record.life.address);
  section.add("incarnation", record.life.incarnation);
  section.add("wire", record.life.wire);
  section.add("capacity", seat.capacity);
  if (!seat.machine.empty()) section.add("machine", seat.machine);
  if (!seat.zone.empty()) section.add("zone", seat.zone);
  if (!seat.rack.empty()) section.add("rack", seat.rack);
  const std::vector<Member>& members = view_.reads().members();
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].id == record.id) section.add("share_thousandths", owned[i]);
  }
  if (record.id != rpc_.self()) {
    section.add("suspected", detector_.suspected(record.id, host_.clock().now()));
    section.add("slow", pinger_.slow(record.id));
    section.add("answers_percent", detector_.rate(record.id));
    section.add("latency_us", static_cast<uint64_t>(pinger_.latency(record.id) / kMicrosecond));
  }
  out.push_back(std::move(section));
}

// Rows "ticket/id/version": wall time in milliseconds, state, phase, and whom it replaces.
void describe_history(const std::vector<MemberStore::Step>& steps,
                      std::vector<StatusSection>& out) {
  StatusSection section{"history", {}};
  for (const MemberStore::Step& step : steps) {
    std::string text = std::to_string(step.wall / kMillisecond) + " ";
    text += seat_state_name(step.seat.state);
    text += " ";
    text += phase_name(step.seat.phase);
    if (step.seat.replaces != 0) text += " replaces " + std::to_string(step.seat.replaces);
    if (step.seat.dead) text += " dead";
    if (step.seat.cancelled) text += " cancelled";
    section.add(std::to_string(step.ticket) + "/" + std::to_string(step.id) + "/" +
                    std::to_string(step.seat.version),
                std::move(text));
  }
  out.push_back(std::move(section));
}

}  // namespace ringside
