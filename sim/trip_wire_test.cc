#include "sim/trip_wire.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace ringside::sim {
namespace {

// Every statement runs in a forked child; exit code 3 says that the wire could not be armed.
void arm() {
  const Result<void> armed = arm_trip_wire();
  if (armed.ok()) return;
  std::fprintf(stderr, "%s\n", armed.error().text().c_str());
  _exit(3);
}

volatile uint64_t sink;

#define EXPECT_TRIPS(statement, message) \
  EXPECT_EXIT(                           \
      {                                  \
        arm();                           \
        statement;                       \
        _exit(0);                        \
      },                                 \
      testing::KilledBySignal(SIGABRT), "trip-wire: " message " inside the world")

TEST(TripWire, catches_every_way_to_read_a_real_clock) {
  EXPECT_TRIPS(sink = std::chrono::steady_clock::now().time_since_epoch().count(),
               "real clock read");
  EXPECT_TRIPS(sink = std::chrono::system_clock::now().time_since_epoch().count(),
               "real clock read");
  EXPECT_TRIPS(sink = time(nullptr), "real clock read");
  EXPECT_TRIPS(sink = clock(), "real clock read");
  EXPECT_TRIPS(sink = __rdtsc(), "real clock read");
  EXPECT_TRIPS(
      {
        unsigned cpu;
        sink = __rdtscp(&cpu);
      },
      "real clock read");
  EXPECT_TRIPS(
      {
        timeval now;
        gettimeofday(&now, nullptr);
      },
      "real clock read");
  EXPECT_TRIPS(
      {
        timespec now;
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
      },
      "real clock read");
  EXPECT_TRIPS(
      {
        timespec now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
      },
      "real clock read");
}

TEST(TripWire, catches_entropy_sleeps_sockets_and_threads) {
  EXPECT_TRIPS(
      {
        char bytes[8];
        sink = getrandom(bytes, 8, 0);
      },
      "entropy read");
  EXPECT_TRIPS(
      {
        char bytes[8];
        sink = getentropy(bytes, 8);
      },
      "entropy read");
  EXPECT_TRIPS(usleep(1), "real sleep or timer");
  EXPECT_TRIPS(std::this_thread::sleep_for(std::chrono::nanoseconds(1)), "real sleep or timer");
  EXPECT_TRIPS(sink = socket(AF_INET, SOCK_STREAM, 0), "socket made");
}

// libc blocks every signal while it makes a thread, so the kernel ends the process before the
// handler can speak.
TEST(TripWire, ends_a_process_that_starts_a_thread) {
  EXPECT_EXIT(
      {
        arm();
        std::thread([] {}).join();
        _exit(0);
      },
      testing::KilledBySignal(SIGSYS), "");
}

void work() {
  std::unordered_map<std::string, std::vector<char>> table;
  std::map<int, std::unique_ptr<std::string>> tree;
  for (int i = 0; i < 200'000; ++i) {
    table["key " + std::to_string(i % 5'000)].resize(static_cast<std::size_t>(i % 3'000));
    tree[i % 1'000] = std::make_unique<std::string>(static_cast<std::size_t>(i % 20'000), 'x');
    if (i % 10'000 == 0) std::vector<char>(8u << 20).swap(table["large"]);
  }
  std::printf("%zu %zu\n", table.size(), tree.size());
  std::fflush(stdout);
}

TEST(TripWire, leaves_memory_files_pipes_printing_exceptions_forks_and_exit_alone) {
  EXPECT_EXIT(
      {
        arm();
        work();
        try {
          throw std::runtime_error("unwinds");
        } catch (const std::exception& error) {
          if (std::string(error.what()) != "unwinds") _exit(4);
        }
        FILE* file = std::tmpfile();
        if (file == nullptr || std::fprintf(file, "%d", 12) != 2 || std::fclose(file) != 0)
          _exit(5);
        int ends[2];
        if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1) _exit(6);
        const pid_t child = fork();
        if (child == 0) {
          work();
          _exit(write(ends[1], "y", 1) == 1 ? 0 : 1);
        }
        int status = -1;
        if (waitpid(child, &status, 0) != child || status != 0) _exit(7);
        std::fprintf(stderr, "all of it worked\n");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "all of it worked");
}

TEST(TripWire, a_fork_of_an_armed_process_is_armed) {
  EXPECT_EXIT(
      {
        arm();
        const pid_t child = fork();
        if (child == 0) {
          sink = std::chrono::steady_clock::now().time_since_epoch().count();
          _exit(0);
        }
        int status = 0;
        waitpid(child, &status, 0);
        _exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? 42 : 1);
      },
      testing::ExitedWithCode(42), "real clock read");
}

// Past the sanitizers' own checks, to the processor.
void read_where(int* place) { asm volatile("movl (%0), %%eax" : : "r"(place) : "eax", "memory"); }

TEST(TripWire, a_plain_crash_is_still_a_crash_and_is_not_taken_for_a_clock) {
  const auto died_plainly = [](int status) {
    const bool by_signal = WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
    const bool by_sanitizer = WIFEXITED(status) && WEXITSTATUS(status) == 1;
    return by_signal || by_sanitizer;
  };
  EXPECT_EXIT(
      {
        arm();
        raise(SIGSEGV);
        _exit(0);
      },
      died_plainly, "");
  int* volatile nowhere = nullptr;
  EXPECT_EXIT(
      {
        arm();
        read_where(nowhere);
        _exit(0);
      },
      died_plainly, "");
}

TEST(TripWire, clocks_come_back_when_disarmed) {
  EXPECT_EXIT(
      {
        arm();
        disarm_clocks();
        sink =
            std::chrono::steady_clock::now().time_since_epoch().count() + __rdtsc() + time(nullptr);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ringside::sim
