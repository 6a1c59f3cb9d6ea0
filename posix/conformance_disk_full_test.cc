// A disk that is full: a real one of a few megabytes, a simulated one of such a capacity.
#include "posix/conformance_disk.h"
#include "runtime/scope.h"

namespace ringside::conformance {
namespace {

constexpr uint64_t kDiskBytes = 2u << 20;
constexpr uint64_t kChunk = 64u << 10;

class FullDiskConformance : public DiskConformance {
 protected:
  FullDiskConformance() : DiskConformance({.disk_bytes = kDiskBytes}) {}
};
RINGSIDE_CONFORMANCE(FullDiskConformance);

std::string chunk(uint64_t nth) { return std::string(kChunk, static_cast<char>('a' + nth % 26)); }

// Appends chunks until there is no room; how many were taken.
Task<uint64_t> fill(Host* host, FileId file) {
  for (uint64_t nth = 0; nth <= kDiskBytes / kChunk; ++nth) {
    const Result<void> done =
        co_await host->disk().write_at(file, nth * kChunk, Buffer::copy_of(chunk(nth)));
    if (done.ok()) continue;
    EXPECT_EQ(shown(done), code_name(Code::kNoSpace));
    co_return nth;
  }
  ADD_FAILURE() << "the disk took more than it holds";
  co_return 0;
}

Task<void> expect_chunks(Host* host, FileId file, uint64_t count) {
  for (uint64_t nth = 0; nth < count; ++nth) {
    const std::string found = co_await read(host, file, nth * kChunk, kChunk);
    EXPECT_TRUE(found == chunk(nth)) << "chunk " << nth;
  }
}

TEST_P(FullDiskConformance, a_full_disk_says_no_space_and_keeps_what_it_took) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    const FileId kept = co_await open_new(host, "kept");
    co_await write(host, kept, 0, chunk(25));
    EXPECT_DONE(co_await disk.sync(kept));
    const FileId big = co_await open_new(host, "big");
    const uint64_t taken = co_await fill(host, big);
    EXPECT_GT(taken, 10u);
    EXPECT_LT(*co_await disk.space(), kChunk);

    // The write that failed may have left a part of itself behind what was taken, and no more.
    const std::string tail = co_await read(host, big, taken * kChunk, 2 * kChunk);
    EXPECT_LT(tail.size(), kChunk);
    EXPECT_TRUE(tail == chunk(taken).substr(0, tail.size()));
    co_await expect_chunks(host, big, taken);
    EXPECT_TRUE(co_await read(host, kept, 0, kChunk) == chunk(25));

    // What needs no more room goes on.
    co_await write(host, kept, 100, "changed in place");
    EXPECT_EQ(co_await read(host, kept, 100, 16), "changed in place");
    EXPECT_DONE(co_await disk.sync(kept));
    EXPECT_DONE(co_await disk.sync(big));
    EXPECT_DONE(co_await disk.sync_directory(""));
  });
  run([](Host* host) -> Task<void> {
    const Result<FileId> kept = co_await host->disk().open("kept");
    EXPECT_TRUE(kept.ok());
    if (kept.ok()) EXPECT_EQ(co_await read(host, *kept, 100, 16), "changed in place");
    const Result<FileId> big = co_await host->disk().open("big");
    EXPECT_TRUE(big.ok());
    if (big.ok()) co_await expect_chunks(host, *big, *co_await host->disk().size(*big) / kChunk);
  });
}

TEST_P(FullDiskConformance, removing_a_file_makes_room_again) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    for (int round = 0; round < 3; ++round) {
      const FileId big = co_await open_new(host, "big");
      const uint64_t taken = co_await fill(host, big);
      EXPECT_GT(taken, 10u) << "round " << round;
      const FileId small = co_await open_new(host, "small");
      const Result<void> refused = co_await disk.write_at(small, 0, Buffer::copy_of(chunk(3)));
      EXPECT_EQ(shown(refused), code_name(Code::kNoSpace));
      EXPECT_DONE(co_await disk.close(big));
      EXPECT_DONE(co_await disk.remove("big"));
      EXPECT_DONE(co_await disk.sync_directory(""));
      EXPECT_GE(*co_await disk.space(), taken * kChunk);
      co_await write(host, small, 0, chunk(3));
      EXPECT_TRUE(co_await read(host, small, 0, kChunk) == chunk(3));
      EXPECT_DONE(co_await disk.close(small));
      EXPECT_DONE(co_await disk.remove("small"));
      EXPECT_DONE(co_await disk.sync_directory(""));
    }
  });
}

TEST_P(FullDiskConformance, cutting_a_file_makes_room_again) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    const FileId big = co_await open_new(host, "big");
    const uint64_t taken = co_await fill(host, big);
    EXPECT_DONE(co_await disk.truncate(big, 2 * kChunk));
    EXPECT_DONE(co_await disk.sync(big));
    EXPECT_GE(*co_await disk.space(), (taken - 2) * kChunk);
    const FileId other = co_await open_new(host, "other");
    for (uint64_t nth = 0; nth < taken - 2; ++nth)
      co_await write(host, other, nth * kChunk, chunk(nth));
    co_await expect_chunks(host, other, taken - 2);
    co_await expect_chunks(host, big, 2);
  });
}

Task<void> write_chunk(Host* host, FileId file, uint64_t nth, std::vector<uint64_t>* taken) {
  const Result<void> done =
      co_await host->disk().write_at(file, nth * kChunk, Buffer::copy_of(chunk(nth)));
  if (done.ok())
    taken->push_back(nth);
  else
    EXPECT_EQ(shown(done), code_name(Code::kNoSpace));
}

TEST_P(FullDiskConformance, of_many_writes_in_flight_those_that_say_done_are_there) {
  run([](Host* host) -> Task<void> {
    const FileId file = co_await open_new(host, "a");
    std::vector<uint64_t> taken;
    Scope scope(host->ready());
    for (uint64_t nth = 0; nth < 2 * kDiskBytes / kChunk; ++nth)
      scope.spawn(write_chunk(host, file, nth, &taken));
    co_await scope.join();
    EXPECT_GT(taken.size(), 0u);
    EXPECT_LE(taken.size(), kDiskBytes / kChunk);
    for (const uint64_t nth : taken) {
      const std::string found = co_await read(host, file, nth * kChunk, kChunk);
      EXPECT_TRUE(found == chunk(nth)) << "chunk " << nth;
    }
  });
}

}  // namespace
}  // namespace ringside::conformance
