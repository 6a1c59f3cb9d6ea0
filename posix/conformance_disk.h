// What the tests of the disk share: one program run to its end on place 1, and calls that are
// expected to succeed.
#pragma once

#include <string>
#include <vector>

#include "posix/conformance.h"

namespace ringside::conformance {

class DiskConformance : public Conformance {
 protected:
  using Conformance::Conformance;
  // Runs one program to its end on place 1.
  void run(Task<void> (*body)(Host*)) {
    bool done = false;
    stage().start(1, [&done, body](Host& host) { return wrap(&host, body, &done); });
    ASSERT_TRUE(stage().run_until([&] { return done; }));
    stage().kill(1);
  }

 private:
  static Task<void> wrap(Host* host, Task<void> (*body)(Host*), bool* done) {
    co_await body(host);
    *done = true;
  }
};

using Names = std::vector<std::string>;

template <class T>
std::string shown(const Result<T>& result) {
  return result.ok() ? "ok" : code_name(result.code());
}
inline testing::AssertionResult succeeded(const std::string& outcome) {
  return outcome == "ok" ? testing::AssertionSuccess() : testing::AssertionFailure() << outcome;
}
#define EXPECT_DONE(expression) EXPECT_TRUE(succeeded(shown(expression)))

inline Task<FileId> open_new(Host* host, std::string path) {
  Result<FileId> file = co_await host->disk().open(path, Disk::kCreate);
  EXPECT_TRUE(file.ok()) << shown(file);
  co_return file.ok() ? *file : 0;
}

inline Task<std::string> read(Host* host, FileId file, uint64_t offset, uint64_t length) {
  Result<Buffer> bytes = co_await host->disk().read_at(file, offset, length);
  EXPECT_TRUE(bytes.ok()) << shown(bytes);
  co_return bytes.ok() ? std::string(bytes->view()) : std::string("?");
}

inline Task<void> write(Host* host, FileId file, uint64_t offset, std::string bytes) {
  Result<void> done = co_await host->disk().write_at(file, offset, Buffer::copy_of(bytes));
  EXPECT_TRUE(done.ok()) << shown(done);
}

}  // namespace ringside::conformance
