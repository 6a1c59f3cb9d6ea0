#include "cli/admin.h"

#include <stdio.h>
#include <time.h>

#include <cstdlib>
#include <vector>

#include "cli/ask_node.h"
#include "cli/escape.h"
#include "cli/json.h"
#include "posix/tcp.h"
#include "protocols/status.h"

namespace ringside::cli {
namespace {

int complain(int code, const std::string& line) {
  fprintf(stderr, "ringside admin: %s\n", line.c_str());
  return code;
}

std::string time_text(const std::string& milliseconds) {
  const time_t seconds = static_cast<time_t>(strtoll(milliseconds.c_str(), nullptr, 10) / 1000);
  tm parts = {};
  gmtime_r(&seconds, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// "ticket/id/version": "milliseconds words…"
int show_history(const AdminArguments& arguments, const std::vector<StatusSection>& sections) {
  Json json;
  json.begin_object().key("steps").begin_array();
  for (const StatusSection& section : sections) {
    if (section.name != "history") continue;
    for (const auto& [key, value] : section.rows) {
      const std::size_t first = key.find('/'), second = key.find('/', first + 1);
      const std::size_t space = value.find(' ');
      if (second == std::string::npos || space == std::string::npos) continue;
      const std::string ticket = key.substr(0, first);
      const std::string node = key.substr(first + 1, second - first - 1);
      const std::string when = time_text(value.substr(0, space));
      const std::string what = on_one_line(value.substr(space + 1));
      if (arguments.json) {
        json.begin_object().field("ticket", ticket).field("node", node);
        json.field("at", when).field("step", what).end_object();
      } else {
        printf("%s  ticket %s  node %s  %s\n", when.c_str(), ticket.c_str(), node.c_str(),
               what.c_str());
      }
    }
  }
  json.end_array().end_object();
  if (arguments.json) printf("%s\n", json.str().c_str());
  return 0;
}

}  // namespace

int run_admin(const AdminArguments& arguments) {
  const Result<posix::HostPort> at = posix::split_address(arguments.at);
  if (!at.ok()) return complain(2, "--at: " + at.error().message);
  Result<std::unique_ptr<NodeAsker>> asker = NodeAsker::open(arguments.timeout);
  if (!asker.ok()) return complain(2, asker.error().message);
  std::string body;
  if (!arguments.history) {
    const Buffer message = arguments.order.encode();
    body = std::string(message.view().substr(kHeaderBytes));
    AdminOrder check;
    if (!check.parse(body)) return complain(2, "node ids are from 1 to 16777215");
  }
  const Kind kind = arguments.history ? Kind::kStatusRequest : Kind::kAdminRequest;
  const Asked asked = (*asker)->ask({arguments.at}, kind, body).front();
  if (!asked.answered) return complain(1, asked.why());
  if (arguments.history) {
    std::vector<StatusSection> sections;
    if (asked.status != Status::kOk || !parse_status(asked.body, sections))
      return complain(1, "the node does not say");
    return show_history(arguments, sections);
  }
  AdminAnswer answer;
  if (asked.status != Status::kOk || !answer.parse(asked.body))
    return complain(1, "the node says: " + std::string(status_name(asked.status)));
  if (arguments.json) {
    Json json;
    json.begin_object().field("accepted", answer.accepted).field("text", answer.text);
    json.field("ticket", std::to_string(answer.ticket)).end_object();
    printf("%s\n", json.str().c_str());
    return answer.accepted ? 0 : 1;
  }
  if (!answer.accepted) return complain(1, "refused: " + on_one_line(answer.text));
  printf("%s\n", on_one_line(answer.text).c_str());
  return 0;
}

}  // namespace ringside::cli
