// The engine on the real host, in a process of its own under load: killed at any moment, hundreds
// of times, everything acknowledged is there. And on a small disk that fills up: puts are turned
// away, reads and removes go on, and when there is room again, so do puts.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>

#include "posix/host.h"
#include "posix/small_disk.h"
#include "runtime/test_scale.h"
#include "storage/engine.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

using State = std::map<std::string, std::string>;

constexpr uint64_t kKeys = 300;

EngineOptions real_options() {
  EngineOptions options;
  options.memtable_bytes_max = 64u << 10;
  options.group_bytes_max = 64u << 10;
  options.log_segment_bytes = 128u << 10;
  options.log_bytes_max = 1u << 20;
  options.fill_segments = true;
  options.tables_max = 3;
  options.seal_after = kMillisecond;
  options.reserve_bytes = 1;
  return options;
}

// A batch is a function of its LSN, so that the state after any prefix is known.
struct PairOfChanges {
  std::string key, value, second;  // `second` is put with the same value, or removed
  bool removes;
};
PairOfChanges changes_of(Lsn lsn) {
  const uint64_t drawn = mix(lsn, 3);
  return {"key" + std::to_string(drawn % kKeys),
          std::to_string(lsn) + std::string(drawn / kKeys % 400, 'v'),
          "key" + std::to_string(drawn / 7 % kKeys), drawn % 5 == 0};
}
State state_after(Lsn lsn) {
  State state;
  for (Lsn at = 1; at <= lsn; ++at) {
    const PairOfChanges changes = changes_of(at);
    state[changes.key] = changes.value;
    if (changes.removes) {
      state.erase(changes.second);
    } else {
      state[changes.second] = changes.value;
    }
  }
  return state;
}
Batch batch_of(Lsn lsn) {
  const PairOfChanges changes = changes_of(lsn);
  Batch batch;
  batch.put(changes.key, changes.value);
  if (changes.removes) {
    batch.remove(changes.second);
  } else {
    batch.put(changes.second, changes.value);
  }
  return batch;
}

// What the child tells through its pipe.
enum class Word : uint64_t { kStarts, kRecovered, kAcknowledged, kWrong };
struct Message {
  Word word = Word::kWrong;
  Lsn lsn = 0;
};

void tell(int out, Word word, Lsn lsn) {
  const Message message{word, lsn};
  if (write(out, &message, sizeof message) != sizeof message) _exit(3);
}

Task<void> write_for_ever(Host& host, int out) {
  tell(out, Word::kStarts, 0);
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, real_options());
  if (!opened.ok()) {
    std::cerr << opened.error().text() << "\n";
    tell(out, Word::kWrong, 0);
    co_return;
  }
  Engine& engine = **opened;
  const Lsn recovered = engine.last_submitted();
  Result<std::vector<Entry>> found = entries_of(
      co_await engine.scan("", "", {.rows_max = 10'000, .bytes_max = 1u << 30}, View::kDurable));
  State seen;
  if (found.ok()) {
    for (Entry& entry : *found) seen[entry.key] = entry.value;
  }
  tell(out, found.ok() && seen == state_after(recovered) ? Word::kRecovered : Word::kWrong,
       recovered);
  while (true) {
    Lsn last = engine.last_submitted();
    for (uint64_t n = 1 + mix(last, 9) % 12; n > 0; --n) {
      Result<Lsn> lsn = engine.submit(batch_of(last + 1));
      if (!lsn.ok()) break;
      last = *lsn;
    }
    Result<void> held = co_await engine.durable(last);
    if (!held.ok()) break;
    tell(out, Word::kAcknowledged, last);
    co_await engine.room();
  }
  tell(out, Word::kWrong, 0);
}

struct RealDirectory {
  RealDirectory() {
    char name[] = "/tmp/ringside-engine-XXXXXX";
    path = mkdtemp(name);
  }
  ~RealDirectory() { std::filesystem::remove_all(path); }
  std::string path;
};

struct Child {
  pid_t process = 0;
  int in = -1;
};

Child start_child(const std::string& directory) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  Child child{fork(), ends[0]};
  if (child.process == 0) {
    close(ends[0]);
    posix::Loop loop;
    Result<std::unique_ptr<posix::RealHost>> host =
        posix::RealHost::open(loop, {.id = 1, .data_directory = directory});
    if (!host.ok()) _exit(2);
    (*host)->spawn(write_for_ever(**host, ends[1]));
    loop.run();
    _exit(1);
  }
  close(ends[1]);
  return child;
}

std::optional<Message> hear(const Child& child) {
  Message message;
  if (read(child.in, &message, sizeof message) != sizeof message) return std::nullopt;
  return message;
}

TEST(EngineReal, what_was_acknowledged_survives_hundreds_of_kills) {
  const RealDirectory directory;
  Random random(11);
  Lsn acknowledged = 0, recovered = 0;
  uint64_t kills = 0, kills_in_recovery = 0, verified = 0;
  const uint64_t cycles = kSanitized ? 30 : 300;
  const Time until = posix::Loop::monotonic() + 20 * kSecond;
  for (; kills < cycles && posix::Loop::monotonic() < until && !HasFailure(); ++kills) {
    const Child child = start_child(directory.path);
    const bool in_recovery = random.chance(0.15);
    uint64_t words = in_recovery ? 1 : 2 + random.below(25);
    for (; words > 0; --words) {
      const std::optional<Message> message = hear(child);
      ASSERT_TRUE(message.has_value()) << "the child ended by itself";
      ASSERT_NE(message->word, Word::kWrong) << "LSN " << message->lsn;
      if (message->word == Word::kRecovered) {
        EXPECT_GE(message->lsn, acknowledged);
        verified += message->lsn > recovered ? 1 : 0;
        acknowledged = recovered = message->lsn;
      }
      if (message->word == Word::kAcknowledged) acknowledged = message->lsn;
    }
    kill(child.process, SIGKILL);
    // What it had told before it died counts.
    while (const std::optional<Message> message = hear(child)) {
      ASSERT_NE(message->word, Word::kWrong);
      acknowledged = std::max(acknowledged, message->lsn);
    }
    close(child.in);
    waitpid(child.process, nullptr, 0);
    kills_in_recovery += in_recovery ? 1 : 0;
  }
  std::cout << kills << " kills, " << kills_in_recovery << " in recovery, " << acknowledged
            << " batches acknowledged, " << verified << " recoveries of new ones verified\n";
  EXPECT_GT(kills, 20u);
  EXPECT_GT(verified, 10u);
  EXPECT_GT(acknowledged, 1'000u);
}

constexpr uint64_t kSmallDiskBytes = 24u << 20;
constexpr uint64_t kBallastBytes = 8u << 20;

Task<void> fill_up(Host& host, std::string ballast, std::string& wrong, uint64_t& refused,
                   bool& done) {
  const auto expect = [&wrong](bool good, const std::string& what) {
    if (!good && wrong.empty()) wrong = what;
  };
  EngineOptions options = real_options();
  options.reserve_bytes = 4u << 20;
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, options);
  if (!opened.ok()) {
    wrong = opened.error().text();
    done = true;
    co_return;
  }
  Engine& engine = **opened;
  // Distinct keys, so that merging frees nothing.
  uint64_t keys = 0;
  const auto name = [](uint64_t key) { return "key" + std::to_string(1'000'000 + key); };
  while (keys < 100'000) {
    Batch batch;
    batch.put(name(keys), std::string(2'000, static_cast<char>('a' + keys % 26)));
    Result<Lsn> lsn = engine.submit(batch);
    if (lsn.ok()) {
      ++keys;
      if (keys % 8 == 0) (void)co_await engine.durable(*lsn);
      continue;
    }
    if (lsn.code() != Code::kOverloaded) {
      expect(lsn.code() == Code::kNoSpace, "a put was refused with " + lsn.error().text());
      ++refused;
      break;
    }
    co_await engine.room();
  }
  expect(refused > 0, "the disk never filled up");
  // Reads and removes go on.
  for (uint64_t key = 0; key < keys; key += 97) {
    Result<std::optional<std::string>> got = co_await engine.get(name(key), View::kDurable);
    expect(got.ok() && got->has_value() && (*got)->front() == static_cast<char>('a' + key % 26),
           "a read on a full disk");
  }
  for (uint64_t key = 0; key < 200; ++key) {
    Batch batch;
    batch.remove(name(key));
    Result<Lsn> lsn = engine.submit(batch);
    expect(lsn.ok(), "a remove on a full disk: " + (lsn.ok() ? "" : lsn.error().text()));
    if (!lsn.ok()) break;
    Result<void> held = co_await engine.durable(*lsn);
    expect(held.ok(), "a remove on a full disk is not durable");
  }
  Result<std::optional<std::string>> gone = co_await engine.get(name(5), View::kDurable);
  expect(gone.ok() && !gone->has_value(), "a removed key is there");
  expect(!engine.poisoned(), "the engine is poisoned");
  // There is room again.
  std::filesystem::remove(ballast);
  bool taken = false;
  for (int attempt = 0; attempt < 2'000 && !taken; ++attempt) {
    Batch batch;
    batch.put("again", "there is room");
    Result<Lsn> lsn = engine.submit(batch);
    if (lsn.ok()) {
      Result<void> held = co_await engine.durable(*lsn);
      taken = held.ok();
    } else {
      co_await host.clock().sleep(kMillisecond);
    }
  }
  expect(taken, "puts are turned away though there is room again");
  Result<void> closed = co_await engine.close();
  expect(closed.ok(), "close");
  done = true;
}

TEST(EngineReal, a_full_disk_turns_puts_away_and_nothing_else_until_there_is_room) {
  const RealDirectory directory;
  conformance::SmallDisk disk(directory.path, kSmallDiskBytes);
  if (!disk.obstacle().empty()) GTEST_SKIP() << disk.obstacle();
  const std::string ballast = directory.path + "/ballast";
  std::ofstream(ballast) << std::string(kBallastBytes, 'b');
  posix::Loop loop;
  Result<std::unique_ptr<posix::RealHost>> host =
      posix::RealHost::open(loop, {.id = 1, .data_directory = directory.path + "/node"});
  ASSERT_TRUE(host.ok()) << host.error().text();
  std::string wrong;
  uint64_t refused = 0;
  bool done = false;
  (*host)->spawn(fill_up(**host, ballast, wrong, refused, done));
  EXPECT_TRUE(loop.run_until([&] { return done; }, 60 * kSecond));
  EXPECT_EQ(wrong, "");
  EXPECT_GT(refused, 0u);
  host->reset();
}

}  // namespace
}  // namespace ringside
