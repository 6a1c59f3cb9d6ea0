#include "bench/storage_profile.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/check.h"

namespace ringside::bench {
namespace {

// perf is not to share the core that it looks at.
void may_run_anywhere() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (int core = 0; core < CPU_SETSIZE; ++core) CPU_SET(core, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

}  // namespace

Profile::Profile(const std::string& file) {
  if (file.empty()) return;
  const std::string process = std::to_string(getpid());
  perf_ = fork();
  CHECK(perf_ >= 0);
  if (perf_ == 0) {
    may_run_anywhere();
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    execlp("perf", "perf", "record", "-e", "cpu-clock", "-F", "5000", "-g", "-o", file.c_str(),
           "-p", process.c_str(), nullptr);
    _exit(127);
  }
  usleep(300'000);  // until it watches
}

Profile::~Profile() {
  if (perf_ == 0) return;
  kill(perf_, SIGINT);
  waitpid(perf_, nullptr, 0);
}

}  // namespace ringside::bench
