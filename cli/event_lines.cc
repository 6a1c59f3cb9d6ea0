#include "cli/event_lines.h"

#include <cctype>
#include <cstdio>
#include <utility>

#include "lab/text.h"
#include "workloads/history.h"

namespace ringside::cli {
namespace {

constexpr const char* kIndent = "      ";
constexpr const char* kBetween = "  ";

}  // namespace

std::string event_place(uint32_t node) {
  if (node == kNoNode || node == 0) return "the world";
  return node >= kFirstClient ? lab::concat("client ", node - kFirstClient + 1)
                              : lab::concat("node ", node);
}

std::string event_text(const lab::EventLine& event) {
  return lab::format("%.6f ms  %s  %.*s  content %016llx", static_cast<double>(event.at) / 1e6,
                     event_place(event.node).c_str(), static_cast<int>(event.kind.size()),
                     event.kind.data(), static_cast<unsigned long long>(event.payload));
}

EventParts event_parts(const PlayedEvent& event) {
  EventParts parts;
  std::string* const all[] = {&parts.time, &parts.place, &parts.kind, &parts.content};
  std::size_t begin = 0;
  for (std::string* part : all) {
    const std::size_t end = std::min(event.what.find(kBetween, begin), event.what.size());
    *part = event.what.substr(begin, end - begin);
    begin = std::min(end + 2, event.what.size());
  }
  return parts;
}

std::string log_text(const lab::LogLine& line) {
  return lab::concat(event_place(line.node), kBetween, line.text);
}

void print_events(lab::RunOptions& options) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  options.on_log = [](const lab::LogLine& line) {
    std::printf("%s%s\n", kIndent, log_text(line).c_str());
  };
  options.on_event = [](const lab::EventLine& event) {
    std::printf("%llu  %s\n", static_cast<unsigned long long>(event.index),
                event_text(event).c_str());
  };
}

std::optional<PlayedEvent> EventReader::read(const std::string& line) {
  if (line.starts_with(kIndent)) lines_.push_back(line.substr(6));
  if (line.empty() || std::isdigit(static_cast<unsigned char>(line[0])) == 0) return std::nullopt;
  const std::size_t end = line.find(kBetween);
  if (end == std::string::npos) return std::nullopt;
  return PlayedEvent{std::stoull(line), line.substr(end + 2), std::exchange(lines_, {})};
}

}  // namespace ringside::cli
