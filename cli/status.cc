#include "cli/status.h"

#include <stdio.h>

#include <algorithm>
#include <map>

#include "cli/ask_node.h"
#include "cli/escape.h"
#include "cli/json.h"
#include "posix/tcp.h"

namespace ringside::cli {
namespace {

constexpr std::string_view kMemberSection = "member/";
constexpr std::string_view kChangeSection = "change/";

int complain(int code, const std::string& line) {
  fprintf(stderr, "ringside status: %s\n", line.c_str());
  return code;
}

bool begins(std::string_view text, std::string_view with) {
  return text.substr(0, with.size()) == with;
}

NodeReport report_of(const Asked& asked) {
  NodeReport report{asked.address, 0, {}, {}};
  if (asked.who.ok()) report.id = *asked.who;
  if (!asked.answered) {
    report.trouble = asked.why();
  } else if (asked.status != Status::kOk || !parse_status(asked.body, report.sections)) {
    report.trouble = "it does not say: " + std::string(status_name(asked.status));
  }
  return report;
}

std::vector<NodeReport> ask_all(NodeAsker& asker, const std::string& at) {
  std::vector<NodeReport> reports = {report_of(asker.ask({at}, Kind::kStatusRequest, {}).front())};
  std::vector<std::string> addresses;
  for (const StatusSection& section : reports.front().sections) {
    if (!begins(section.name, kMemberSection)) continue;
    const std::string address(section.find("address"));
    const bool self =
        section.name.substr(kMemberSection.size()) == std::to_string(reports.front().id);
    if (!self && !address.empty() && section.find("seat") != "gone") addresses.push_back(address);
  }
  for (const Asked& asked : asker.ask(addresses, Kind::kStatusRequest, {}))
    reports.push_back(report_of(asked));
  return reports;
}

std::string padded(std::string text, std::size_t width) {
  text = on_one_line(text);
  if (text.size() < width) text.resize(width, ' ');
  return text + "  ";
}

std::string share(std::string_view thousandths) {
  if (thousandths.empty()) return "-";
  std::string text(thousandths);
  while (text.size() < 2) text.insert(0, 1, '0');
  text.insert(text.size() - 1, 1, '.');
  return text + "%";
}

std::string seen_as(const StatusSection& member, const NodeReport* report) {
  std::string text = report == nullptr ? "not asked" : report->trouble.empty() ? "up" : "silent";
  if (member.find("suspected") == "1") text += ", suspected";
  if (member.find("slow") == "1") text += ", slow";
  return text;
}

std::string member_lines(const std::vector<NodeReport>& reports) {
  std::string out = padded("NODE", 5) + padded("SEAT", 8) + padded("ADDRESS", 21) +
                    padded("ZONE", 10) + padded("CAPACITY", 8) + padded("SHARE", 6) +
                    padded("STARTS", 6) + padded("WIRE", 4) + "SEEN\n";
  for (const StatusSection& member : reports.front().sections) {
    if (!begins(member.name, kMemberSection)) continue;
    const std::string id = member.name.substr(kMemberSection.size());
    const NodeReport* report = nullptr;
    for (const NodeReport& other : reports) {
      if (other.address == member.find("address") || std::to_string(other.id) == id)
        report = &other;
    }
    const auto field = [&](std::string_view key) { return std::string(member.find(key)); };
    out += padded(id, 5) + padded(field("seat"), 8) + padded(field("address"), 21) +
           padded(field("zone").empty() ? "-" : field("zone"), 10) +
           padded(field("capacity") + "%", 8) + padded(share(field("share_thousandths")), 6) +
           padded(field("incarnation"), 6) + padded(field("wire"), 4) + seen_as(member, report) +
           "\n";
  }
  return out;
}

std::string change_lines(const std::vector<StatusSection>& sections) {
  std::string out;
  for (const StatusSection& change : sections) {
    if (!begins(change.name, kChangeSection)) continue;
    const auto field = [&](std::string_view key) { return on_one_line(change.find(key)); };
    out += "change: node " + change.name.substr(kChangeSection.size()) + " " + field("state");
    if (!field("replaces").empty()) out += " in the place of node " + field("replaces");
    out += ", " + field("phase") + ", driven by node " + field("driver");
    if (!field("waits_for").empty()) out += ", waits for " + field("waits_for");
    out += "\n";
  }
  return out.empty() ? "no change of the ring is under way\n" : out;
}

// What is neither members nor ring: of each node that said something.
std::string other_lines(const std::vector<NodeReport>& reports) {
  std::string out;
  for (const NodeReport& report : reports) {
    for (const StatusSection& section : report.sections) {
      if (begins(section.name, kMemberSection) || begins(section.name, kChangeSection) ||
          section.name == "ring" || section.name == "history")
        continue;
      out += "node " + std::to_string(report.id) + " " + on_one_line(section.name) + ":";
      if (section.name == "node") out = out.substr(0, out.size() - 6) + ":";
      for (const auto& [key, value] : section.rows)
        out += " " + on_one_line(key) + "=" + on_one_line(value);
      out += "\n";
    }
  }
  return out;
}

}  // namespace

std::string status_text(const std::vector<NodeReport>& reports) {
  const std::vector<StatusSection>& sections = reports.front().sections;
  std::string out;
  for (const StatusSection& section : sections) {
    if (section.name != "ring") continue;
    out += "ring:";
    for (const auto& [key, value] : section.rows)
      out += " " + on_one_line(key) + "=" + on_one_line(value);
    out += "\n";
  }
  return out + change_lines(sections) + "\n" + member_lines(reports) + "\n" + other_lines(reports);
}

std::string status_json(const std::vector<NodeReport>& reports) {
  Json json;
  json.begin_object().key("nodes").begin_array();
  for (const NodeReport& report : reports) {
    json.begin_object().field("id", report.id).field("address", report.address);
    json.field("answered", report.trouble.empty());
    if (!report.trouble.empty()) json.field("trouble", report.trouble);
    json.key("sections").begin_object();
    for (const StatusSection& section : report.sections) {
      json.key(section.name).begin_object();
      for (const auto& [key, value] : section.rows) json.field(key, value);
      json.end_object();
    }
    json.end_object().end_object();
  }
  json.end_array().end_object();
  return json.str();
}

int run_status(const StatusArguments& arguments) {
  const Result<posix::HostPort> at = posix::split_address(arguments.at);
  if (!at.ok()) return complain(2, "--at: " + at.error().message);
  Result<std::unique_ptr<NodeAsker>> asker = NodeAsker::open(arguments.timeout);
  if (!asker.ok()) return complain(2, asker.error().message);
  while (true) {
    const std::vector<NodeReport> reports = ask_all(**asker, arguments.at);
    if (!reports.front().trouble.empty() && !arguments.watch)
      return complain(1, reports.front().trouble);
    if (arguments.watch && !arguments.json) printf("\x1b[H\x1b[2J");
    if (!reports.front().trouble.empty()) {
      complain(1, reports.front().trouble);
    } else {
      printf("%s\n", (arguments.json ? status_json(reports) : status_text(reports)).c_str());
    }
    fflush(stdout);
    if (!arguments.watch) return 0;
    (*asker)->pause(kSecond);
  }
}

}  // namespace ringside::cli
