#include "posix/page_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace ringside::posix {
namespace {

class PageCacheTest : public testing::Test {
 protected:
  PageCacheTest() {
    char name[] = "/tmp/ringside-page-cache-XXXXXX";
    file_ = std::make_shared<Descriptor>(mkstemp(name));
    unlink(name);
  }

  std::unique_ptr<FileJob> job(FileJob::Kind kind, uint64_t offset) {
    auto made = std::make_unique<FileJob>();
    made->kind = kind;
    made->file = file_;
    made->offset = offset;
    return made;
  }
  std::unique_ptr<FileJob> reading(uint64_t offset, uint64_t length) {
    auto made = job(FileJob::Kind::kRead, offset);
    made->bytes = Buffer::with_size(length);
    return made;
  }
  std::unique_ptr<FileJob> writing(uint64_t offset, const std::string& bytes) {
    auto made = job(FileJob::Kind::kWrite, offset);
    made->data = Buffer::copy_of(bytes);
    return made;
  }
  bool in_memory(uint64_t bytes) {
    void* mapped = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file_->get(), 0);
    unsigned char first = 1;
    EXPECT_EQ(mincore(mapped, 1, &first), 0);
    munmap(mapped, bytes);
    return (first & 1) != 0;
  }

  std::shared_ptr<Descriptor> file_;
  PageCache cache_;
};

TEST_F(PageCacheTest, what_was_written_is_read_at_once) {
  const auto write = writing(100, "hello");
  ASSERT_TRUE(cache_.perform(*write));
  EXPECT_EQ(write->error, 0);
  const auto read = reading(100, 5);
  ASSERT_TRUE(cache_.perform(*read));
  EXPECT_EQ(read->bytes.view(), "hello");
}

TEST_F(PageCacheTest, a_read_beyond_the_end_is_short) {
  ASSERT_TRUE(cache_.perform(*writing(0, "hello")));
  const auto across = reading(3, 4096);
  ASSERT_TRUE(cache_.perform(*across));
  EXPECT_EQ(across->bytes.view(), "lo");
  const auto behind = reading(10'000, 10);
  ASSERT_TRUE(cache_.perform(*behind));
  EXPECT_EQ(behind->bytes.size(), 0u);
}

TEST_F(PageCacheTest, what_is_on_the_disk_alone_is_left_for_others) {
  ASSERT_TRUE(cache_.perform(*writing(0, std::string(4096, 'x'))));
  ASSERT_EQ(fsync(file_->get()), 0);
  ASSERT_EQ(posix_fadvise(file_->get(), 0, 0, POSIX_FADV_DONTNEED), 0);
  if (in_memory(4096)) GTEST_SKIP() << "this file system keeps its files in memory";
  const auto read = reading(0, 4096);
  EXPECT_FALSE(cache_.perform(*read));
  EXPECT_EQ(read->error, 0);
  EXPECT_EQ(read->left(), 4096u);
  read->perform();
  EXPECT_EQ(read->bytes.view(), std::string(4096, 'x'));
}

TEST_F(PageCacheTest, much_is_left_for_others) {
  const std::string much(100'000, 'x');
  EXPECT_FALSE(cache_.perform(*writing(0, much)));
  EXPECT_FALSE(cache_.perform(*reading(0, much.size())));
}

TEST_F(PageCacheTest, errors_are_left_for_others) {
  file_ = std::make_shared<Descriptor>(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto write = writing(0, "hello");
  EXPECT_FALSE(cache_.perform(*write));
  EXPECT_EQ(write->error, 0);
  write->perform();
  EXPECT_EQ(write->error, EBADF);
}

Time fake_now = 0;
int64_t fake_sleeps = 0;
Time slow_clock() { return fake_now += 2 * kMillisecond; }
int64_t sleepy() { return ++fake_sleeps; }
int64_t awake() { return 0; }

TEST_F(PageCacheTest, after_a_write_that_was_held_up_writes_rest_ten_times_as_long) {
  fake_now = 0;
  PageCache cache(slow_clock, sleepy);
  EXPECT_TRUE(cache.perform(*writing(0, "hello")));  // from 2 ms to 4 ms
  const auto next = writing(5, "you");
  fake_now = 21 * kMillisecond;
  EXPECT_FALSE(cache.perform(*next));
  EXPECT_EQ(next->left(), 3u);
  EXPECT_TRUE(cache.perform(*reading(0, 5)));
  fake_now = 22 * kMillisecond;
  EXPECT_TRUE(cache.perform(*next));
}

TEST_F(PageCacheTest, a_write_during_which_others_had_the_processor_was_not_held_up) {
  PageCache cache(slow_clock, awake);
  EXPECT_TRUE(cache.perform(*writing(0, "hello")));
  EXPECT_TRUE(cache.perform(*writing(5, "you")));
}

}  // namespace
}  // namespace ringside::posix
