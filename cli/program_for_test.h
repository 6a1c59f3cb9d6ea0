// For tests: runs `ringside` as its users do, in a directory of its own, through pipes or on a
// terminal of 80 columns and 24 rows.
#pragma once

#include <gtest/gtest.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

#include "lab/text.h"

namespace ringside::cli {

struct Ended {
  int code = -1;  // 128 + signal when a signal ended it
  std::string out, err;
};

// Three clients write, one copy of each key; the only disk of one of their keys is lost, and the
// pause beside it costs nothing.
inline constexpr const char* kLoses = R"(name: "loses"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 1 r: 1 w: 1 sloppy: false } } }
workload { registers { keys: 6 writes: 0.8 } clients: 3 rate: "60/s" for: "1s" }
fault { at: "300ms" for: "100ms" pause { place: "east-b-1" } }
fault { at: "700ms" disk_loss { place: "east-a-1" } restart_after: "100ms" }
expect {
  evidence { acknowledged_writes: 5 verified_reads: 1 }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
}
)";

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    char name[] = "/tmp/cli_test.XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~ProgramTest() override { std::filesystem::remove_all(directory_); }

  Ended ringside(const std::string& arguments) {
    const std::string command =
        lab::concat("cd ", directory_, " && ", RINGSIDE_PROGRAM, " ", arguments, " >out 2>err");
    const int status = system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read("out"), read("err")};
  }

  // All that the terminal was told is `out`. `type` is called with what there is so far whenever
  // more has come, and returns what to type.
  Ended on_terminal(const std::string& arguments,
                    const std::function<std::string(const std::string& so_far)>& type = {}) {
    winsize size{};
    size.ws_col = 80;
    size.ws_row = 24;
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
    if (child == 0) {
      setenv("TERM", "xterm", 1);
      unsetenv("NO_COLOR");
      const std::string command =
          lab::concat("cd ", directory_, " && exec ", RINGSIDE_PROGRAM, " ", arguments);
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    Ended ended;
    char bytes[4096];
    ssize_t got = 0;
    // On Linux a terminal that nobody holds any more reads as an error.
    while ((got = ::read(terminal, bytes, sizeof bytes)) > 0) {
      ended.out.append(bytes, static_cast<std::size_t>(got));
      const std::string typed = type ? type(ended.out) : std::string();
      if (!typed.empty()) {
        EXPECT_EQ(::write(terminal, typed.data(), typed.size()),
                  static_cast<ssize_t>(typed.size()));
      }
    }
    ::close(terminal);
    int status = 0;
    waitpid(child, &status, 0);
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return ended;
  }

  std::string read(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(directory_ + "/" + name).rdbuf();
    return text.str();
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
  }
  static std::string field(const std::string& json, const std::string& name) {
    const std::size_t at = json.find(lab::concat("\"", name, "\":"));
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 3;
    return json.substr(begin, json.find_first_of(",}", begin) - begin);
  }

  std::string directory_;
};

}  // namespace ringside::cli
