// The overlay is a disk like the real one, over files that it leaves as they are.
#include "posix/overlay_disk.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "posix/data_directory.h"
#include "posix/host.h"
#include "runtime/random.h"

namespace ringside::posix {
namespace {

namespace fs = std::filesystem;
using Tree = std::map<std::string, std::string>;  // a directory's content is "/"

std::string bytes_of_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Tree tree_of(const std::string& directory) {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    tree[entry.path().lexically_relative(directory)] =
        entry.is_directory() ? "/" : bytes_of_file(entry.path());
  }
  return tree;
}

class OverlayDiskTest : public testing::Test {
 protected:
  OverlayDiskTest() {
    char name[] = "/tmp/ringside-overlay-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~OverlayDiskTest() override { fs::remove_all(directory_); }

  std::string make(const std::string& name, const Tree& tree) {
    for (const auto& [path, bytes] : tree) {
      const fs::path at = fs::path(directory_) / name / path;
      fs::create_directories(bytes == "/" ? at : at.parent_path());
      if (bytes != "/") std::ofstream(at, std::ios::binary) << bytes;
    }
    return directory_ + "/" + name;
  }
  std::unique_ptr<RealHost> overlay(const std::string& directory) {
    Result<std::unique_ptr<RealHost>> host =
        RealHost::open(loop_, {.id = 1, .overlay_directory = directory, .overlay_as = "data"});
    if (!host.ok()) {
      refusal_ = host.error().message;
      return nullptr;
    }
    return *std::move(host);
  }
  template <class T>
  T run(RealHost& host, Task<T> task) {
    std::optional<T> result;
    host.spawn(keep(std::move(task), &result));
    EXPECT_TRUE(loop_.run_until([&] { return result.has_value(); }, 30 * kSecond));
    return *std::move(result);
  }

  Loop loop_;
  std::string directory_;
  std::string refusal_;

 private:
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>* result) {
    result->emplace(co_await std::move(task));
  }
};

// What a random walk over the disk was told, step by step: two disks that tell the same are the
// same.
Task<std::vector<std::string>> wander(Host* host, uint64_t seed) {
  Disk& disk = host->disk();
  Random random(seed);
  std::vector<std::string> steps;
  std::string told;
  std::vector<FileId> files;
  const auto tell = [&told](const auto& result) {
    told += result.ok() ? "ok " : std::string(code_name(result.code())) + " ";
  };
  const auto name = [&random] {
    static const std::vector<std::string> names = {"data/a", "data/b",     "data/d/c", "data/d/e",
                                                   "data/d", "data/new/x", "data/new", "data"};
    return names[random.below(names.size())];
  };
  for (int step = 0; step < 400; ++step) {
    const uint64_t what = random.below(12);
    const std::string path = name(), other = name();
    const uint64_t offset = random.below(20'000), length = random.below(9'000);
    const std::size_t at = files.empty() ? 0 : random.below(files.size());
    const FileId file = files.empty() ? 99'999 : files[at];
    told = std::to_string(what) + " " + path + " " + other + ": ";
    if (what < 2) {
      const auto flags = static_cast<uint8_t>(random.below(4));
      Result<FileId> opened = co_await disk.open(path, flags);
      tell(opened);
      if (opened.ok()) files.push_back(*opened);
    } else if (what == 2) {
      tell(co_await disk.close(file));
      if (!files.empty()) files.erase(files.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (what < 5) {
      const std::string bytes(length, static_cast<char>('a' + random.below(26)));
      tell(co_await disk.write_at(file, offset, Buffer::copy_of(bytes)));
    } else if (what < 8) {
      Result<Buffer> bytes = co_await disk.read_at(file, offset, what == 7 ? ~uint64_t{0} : length);
      tell(bytes);
      if (bytes.ok()) told += std::to_string(hash_bytes(bytes->view())) + " ";
    } else if (what == 8) {
      tell(co_await disk.truncate(file, offset));
      Result<uint64_t> size = co_await disk.size(file);
      if (size.ok()) told += std::to_string(*size) + " ";
    } else if (what == 9) {
      tell(co_await disk.rename(path, other));
    } else if (what == 10) {
      tell(co_await disk.remove(path));
      tell(co_await disk.make_directory(other));
    } else {
      Result<std::vector<std::string>> names = co_await disk.list(path);
      tell(names);
      if (names.ok()) {
        for (const std::string& each : *names) told += each + ",";
      }
      tell(co_await disk.sync_directory(path));
      tell(co_await disk.sync(file));
    }
    steps.push_back(std::exchange(told, {}));
  }
  co_return steps;
}

TEST_F(OverlayDiskTest, tells_what_a_real_disk_tells_and_leaves_the_files_as_they_are) {
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    const Tree tree = {{"a", std::string(10'000, 'A')},
                       {"b", ""},
                       {"d", "/"},
                       {"d/c", std::string(4'096, 'C') + "tail"},
                       {"d/e", "short"}};
    const std::string number = std::to_string(seed);
    const std::string read = make("read-" + number, tree);
    make("real-" + number + "/files/data", tree);
    const std::string real = directory_ + "/real-" + number;
    std::ofstream(real + "/RINGSIDE") << "ringside data 1\nnode 1\n";
    Result<std::unique_ptr<RealHost>> host =
        RealHost::open(loop_, {.id = 1, .data_directory = real});
    ASSERT_TRUE(host.ok()) << host.error().text();
    std::unique_ptr<RealHost> over = overlay(read);
    ASSERT_NE(over, nullptr) << refusal_;
    const std::vector<std::string> ours = run(*over, wander(over.get(), seed));
    const std::vector<std::string> theirs = run(**host, wander(host->get(), seed));
    for (std::size_t step = 0; step < ours.size(); ++step)
      ASSERT_EQ(ours[step], theirs[step]) << "seed " << seed << ", step " << step;
    EXPECT_EQ(tree_of(read), tree);
    EXPECT_NE(tree_of(real + "/files/data"), tree) << "the walk changed nothing";
  }
}

Task<bool> forgets(Host* host) {
  {
    Scope scope(host->ready());
    scope.spawn([](Host* opener) -> Task<void> {
      Result<FileId> file = co_await opener->disk().open("data/a");
      ADD_FAILURE() << "resumed after its frame was destroyed";
    }(host));
  }
  const Result<FileId> file = co_await host->disk().open("data/a");
  co_return file.ok();
}

TEST_F(OverlayDiskTest, a_call_whose_frame_was_destroyed_is_forgotten) {
  std::unique_ptr<RealHost> host = overlay(make("x", {{"a", "1"}}));
  EXPECT_TRUE(run(*host, forgets(host.get())));
}

TEST_F(OverlayDiskTest, a_directory_that_is_not_there_is_one_clear_line) {
  EXPECT_EQ(overlay(directory_ + "/nothing"), nullptr);
  EXPECT_EQ(refusal_, directory_ + "/nothing: No such file or directory");
}

TEST_F(OverlayDiskTest, a_data_directory_is_read_while_no_server_has_it_and_kept_from_servers) {
  const std::string data = directory_ + "/node";
  {
    const Result<DataDirectory> served = DataDirectory::open(data, "node 7");
    ASSERT_TRUE(served.ok());
    const Result<DataDirectory> refused = DataDirectory::open_to_read(data);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message, data + ": in use by a running server");
  }
  const Tree before = tree_of(data);
  {
    const Result<DataDirectory> read = DataDirectory::open_to_read(data);
    ASSERT_TRUE(read.ok()) << read.error().text();
    EXPECT_EQ(read->owner(), "node 7");
    EXPECT_TRUE(DataDirectory::open_to_read(data).ok()) << "many may read";
    EXPECT_FALSE(DataDirectory::open(data, "node 7").ok());
    EXPECT_EQ(tree_of(data), before);
  }
  EXPECT_TRUE(DataDirectory::open(data, "node 7").ok());
  EXPECT_EQ(DataDirectory::open_to_read(directory_).code(), Code::kNotFound);
}

}  // namespace
}  // namespace ringside::posix
