#include "bench/rows.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "runtime/check.h"

namespace ringside::bench {
namespace {

std::string number(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string number(const std::optional<double>& value) { return value ? number(*value) : "null"; }

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}  // our names hold nothing to escape

volatile pid_t running = 0;  // the child

// 1234567 → "1,234,567"; small numbers keep three digits.
std::string grouped(double value) {
  if (value < 1000) return number(value);
  std::string digits = std::to_string(static_cast<long long>(value + 0.5));
  for (auto at = static_cast<long>(digits.size()) - 3; at > 0; at -= 3) digits.insert(at, ",");
  return digits;
}

}  // namespace

bool Row::misses_goal() const { return goal && (ratio ? *ratio : ours) < *goal; }

std::string to_json(const std::vector<Row>& rows) {
  std::string text = "[";
  for (const Row& row : rows) {
    if (text.size() > 1) text += ",";
    text += "\n  {\"test\": " + quoted(row.test) + ", \"unit\": " + quoted(row.unit) +
            ", \"ours\": " + number(row.ours) +
            ", \"peer\": " + (row.peer ? quoted(*row.peer) : "null") +
            ", \"theirs\": " + number(row.theirs) + ", \"ratio\": " + number(row.ratio) +
            ", \"goal\": " + number(row.goal) + "}";
  }
  return text + "\n]\n";
}

std::string to_table(const std::vector<Row>& rows) {
  std::string text;
  char line[256];
  std::snprintf(line, sizeof line, "%-44s %14s  %-26s %-28s %14s %7s  %s\n", "test", "ours", "unit",
                "peer", "theirs", "ratio", "goal");
  text += line;
  for (const Row& row : rows) {
    const std::string goal = row.goal
                                 ? grouped(*row.goal) + (row.misses_goal() ? "  missed" : "  met")
                                 : std::string("-");
    std::snprintf(line, sizeof line, "%-44s %14s  %-26s %-28s %14s %7s  %s\n", row.test.c_str(),
                  grouped(row.ours).c_str(), row.unit.c_str(), row.peer.value_or("-").c_str(),
                  row.theirs ? grouped(*row.theirs).c_str() : "-",
                  row.ratio ? number(*row.ratio).c_str() : "-", goal.c_str());
    text += line;
  }
  return text;
}

double median(std::vector<double> values) {
  CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double cpu_seconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return time.tv_sec + time.tv_usec * 1e-6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void kill_child() {
  if (running > 0) kill(running, SIGKILL);
}

std::vector<double> in_child(const std::function<std::vector<double>()>& measure) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  std::fflush(nullptr);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    close(ends[0]);
    const std::vector<double> numbers = measure();
    const auto bytes = static_cast<ssize_t>(numbers.size() * sizeof(double));
    _exit(write(ends[1], numbers.data(), bytes) == bytes ? 0 : 1);
  }
  running = child;
  close(ends[1]);
  std::vector<double> numbers;
  double value = 0;
  while (read(ends[0], &value, sizeof value) == sizeof value) numbers.push_back(value);
  close(ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  running = 0;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || numbers.empty()) {
    std::fprintf(stderr, "bench: a measurement died (status %d)\n", status);
    std::exit(4);
  }
  return numbers;
}

}  // namespace ringside::bench
