#include "sim/trip_wire.h"

#include <errno.h>
#include <execinfo.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ringside::sim {

#if !defined(__linux__) || !defined(__x86_64__)

Result<void> arm_trip_wire() { return {Code::kUnavailable, "the trip-wire needs Linux on x86-64"}; }
void disarm_clocks() {}

#else

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RINGSIDE_ADDRESS_SANITIZER 1
#endif
#endif
// The handlers may run while an allocator holds its lock: nothing in them may be instrumented.
#if defined(__clang__)
#define RINGSIDE_BARE __attribute__((disable_sanitizer_instrumentation))
#else
#define RINGSIDE_BARE
#endif

#ifdef RINGSIDE_ADDRESS_SANITIZER
// Its allocator reads the clock to give memory back to the system now and then.
extern "C" __attribute__((used)) const char* __asan_default_options() {
  return "allocator_release_to_os_interval_ms=-1";
}
#endif

namespace {

struct Trapped {
  int number;
  const char* what;
};

constexpr const char* kClock = "real clock read";
constexpr const char* kEntropy = "entropy read";
constexpr const char* kSleep = "real sleep or timer";
constexpr const char* kSocket = "socket made";
constexpr const char* kThread = "thread started";

constexpr Trapped kTrapped[] = {
    {SYS_clock_gettime, kClock},  {SYS_gettimeofday, kClock}, {SYS_time, kClock},
    {SYS_clock_settime, kClock},  {SYS_times, kClock},        {SYS_getrusage, kClock},
    {SYS_sysinfo, kClock},        {SYS_getitimer, kClock},    {SYS_adjtimex, kClock},
    {SYS_getrandom, kEntropy},    {SYS_nanosleep, kSleep},    {SYS_clock_nanosleep, kSleep},
    {SYS_alarm, kSleep},          {SYS_setitimer, kSleep},    {SYS_timer_create, kSleep},
    {SYS_timerfd_create, kSleep}, {SYS_socket, kSocket},      {SYS_socketpair, kSocket},
    {SYS_clone3, kThread},
};

// What the signal handlers need; written once, when the wire is armed.
struct State {
  uintptr_t vdso_begin = 0;
  uintptr_t vdso_end = 0;
  struct sigaction old_segv = {};
  struct sigaction old_sys = {};
  volatile bool crashing = false;  // the process is being reported as dead: nothing trips any more
};
State state;

RINGSIDE_BARE void say(const char* text) {
  const ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written;  // the process ends here; there is nobody to tell
}

[[noreturn]] RINGSIDE_BARE void trip(const char* what) {
  say("trip-wire: ");
  say(what);
  say(" inside the world\n");
  void* frames[32];
  const int count = backtrace(frames, 32);
  backtrace_symbols_fd(frames, count, STDERR_FILENO);
  abort();
}

// The process is being reported as dead. A sanitizer's report may ask for times, sleep, and write
// to a symbolizer that the inherited filter has killed; the report comes out all the same, with
// plain addresses.
RINGSIDE_BARE void stop_tripping() {
  state.crashing = true;
  signal(SIGPIPE, SIG_IGN);
  disarm_clocks();
}

// RDTSC is 0F 31, RDTSCP 0F 01 F9; with the counter forbidden both fault as SIGSEGV.
RINGSIDE_BARE void on_segv(int, siginfo_t* info, void* context) {
  const auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
  const auto at = static_cast<uintptr_t>(machine->gregs[REG_RIP]);
  if (at >= state.vdso_begin && at < state.vdso_end) trip(kClock);
  constexpr greg_t kGeneralProtection = 13;
  if (machine->gregs[REG_TRAPNO] == kGeneralProtection) {
    const auto* code = reinterpret_cast<const uint8_t*>(at);
    if (code[0] == 0x0f && (code[1] == 0x31 || (code[1] == 0x01 && code[2] == 0xf9))) trip(kClock);
  }
  stop_tripping();
  // A plain crash faults again on return, for whoever was here before; one that was only sent is
  // sent again.
  sigaction(SIGSEGV, &state.old_segv, nullptr);
  if (info->si_code <= 0) raise(SIGSEGV);
}

RINGSIDE_BARE void on_sys(int, siginfo_t* info, void* context) {
  if (state.crashing) {
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
    return;
  }
  for (const Trapped& trapped : kTrapped) {
    if (trapped.number == info->si_syscall) trip(trapped.what);
  }
  trip(info->si_syscall == SYS_clone ? kThread : "forbidden system call");
}

Error lacks(const char* what) {
  return Error{Code::kUnavailable,
               std::string("the trip-wire cannot be armed: ") + what + ": " + strerror(errno)};
}

// The vDSO as the kernel mapped it; both ends 0 where there is none (then every clock is a system
// call).
Result<void> find_vdso() {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (maps == nullptr) return lacks("/proc/self/maps");
  char line[512];
  while (fgets(line, sizeof line, maps) != nullptr) {
    if (strstr(line, "[vdso]") == nullptr) continue;
    char* rest = nullptr;
    state.vdso_begin = strtoull(line, &rest, 16);
    state.vdso_end = strtoull(rest + 1, nullptr, 16);
  }
  fclose(maps);
  return {};
}

bool vdso_may(int protection) {
  if (state.vdso_begin == 0) return true;
  return mprotect(reinterpret_cast<void*>(state.vdso_begin), state.vdso_end - state.vdso_begin,
                  protection) == 0;
}

std::vector<sock_filter> filter() {
  constexpr uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS;
  constexpr uint16_t kEqual = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr uint16_t kReturn = BPF_RET | BPF_K;
  const sock_filter trap = BPF_STMT(kReturn, SECCOMP_RET_TRAP);
  const sock_filter allow = BPF_STMT(kReturn, SECCOMP_RET_ALLOW);
  std::vector<sock_filter> code;
  code.push_back(BPF_STMT(kLoad, offsetof(seccomp_data, arch)));
  code.push_back(BPF_JUMP(kEqual, AUDIT_ARCH_X86_64, 1, 0));
  code.push_back(trap);
  code.push_back(BPF_STMT(kLoad, offsetof(seccomp_data, nr)));
  for (const Trapped& trapped : kTrapped) {
    code.push_back(BPF_JUMP(kEqual, static_cast<uint32_t>(trapped.number), 0, 1));
    code.push_back(trap);
  }
  // clone: a fork may be, a thread may not.
  constexpr uint32_t kCloneThread = 0x00010000;
  code.push_back(BPF_JUMP(kEqual, SYS_clone, 1, 0));
  code.push_back(allow);
  code.push_back(BPF_STMT(kLoad, offsetof(seccomp_data, args[0])));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kCloneThread, 0, 1));
  code.push_back(trap);
  code.push_back(allow);
  return code;
}

bool handle(int signal, void (*handler)(int, siginfo_t*, void*), struct sigaction* old) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  return sigaction(signal, &action, old) == 0;
}

// AddressSanitizer's allocator reads the clock when it first uses a size class.
void touch_every_size_class() {
#ifdef RINGSIDE_ADDRESS_SANITIZER
  for (std::size_t size = 1; size < std::size_t{1} << 19; size += 1 + size / 16) {
    void* volatile block = malloc(size);
    free(block);
  }
#endif
}

}  // namespace

Result<void> arm_trip_wire() {
  void* frames[4];
  backtrace(frames, 4);  // loads what it needs now, so that the handler allocates nothing
  touch_every_size_class();
  std::vector<sock_filter> code = filter();
  if (Result<void> found = find_vdso(); !found.ok()) return found;
  if (!handle(SIGSEGV, on_segv, &state.old_segv)) return lacks("a SIGSEGV handler");
  const auto undo = [](Error error) -> Result<void> {
    disarm_clocks();
    sigaction(SIGSEGV, &state.old_segv, nullptr);
    return error;
  };
  if (!handle(SIGSYS, on_sys, &state.old_sys)) return undo(lacks("a SIGSYS handler"));
  if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) != 0) return undo(lacks("prctl(PR_SET_TSC)"));
  if (!vdso_may(PROT_READ)) return undo(lacks("mprotect of the vDSO"));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return undo(lacks("prctl(PR_SET_NO_NEW_PRIVS)"));
  sock_fprog program = {.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
    return undo(lacks("a seccomp filter"));
  return {};
}

#ifdef RINGSIDE_ADDRESS_SANITIZER
extern "C" __attribute__((used)) void __asan_on_error() { stop_tripping(); }
#endif

RINGSIDE_BARE void disarm_clocks() {
  prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
  (void)vdso_may(PROT_READ | PROT_EXEC);
}

#endif

}  // namespace ringside::sim
