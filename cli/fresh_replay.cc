#include "cli/fresh_replay.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>

#include "cli/report.h"

namespace ringside::cli {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Of this very program; -1: it cannot be started.
pid_t start_self(std::vector<std::string> arguments, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  pid_t child = -1;
  const int failed = posix_spawn(&child, "/proc/self/exe", &actions, nullptr,
                                 pointers_to(arguments).data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : -1;
}

pid_t start_replay(const std::string& recording) {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return -1;
  const pid_t child = start_self({"ringside", "replay", "--shaken", recording}, nowhere, nowhere);
  close(nowhere);
  return child;
}

lab::Again verdict_of(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == kHolds) return lab::Again::kSame;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotDeterministic) return lab::Again::kDifferent;
  return lab::Again::kCrashed;
}

}  // namespace

std::vector<lab::Again> play_again(const std::vector<std::string>& recordings, unsigned jobs) {
  std::vector<lab::Again> verdicts(recordings.size(), lab::Again::kNotAsked);
  std::map<pid_t, std::size_t> running;
  std::size_t next = 0;
  while (next < recordings.size() || !running.empty()) {
    while (next < recordings.size() && running.size() < std::max(1u, jobs)) {
      const pid_t child = start_replay(recordings[next]);
      if (child > 0) running[child] = next;
      ++next;  // one that cannot be started says nothing
    }
    if (running.empty()) continue;
    int status = 0;
    const pid_t ended = waitpid(-1, &status, 0);
    if (ended < 0 && errno == EINTR) continue;
    CHECK(ended > 0);
    const auto found = running.find(ended);
    if (found == running.end()) continue;
    verdicts[found->second] = verdict_of(status);
    running.erase(found);
  }
  return verdicts;
}

FreshEvents::FreshEvents(const std::string& recording, bool shaken) {
  complains_ = std::tmpfile();
  int ends[2];
  if (complains_ == nullptr || pipe2(ends, O_CLOEXEC) != 0) return;
  tells_ = fdopen(ends[0], "r");
  std::vector<std::string> arguments = {"ringside", "replay", "--events", recording};
  if (shaken) arguments.push_back("--shaken");
  child_ = start_self(std::move(arguments), ends[1], fileno(complains_));
  close(ends[1]);
}

FreshEvents::~FreshEvents() {
  if (child_ > 0) {
    kill(child_, SIGKILL);  // its worker goes with it
    waitpid(child_, nullptr, 0);
  }
  if (tells_ != nullptr) std::fclose(tells_);
  if (complains_ != nullptr) std::fclose(complains_);
}

bool FreshEvents::next(std::string& line) {
  line.clear();
  int c = 0;
  while ((c = std::getc(tells_)) != EOF && c != '\n') line += static_cast<char>(c);
  return c != EOF;
}

std::string FreshEvents::first_complaint() {
  std::rewind(complains_);
  std::string line;
  int c = 0;
  while ((c = std::getc(complains_)) != EOF && c != '\n') line += static_cast<char>(c);
  return line;
}

}  // namespace ringside::cli
