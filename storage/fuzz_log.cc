// Recovery over hostile files in log/: up to four segments of whole pages, with checksums that fit
// when the input asks for them. Recovers under both policies, writes on, and reads the stream.

#include <algorithm>
#include <utility>

#include "runtime/fuzz.h"
#include "storage/format.h"
#include "storage/log.h"
#include "storage/log_recovery.h"
#include "storage/test_host.h"

namespace ringside {
namespace {

class CountingSink final : public BatchSink {
 public:
  void replay(Lsn lsn, std::string_view batch, bool proven) override {
    CHECK(lsn > last_);
    last_ = lsn;
    if (!proven) again.emplace_back(batch);
  }
  std::vector<std::string> again;

 private:
  Lsn last_ = 0;
};

Task<Result<void>> create_segments(Host& host, std::vector<std::string> files) {
  Result<void> done = co_await host.disk().make_directory("log");
  uint32_t slot = 1;
  for (const std::string& bytes : files) {
    Result<FileId> file = co_await host.disk().open(log_file_name("log", slot++), Disk::kCreate);
    CHECK(file.ok());
    done = co_await host.disk().write_at(*file, 0, Buffer::copy_of(bytes));
    if (done.ok()) done = co_await host.disk().close(*file);
  }
  co_return done;
}

Task<void> recover_and_go_on(Host& host, LostLog policy, EngineStats& stats,
                             std::unique_ptr<Log>& log, DurableMark& mark) {
  CountingSink sink;
  Result<LogRecovery> recovered =
      co_await recover_log(host, "log", 0, sink, {.cipher = nullptr, .lost = policy});
  if (!recovered.ok()) co_return;
  mark.advance(recovered->start.next_lsn - 1);
  LogOptions options{
      .directory = "log", .segment_bytes = 4 * kPageBytes, .archive_bytes_max = 8 * kPageBytes};
  log = std::make_unique<Log>(host, options, mark, stats, std::move(recovered->start));
  log->append_again(sink.again);
  CHECK(log->last() == recovered->end);
  const Lsn mine = log->append("a batch");
  Result<void> held = co_await mark.wait(mine);
  CHECK(held.ok());
  Result<std::vector<LoggedBatch>> found = co_await log->read(mine - 1);
  CHECK(found.ok() && found->size() == 1 && found->front().batch == "a batch");
  found = co_await log->read(0, {.batches_max = 100});
  log->recycle(mine - 1);
}

// So that what is behind the checksums is met, too.
void fit_checksums(std::string& bytes) {
  for (std::size_t at = 0; at + kLogHeaderBytes <= bytes.size(); at += kPageBytes) {
    char* page = bytes.data() + at;
    if (load<uint32_t>(page) != kLogMagic) continue;
    const auto seed = load<uint64_t>(page);
    const std::size_t room = bytes.size() - at - kLogHeaderBytes;
    const std::size_t payload = std::min<std::size_t>(load<uint32_t>(page + 60), room);
    store(page + 64, hash_bytes({page + kLogHeaderBytes, payload}, seed));
    store(page + 8, hash_bytes({page + 16, kLogHeaderBytes - 16}, seed));
  }
}

std::string segment(uint64_t id, Lsn first, int groups, Lsn lag) {
  std::string bytes;
  for (int i = 0; i < groups; ++i) {
    LogGroup group(first, 0);
    group.append("batch " + std::to_string(first));
    group.append(std::string(40, 'x'));
    const Lsn durable = first - std::min(first, lag);
    bytes += std::move(group)
                 .finish({.segment = id, .life = id, .durable = durable}, nullptr, bytes.size())
                 .view();
    first += 2;
  }
  return bytes;
}

std::string input(char files, char fit, const std::string& bytes) {
  return std::string{files, fit} + bytes;
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  const std::string two = segment(1, 1, 3, 1) + segment(2, 7, 3, 1);
  const std::string overlapping = segment(1, 1, 3, 1) + segment(2, 5, 3, 1);
  const std::string unsynced =
      segment(1, 1, 2, 100) + segment(2, 9, 2, 100) + segment(3, 5, 2, 100);
  const std::string stale = segment(5, 9, 1, 1) + segment(2, 3, 2, 1) + segment(4, 5, 3, 1);
  std::vector<std::string> seeds;
  for (const char fit : {0, 1}) {
    seeds.push_back(input(1, fit, two));
    seeds.push_back(input(2, fit, two));
    seeds.push_back(input(2, fit, overlapping));
    seeds.push_back(input(3, fit, unsynced));
    seeds.push_back(input(2, fit, stale));
    seeds.push_back(input(4, fit, std::string(5 * kPageBytes, '\0')));
  }
  return seeds;
}

}  // namespace ringside

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringside;
  if (size < 2) return 0;
  const std::size_t count = data[0] % 4 + 1;
  std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[1] != 0) fit_checksums(bytes);
  const std::size_t pages = (bytes.size() / kPageBytes + count - 1) / count;
  std::vector<std::string> files;
  for (std::size_t at = 0; at < bytes.size(); at += std::max<std::size_t>(pages, 1) * kPageBytes)
    files.push_back(bytes.substr(at, std::max<std::size_t>(pages, 1) * kPageBytes));
  for (const LostLog policy : {LostLog::kRefuse, LostLog::kReport}) {
    TestHost host;
    CHECK(host.run(create_segments(host, files)).ok());
    EngineStats stats;
    DurableMark mark(host.ready());
    std::unique_ptr<Log> log;
    host.spawn(recover_and_go_on(host, policy, stats, log, mark));
    host.run_until_idle();
    host.end_tasks();
  }
  return 0;
}
