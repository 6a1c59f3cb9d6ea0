#include "lab/check_admin.h"

#include <algorithm>

#include "lab/text.h"
#include "lab/units.h"
#include "protocols/wire.h"

namespace ringside::lab {
namespace {

using scenario::Admin;

// Who is in and who stands by, as the orders follow each other.
class Seats {
 public:
  Seats(const scenario::Scenario& scenario, const Places& places)
      : n_(scenario.cluster().strategy().dynamo().n()), places_(places) {
    for (std::size_t i = 0; i < places.machines().size(); ++i) {
      const bool spare = places.is_spare(i);
      (spare ? spares_ : members_).push_back(places.machines()[i].name);
    }
  }

  void play(const Cursor& at, const Admin& order) {
    if (order.has_join()) {
      enter(at.nested("join"), "machine", order.join().machine());
    } else if (order.has_leave()) {
      go(at.nested("leave"), order.leave().machine());
    } else if (order.has_remove()) {
      go(at.nested("remove"), order.remove().machine());
    } else if (order.has_replace()) {
      const Cursor replace = at.nested("replace");
      enter(replace, "by", order.replace().by());
      go(replace, order.replace().machine());
    } else if (order.has_cancel()) {
      cancel(at.nested("cancel"), order.cancel().machine());
    }
  }

 private:
  static bool take(std::vector<std::string>& list, const std::string& name) {
    const auto found = std::find(list.begin(), list.end(), name);
    if (found == list.end()) return false;
    list.erase(found);
    return true;
  }
  bool known(const std::string& machine) const { return places_.known(machine); }

  void enter(const Cursor& at, const char* field, const std::string& machine) {
    if (!known(machine)) return;  // said already
    if (!take(spares_, machine)) {
      at.mistake(field,
                 concat("\"", machine, "\" does not stand by then; name it in topology.spare"));
      return;
    }
    members_.push_back(machine);
    entered_.push_back(machine);
  }
  void go(const Cursor& at, const std::string& machine) {
    if (!known(machine)) return;
    if (!take(members_, machine)) {
      at.mistake("machine", concat("\"", machine, "\" is no member then"));
    } else if (members_.size() < n_) {
      at.mistake("machine", concat("leaves ", members_.size(), " members; n is ", n_));
    }
  }
  // It may have come too late: then the machine stays a member.
  void cancel(const Cursor& at, const std::string& machine) {
    if (known(machine) && std::find(entered_.begin(), entered_.end(), machine) == entered_.end())
      at.mistake("machine", concat("nothing of \"", machine, "\" is under way to be taken back"));
  }

  const uint32_t n_;
  const Places& places_;
  std::vector<std::string> members_, spares_, entered_;
};

}  // namespace

void check_admin(const Cursor& root, const scenario::Scenario& scenario, const Places& places) {
  const Result<Duration> end = parse_span(scenario.workload().for_());
  std::vector<std::pair<Duration, int>> order;
  for (int i = 0; i < scenario.admin_size(); ++i) {
    const Admin& admin = scenario.admin(i);
    const Cursor at = root.nested("admin", i);
    if (!at.exactly_one({"join", "leave", "replace", "remove", "cancel", "upgrade"}, "an admin"))
      continue;
    const Result<Duration> start = parse_span(admin.at());
    if (!start.ok()) continue;
    order.emplace_back(*start, i);
    if (end.ok() && *start >= *end) {
      at.mistake("at", concat("\"", admin.at(), "\" is after the end of the workload (for: \"",
                              scenario.workload().for_(), "\")"));
    }
    if (admin.has_upgrade() && admin.upgrade().to_wire_version() > kWireVersion) {
      at.nested("upgrade").mistake("to_wire_version",
                                   concat("the newest version of the wire is ", kWireVersion));
    }
  }
  std::sort(order.begin(), order.end());
  Seats seats(scenario, places);
  for (const auto& [start, i] : order) seats.play(root.nested("admin", i), scenario.admin(i));
}

}  // namespace ringside::lab
