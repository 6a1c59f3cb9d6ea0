#include "posix/conformance_disk.h"

#include <algorithm>

#include "runtime/scope.h"

namespace ringside::conformance {
namespace {

RINGSIDE_CONFORMANCE(DiskConformance);

TEST_P(DiskConformance, reads_what_was_written_and_fewer_bytes_only_at_the_end) {
  run([](Host* host) -> Task<void> {
    const FileId file = co_await open_new(host, "a");
    EXPECT_NE(file, 0u);
    co_await write(host, file, 0, "hello, world");
    EXPECT_EQ(co_await read(host, file, 0, 12), "hello, world");
    EXPECT_EQ(co_await read(host, file, 7, 3), "wor");
    EXPECT_EQ(co_await read(host, file, 7, 1'000'000'000), "world");
    EXPECT_EQ(co_await read(host, file, 12, 10), "");
    EXPECT_EQ(co_await read(host, file, 1'000, 10), "");
    EXPECT_EQ(co_await read(host, file, 3, 0), "");
    co_await write(host, file, 7, "there");
    EXPECT_EQ(co_await read(host, file, 0, 100), "hello, there");
    co_await write(host, file, 4'000, std::string(5'000, 'x'));
    EXPECT_EQ(co_await read(host, file, 3'999, 3), std::string("\0xx", 3));
    Result<uint64_t> size = co_await host->disk().size(file);
    EXPECT_EQ(*size, 9'000u);
    co_await write(host, file, 20'000, "");
    size = co_await host->disk().size(file);
    EXPECT_EQ(*size, 9'000u) << "writing nothing changes nothing";
  });
}

TEST_P(DiskConformance, what_was_synced_is_there_for_the_next_process) {
  run([](Host* host) -> Task<void> {
    EXPECT_DONE(co_await host->disk().make_directory("log"));
    const FileId file = co_await open_new(host, "log/1");
    co_await write(host, file, 0, std::string(100'000, 'q'));
    EXPECT_DONE(co_await host->disk().sync(file));
    EXPECT_DONE(co_await host->disk().sync_directory("log"));
    EXPECT_DONE(co_await host->disk().sync_directory(""));
  });
  run([](Host* host) -> Task<void> {
    Result<FileId> file = co_await host->disk().open("log/1");
    EXPECT_TRUE(file.ok()) << shown(file);
    if (!file.ok()) co_return;
    EXPECT_EQ(co_await read(host, *file, 0, 200'000), std::string(100'000, 'q'));
  });
}

TEST_P(DiskConformance, truncate_cuts_and_extends_with_zeros) {
  run([](Host* host) -> Task<void> {
    const FileId file = co_await open_new(host, "a");
    co_await write(host, file, 0, "abcdef");
    EXPECT_DONE(co_await host->disk().truncate(file, 3));
    EXPECT_EQ(co_await read(host, file, 0, 10), "abc");
    EXPECT_DONE(co_await host->disk().truncate(file, 5));
    EXPECT_EQ(co_await read(host, file, 0, 10), std::string("abc\0\0", 5));
    EXPECT_DONE(co_await host->disk().close(file));
    Result<FileId> again = co_await host->disk().open("a", Disk::kTruncate);
    EXPECT_TRUE(again.ok()) << shown(again);
    EXPECT_EQ(co_await read(host, *again, 0, 10), "");
  });
}

TEST_P(DiskConformance, what_was_never_written_or_was_cut_off_reads_as_zeros) {
  run([](Host* host) -> Task<void> {
    const FileId file = co_await open_new(host, "a");
    constexpr uint64_t kFar = (3u << 20) + 1;
    co_await write(host, file, kFar, "end");
    EXPECT_EQ(*co_await host->disk().size(file), kFar + 3);
    const std::string zeros(kFar, '\0');
    EXPECT_TRUE(co_await read(host, file, 0, ~uint64_t{0}) == zeros + "end");
    EXPECT_TRUE(co_await read(host, file, kPageBytes - 1, 2 * kPageBytes) ==
                zeros.substr(0, 2 * kPageBytes));
    co_await write(host, file, 0, std::string(3 * kPageBytes, 'x'));
    EXPECT_DONE(co_await host->disk().truncate(file, kPageBytes + 7));
    EXPECT_DONE(co_await host->disk().truncate(file, 3 * kPageBytes));
    EXPECT_TRUE(co_await read(host, file, 0, ~uint64_t{0}) ==
                std::string(kPageBytes + 7, 'x') + zeros.substr(0, 2 * kPageBytes - 7));
    EXPECT_DONE(co_await host->disk().truncate(file, 5));
    co_await write(host, file, 2 * kPageBytes, "y");
    EXPECT_TRUE(co_await read(host, file, 0, ~uint64_t{0}) ==
                "xxxxx" + zeros.substr(0, 2 * kPageBytes - 5) + "y");
  });
}

TEST_P(DiskConformance, reads_of_any_length_end_where_the_file_does) {
  run([](Host* host) -> Task<void> {
    constexpr uint64_t kSize = (5u << 20) + 17;
    std::string bytes(kSize, '\0');
    for (uint64_t i = 0; i < kSize; ++i) bytes[i] = static_cast<char>(i * 31 + (i >> 11));
    const FileId file = co_await open_new(host, "a");
    co_await write(host, file, 0, bytes);
    for (const uint64_t offset : {uint64_t{0}, uint64_t{4'095}, uint64_t{1} << 20, kSize - 1}) {
      for (const uint64_t length : {uint64_t{1}, kPageBytes + 1, (uint64_t{1} << 20) - 1,
                                    uint64_t{1} << 20, (uint64_t{1} << 20) + 1, ~uint64_t{0}}) {
        EXPECT_TRUE(co_await read(host, file, offset, length) == bytes.substr(offset, length))
            << length << " bytes at " << offset;
      }
    }
  });
}

TEST_P(DiskConformance, a_file_is_replaced_by_rename_while_the_old_one_is_open) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    const FileId old = co_await open_new(host, "manifest");
    co_await write(host, old, 0, "old");
    const FileId fresh = co_await open_new(host, "manifest.new");
    co_await write(host, fresh, 0, "new");
    EXPECT_DONE(co_await disk.sync(fresh));
    EXPECT_DONE(co_await disk.rename("manifest.new", "manifest"));
    EXPECT_DONE(co_await disk.sync_directory(""));
    EXPECT_EQ(co_await read(host, old, 0, 10), "old");
    EXPECT_EQ(co_await read(host, fresh, 0, 10), "new");
    EXPECT_DONE(co_await disk.rename("manifest", "manifest")) << "onto itself";
    EXPECT_EQ(*co_await disk.list(""), (Names{"manifest"}));
  });
  run([](Host* host) -> Task<void> {
    EXPECT_EQ(co_await read(host, co_await open_new(host, "manifest"), 0, 10), "new");
    EXPECT_EQ(*co_await host->disk().list(""), (Names{"manifest"}));
  });
}

TEST_P(DiskConformance, many_names_come_sorted_by_their_bytes) {
  run([](Host* host) -> Task<void> {
    Names names;
    for (int i = 0; i < 300; ++i) names.push_back(std::to_string(i * 7'919 % 300));
    for (const char* const each : {"B", "a", "~", "-", "A.B", "a b", "\xc3\xa9"})
      names.emplace_back(each);
    for (const std::string& name : names)
      EXPECT_DONE(co_await host->disk().close(co_await open_new(host, name)));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(*co_await host->disk().list(""), names);
  });
}

TEST_P(DiskConformance, names_come_sorted_and_follow_rename_and_remove) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    EXPECT_EQ(*co_await disk.list(""), Names());
    EXPECT_DONE(co_await disk.make_directory("d"));
    EXPECT_DONE(co_await disk.make_directory("d"));
    for (const std::string name : {"d/c", "d/a", "d/b"}) {
      const FileId file = co_await open_new(host, name);
      co_await write(host, file, 0, name);
      EXPECT_DONE(co_await disk.close(file));
    }
    EXPECT_EQ(*co_await disk.list("d"), (Names{"a", "b", "c"}));
    EXPECT_DONE(co_await disk.rename("d/a", "d/c"));
    EXPECT_EQ(*co_await disk.list("d"), (Names{"b", "c"}));
    Result<FileId> file = co_await disk.open("d/c");
    EXPECT_EQ(co_await read(host, *file, 0, 10), "d/a") << "rename replaces";
    EXPECT_DONE(co_await disk.remove("d/b"));
    EXPECT_EQ(*co_await disk.list("d"), (Names{"c"}));
    EXPECT_EQ(*co_await disk.list(""), (Names{"d"}));
    EXPECT_DONE(co_await disk.sync_directory("d"));
  });
}

TEST_P(DiskConformance, what_is_not_there_is_not_found) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    const auto code = [](const auto& result) {
      return result.ok() ? Code::kExists : result.code();
    };
    EXPECT_EQ(code(co_await disk.open("nothing")), Code::kNotFound);
    EXPECT_EQ(code(co_await disk.open("no/parent", Disk::kCreate)), Code::kNotFound);
    EXPECT_EQ(code(co_await disk.remove("nothing")), Code::kNotFound);
    EXPECT_EQ(code(co_await disk.rename("nothing", "something")), Code::kNotFound);
    EXPECT_EQ(code(co_await disk.list("nothing")), Code::kNotFound);
    EXPECT_EQ(code(co_await disk.make_directory("no/parent")), Code::kNotFound);
    EXPECT_EQ(code(co_await disk.sync_directory("nothing")), Code::kNotFound);
    EXPECT_EQ(*co_await disk.list(""), Names()) << "failed calls left something";
  });
}

TEST_P(DiskConformance, a_closed_file_and_one_that_never_was_are_errors) {
  run([](Host* host) -> Task<void> {
    const FileId file = co_await open_new(host, "a");
    EXPECT_DONE(co_await host->disk().close(file));
    const Result<void> written = co_await host->disk().write_at(file, 0, Buffer::copy_of("x"));
    EXPECT_FALSE(written.ok());
    const Result<Buffer> bytes = co_await host->disk().read_at(12'345, 0, 1);
    EXPECT_FALSE(bytes.ok());
    const Result<void> closed = co_await host->disk().close(file);
    EXPECT_FALSE(closed.ok());
  });
}

TEST_P(DiskConformance, there_is_space) {
  run([](Host* host) -> Task<void> {
    Result<uint64_t> space = co_await host->disk().space();
    EXPECT_TRUE(space.ok());
    EXPECT_GT(*space, 1u << 20);
  });
}

Task<void> fill_block(Host* host, FileId file, uint64_t block, int* left) {
  co_await write(host, file, block * 5'000,
                 std::string(5'000, static_cast<char>('a' + block % 26)));
  if (block % 7 == 0) EXPECT_DONE(co_await host->disk().sync(file));
  --*left;
}

TEST_P(DiskConformance, a_thousand_writes_in_flight_each_land_where_they_belong) {
  run([](Host* host) -> Task<void> {
    const FileId file = co_await open_new(host, "a");
    int left = 1'000;
    Scope scope(host->ready());
    for (uint64_t block = 0; block < 1'000; ++block)
      scope.spawn(fill_block(host, file, block, &left));
    EXPECT_GT(left, 0) << "a call must not complete inside itself";
    co_await scope.join();
    EXPECT_EQ(left, 0);
    const std::string all = co_await read(host, file, 0, 10'000'000);
    EXPECT_EQ(all.size(), 5'000'000u);
    for (uint64_t block = 0; block < 1'000; ++block) {
      const std::string want(5'000, static_cast<char>('a' + block % 26));
      if (all.compare(block * 5'000, 5'000, want) != 0) ADD_FAILURE() << "block " << block;
    }
  });
}

Task<void> write_and_die(Host* host, bool* writing) {
  Result<FileId> opened = co_await host->disk().open("a", Disk::kCreate);
  int left = 300;
  Scope scope(host->ready());
  for (uint64_t block = 0; block < 300; ++block)
    scope.spawn(fill_block(host, *opened, block, &left));
  *writing = true;
  co_await scope.join();
}

TEST_P(DiskConformance,
       a_process_killed_with_calls_in_flight_leaves_files_that_its_successor_can_use) {
  for (int round = 0; round < 20; ++round) {
    bool writing = false;
    stage().start(1, [&](Host& host) { return write_and_die(&host, &writing); });
    ASSERT_TRUE(stage().run_until([&] { return writing; }));
    stage().run_turns(round);
    stage().kill(1);
    EXPECT_FALSE(stage().running(1));
    run([](Host* host) -> Task<void> {
      const FileId file = co_await open_new(host, "a");
      EXPECT_DONE(co_await host->disk().truncate(file, 0));
      co_await write(host, file, 0, "mine");
      EXPECT_DONE(co_await host->disk().sync(file));
      EXPECT_EQ(co_await read(host, file, 0, 10'000'000), "mine") << "a dead process wrote";
    });
  }
}

Task<void> abandon_reads(Host* host) {
  const FileId file = co_await open_new(host, "a");
  co_await write(host, file, 0, std::string(300'000, 'z'));
  for (int i = 0; i < 50; ++i) {
    {
      Scope scope(host->ready());
      scope.spawn([](Host* reader, FileId from) -> Task<void> {
        Result<Buffer> bytes = co_await reader->disk().read_at(from, 0, 300'000);
        ADD_FAILURE() << "resumed after its frame was destroyed";
      }(host, file));
      scope.spawn([](Host* opener) -> Task<void> {
        Result<FileId> opened = co_await opener->disk().open("b", Disk::kCreate);
        ADD_FAILURE() << "resumed after its frame was destroyed";
      }(host));
    }
    EXPECT_EQ((co_await read(host, file, 10, 5)), "zzzzz");
  }
}

TEST_P(DiskConformance, a_call_whose_frame_was_destroyed_is_forgotten) { run(abandon_reads); }

}  // namespace
}  // namespace ringside::conformance
