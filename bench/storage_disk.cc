#include "bench/storage_disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "bench/storage_measure.h"
#include "posix/host.h"
#include "runtime/check.h"
#include "runtime/random.h"
#include "runtime/scope.h"

namespace ringside::bench {
namespace {

constexpr uint64_t kPages = 8192;  // all of them stay in the page cache
constexpr const char* kFile = "pages";

uint64_t any_page(Random& random) { return random.below(kPages) * kPageBytes; }

bool goes_on(const DiskStep& step, uint64_t done, int64_t deadline) {
  return done < step.operations && (done % 64 != 0 || now_ns() < deadline);
}

int64_t deadline_of(const DiskStep& step) {
  return now_ns() + static_cast<int64_t>(step.seconds * 1e9);
}

class OurDisk {
 public:
  OurDisk(const std::string& directory, const DiskStep& step) : step_(step), random_(1) {
    Result<std::unique_ptr<posix::RealHost>> host =
        posix::RealHost::open(loop_, {.id = 1, .data_directory = directory});
    CHECK(host.ok());
    host_ = *std::move(host);
  }

  double run() {
    host_->spawn(all());
    loop_.run();
    return static_cast<double>(done_) / seconds_;
  }

 private:
  Task<void> all() {
    Result<FileId> file = co_await host_->disk().open(kFile, Disk::kCreate);
    CHECK(file.ok());
    file_ = *file;
    for (uint64_t page = 0; page < kPages; ++page) {
      Result<void> done = co_await host_->disk().write_at(
          file_, page * kPageBytes, Buffer::copy_of(std::string(kPageBytes, 'p')));
      CHECK(done.ok());
    }
    Result<void> synced = co_await host_->disk().sync(file_);
    CHECK(synced.ok());
    const int64_t start = now_ns();
    deadline_ = deadline_of(step_);
    {
      Scope callers(host_->ready());
      for (uint64_t i = 0; i < step_.in_flight; ++i) callers.spawn(caller());
      co_await callers.join();
    }
    seconds_ = static_cast<double>(now_ns() - start) / 1e9;
    loop_.stop();
  }

  Task<void> caller() {
    const Buffer page = Buffer::copy_of(std::string(kPageBytes, 'q'));
    while (goes_on(step_, done_, deadline_)) {
      ++done_;
      const uint64_t at = any_page(random_);
      if (step_.kind == DiskStep::Kind::kRead) {
        Result<Buffer> read = co_await host_->disk().read_at(file_, at, kPageBytes);
        CHECK(read.ok() && read->size() == kPageBytes);
        continue;
      }
      Result<void> done = co_await host_->disk().write_at(file_, at, page);
      CHECK(done.ok());
      if (step_.kind == DiskStep::Kind::kWrite) continue;
      done = co_await host_->disk().sync(file_);
      CHECK(done.ok());
    }
  }

  const DiskStep& step_;
  Random random_;
  posix::Loop loop_;
  std::unique_ptr<posix::RealHost> host_;
  FileId file_ = 0;
  uint64_t done_ = 0;
  int64_t deadline_ = 0;
  double seconds_ = 1;
};

}  // namespace

double our_disk(const std::string& directory, const DiskStep& step) {
  return OurDisk(directory, step).run();
}

double bare_disk(const std::string& directory, const DiskStep& step) {
  const int file = open((directory + "/" + kFile).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  CHECK(file >= 0);
  const auto bytes = static_cast<ssize_t>(kPageBytes);
  std::string page(kPageBytes, 'p');
  for (uint64_t i = 0; i < kPages; ++i)
    CHECK(pwrite(file, page.data(), kPageBytes, static_cast<off_t>(i * kPageBytes)) == bytes);
  CHECK(fdatasync(file) == 0);
  Random random(1);
  uint64_t done = 0;
  const int64_t start = now_ns(), deadline = deadline_of(step);
  for (; goes_on(step, done, deadline); ++done) {
    const auto at = static_cast<off_t>(any_page(random));
    if (step.kind == DiskStep::Kind::kRead) {
      CHECK(pread(file, page.data(), kPageBytes, at) == bytes);
      continue;
    }
    CHECK(pwrite(file, page.data(), kPageBytes, at) == bytes);
    if (step.kind == DiskStep::Kind::kWriteAndSync) CHECK(fdatasync(file) == 0);
  }
  const double seconds = static_cast<double>(now_ns() - start) / 1e9;
  close(file);
  return static_cast<double>(done) / seconds;
}

}  // namespace ringside::bench
