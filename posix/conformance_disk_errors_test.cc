// What the disk refuses, and that it changes nothing then.
#include "posix/conformance_disk.h"
#include "runtime/scope.h"

namespace ringside::conformance {
namespace {

class DiskErrorConformance : public DiskConformance {};
RINGSIDE_CONFORMANCE(DiskErrorConformance);

const std::string kInvalid = code_name(Code::kInvalid);
const std::string kNotFound = code_name(Code::kNotFound);

TEST_P(DiskErrorConformance, a_directory_where_a_file_is_meant_is_invalid_and_stays) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    EXPECT_DONE(co_await disk.make_directory("d"));
    const FileId file = co_await open_new(host, "f");
    co_await write(host, file, 0, "mine");
    EXPECT_EQ(shown(co_await disk.open("d")), kInvalid);
    EXPECT_EQ(shown(co_await disk.open("d", Disk::kCreate)), kInvalid);
    EXPECT_EQ(shown(co_await disk.remove("d")), kInvalid);
    EXPECT_EQ(shown(co_await disk.rename("d", "e")), kInvalid);
    EXPECT_EQ(shown(co_await disk.rename("d", "f")), kInvalid);
    EXPECT_EQ(shown(co_await disk.rename("f", "d")), kInvalid);
    EXPECT_EQ(*co_await disk.list(""), (Names{"d", "f"}));
    EXPECT_EQ(*co_await disk.list("d"), Names());
    EXPECT_EQ(co_await read(host, file, 0, 10), "mine");
  });
}

TEST_P(DiskErrorConformance, a_file_where_a_directory_is_meant_is_not_found_and_stays) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    const FileId file = co_await open_new(host, "f");
    co_await write(host, file, 0, "mine");
    EXPECT_EQ(shown(co_await disk.open("f/x", Disk::kCreate)), kNotFound);
    EXPECT_EQ(shown(co_await disk.remove("f/x")), kNotFound);
    EXPECT_EQ(shown(co_await disk.rename("f", "f/x")), kNotFound);
    EXPECT_EQ(shown(co_await disk.list("f")), kNotFound);
    EXPECT_EQ(shown(co_await disk.sync_directory("f")), kNotFound);
    EXPECT_EQ(shown(co_await disk.make_directory("f/x")), kNotFound);
    EXPECT_EQ(shown(co_await disk.make_directory("f")), code_name(Code::kExists));
    EXPECT_EQ(*co_await disk.list(""), (Names{"f"}));
    EXPECT_EQ(co_await read(host, file, 0, 10), "mine");
  });
}

TEST_P(DiskErrorConformance, what_is_no_path_is_invalid) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    EXPECT_DONE(co_await disk.make_directory("d"));
    EXPECT_DONE(co_await disk.make_directory("")) << "the process's own is there";
    EXPECT_DONE(co_await disk.sync_directory(""));
    EXPECT_DONE(co_await disk.close(co_await open_new(host, "f")));
    std::string deep = "d";
    while (deep.size() <= kPathBytesMax) deep += "/d";
    const std::string too_long(kNameBytesMax + 1, 'n');
    for (const std::string path :
         {std::string("/f"), std::string("f/"), std::string("d//f"), std::string("."),
          std::string(".."), std::string("d/.."), std::string("d/../f"), std::string("./f"),
          std::string("f\0g", 3), too_long, "d/" + too_long, deep, std::string("/")}) {
      const std::string what = path.substr(0, 20);
      EXPECT_EQ(shown(co_await disk.open(path)), kInvalid) << what;
      EXPECT_EQ(shown(co_await disk.open(path, Disk::kCreate)), kInvalid) << what;
      EXPECT_EQ(shown(co_await disk.remove(path)), kInvalid) << what;
      EXPECT_EQ(shown(co_await disk.rename(path, "g")), kInvalid) << what;
      EXPECT_EQ(shown(co_await disk.rename("f", path)), kInvalid) << what;
      EXPECT_EQ(shown(co_await disk.make_directory(path)), kInvalid) << what;
      EXPECT_EQ(shown(co_await disk.list(path)), kInvalid) << what;
      EXPECT_EQ(shown(co_await disk.sync_directory(path)), kInvalid) << what;
    }
    EXPECT_EQ(shown(co_await disk.open("", Disk::kCreate)), kInvalid);
    EXPECT_EQ(shown(co_await disk.remove("")), kInvalid);
    EXPECT_EQ(shown(co_await disk.rename("f", "")), kInvalid);
    EXPECT_EQ(*co_await disk.list(""), (Names{"d", "f"}));
    EXPECT_EQ(*co_await disk.list("d"), Names());
    const std::string longest(kNameBytesMax, 'n');
    EXPECT_DONE(co_await disk.close(co_await open_new(host, longest)));
    EXPECT_EQ(*co_await disk.list(""), (Names{"d", "f", longest}));
  });
}

TEST_P(DiskErrorConformance, one_file_has_one_open_handle_under_whatever_name) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    const FileId file = co_await open_new(host, "a");
    co_await write(host, file, 0, "first");
    EXPECT_EQ(shown(co_await disk.open("a")), kInvalid);
    EXPECT_EQ(shown(co_await disk.open("a", Disk::kCreate | Disk::kTruncate)), kInvalid);
    EXPECT_EQ(co_await read(host, file, 0, 10), "first") << "a refused open has emptied it";
    EXPECT_DONE(co_await disk.rename("a", "b"));
    EXPECT_EQ(shown(co_await disk.open("a")), kNotFound);
    EXPECT_EQ(shown(co_await disk.open("b")), kInvalid);
    EXPECT_DONE(co_await disk.remove("b"));
    const FileId second = co_await open_new(host, "b");
    co_await write(host, second, 0, "second");
    EXPECT_EQ(co_await read(host, file, 0, 10), "first") << "it lives as long as it is open";
    EXPECT_EQ(co_await read(host, second, 0, 10), "second");
    EXPECT_DONE(co_await disk.close(file));
    EXPECT_DONE(co_await disk.close(second));
    EXPECT_EQ(co_await read(host, co_await open_new(host, "b"), 0, 10), "second");
  });
}

Task<void> open_one(Host* host, int* opened, int* refused) {
  const Result<FileId> file = co_await host->disk().open("a", Disk::kCreate);
  ++*(file.ok() ? opened : refused);
  if (!file.ok()) EXPECT_EQ(shown(file), kInvalid);
}

TEST_P(DiskErrorConformance, of_many_who_open_a_file_at_once_one_gets_it) {
  run([](Host* host) -> Task<void> {
    int opened = 0, refused = 0;
    Scope scope(host->ready());
    for (int i = 0; i < 20; ++i) scope.spawn(open_one(host, &opened, &refused));
    co_await scope.join();
    EXPECT_EQ(opened, 1);
    EXPECT_EQ(refused, 19);
  });
}

TEST_P(DiskErrorConformance, an_open_that_nobody_waits_for_any_more_leaves_nothing_open) {
  run([](Host* host) -> Task<void> {
    for (int i = 0; i < 50; ++i) {
      {
        Scope scope(host->ready());
        scope.spawn([](Host* opener) -> Task<void> {
          Result<FileId> file = co_await opener->disk().open("a", Disk::kCreate);
          ADD_FAILURE() << "resumed after its frame was destroyed";
        }(host));
      }
      if (i % 3 != 0) (void)co_await host->disk().space();
      if (i % 3 == 2) (void)co_await host->disk().list("");
      EXPECT_DONE(co_await host->disk().close(co_await open_new(host, "a")));
    }
  });
}

TEST_P(DiskErrorConformance, a_file_does_not_grow_beyond_the_largest) {
  run([](Host* host) -> Task<void> {
    Disk& disk = host->disk();
    const FileId file = co_await open_new(host, "a");
    co_await write(host, file, 0, "abc");
    for (const uint64_t offset : {kFileBytesMax, kFileBytesMax + 1, uint64_t{INT64_MAX},
                                  uint64_t{INT64_MAX} + 1, ~uint64_t{0}}) {
      EXPECT_EQ(shown(co_await disk.write_at(file, offset, Buffer::copy_of("x"))), kInvalid);
      EXPECT_EQ(shown(co_await disk.truncate(file, offset + (offset == kFileBytesMax))), kInvalid);
      EXPECT_EQ(co_await read(host, file, offset, 10), "");
      EXPECT_EQ(co_await read(host, file, offset, ~uint64_t{0}), "");
    }
    EXPECT_EQ(co_await read(host, file, 1, ~uint64_t{0}), "bc");
    EXPECT_EQ(*co_await disk.size(file), 3u);
  });
}

}  // namespace
}  // namespace ringside::conformance
