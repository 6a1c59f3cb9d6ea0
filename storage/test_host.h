// TestHost: the least Host that an engine runs on. Disk calls complete in order when the host is
// pumped; virtual time moves only when nothing else is left. It can fail calls, kill what runs on
// it, and lose power: then every unsynced page is kept, dropped or turned into garbage, and names
// that no directory sync covered may vanish.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "runtime/maybe_task.h"

namespace ringside {

class TestDisk final : public Disk {
 public:
  explicit TestDisk(uint64_t seed) : random_(seed) {}

  void start(DiskCall& call) override;
  void abandon(DiskCall& call) override;

  bool pump();  // completes the oldest call; false when there is none
  // Sees every call of a living process before it is carried out, with the path of its file, and
  // may change it. True: it has answered the call, and nothing else happens.
  using Tamper = std::function<bool(DiskCall& call, const std::string& path)>;
  void set_tamper(Tamper tamper) { tamper_ = std::move(tamper); }
  void carry_out(DiskCall& call) { perform(call); }
  // The file's pages count as clean and have not reached the medium: what a failed sync leaves.
  void forget_unsynced(const std::string& path);
  // Everything of the file has reached the medium, synced or not.
  void settle(const std::string& path);
  std::size_t pending() const { return calls_.size(); }
  // What becomes of what was not synced: of every page and every name, drawn one by one unless
  // told. kTorn: of every sector of a page, the old or the new one.
  enum class Fate : uint8_t { kDrawn, kKept, kDropped, kGarbage, kTorn };
  void power_loss(Fate pages = Fate::kDrawn, Fate names = Fate::kDrawn);
  // Whether what a dead process had in flight happens: drawn, kKept or kDropped.
  void set_abandoned(Fate fate) { abandoned_ = fate; }
  // Whether a power loss may turn a page that holds unsynced bytes into garbage, synced ones too.
  void set_garbage(bool garbage) { garbage_ = garbage; }
  // The process ended: its handles are gone.
  void close_all() { open_.clear(); }

  // A file's bytes, to look at or to damage. CHECKs that it is there.
  std::string& bytes(const std::string& path);
  std::vector<std::string> paths() const;
  bool exists(const std::string& path) const { return names_.contains(path); }
  // A power loss would take nothing of it.
  bool lasts(const std::string& path) const;
  // The medium itself: a file as it lies there from now on, or its name gone.
  void replace(const std::string& path, std::string bytes);
  void erase(const std::string& path);
  // What power losses and kills draw from now on.
  void reseed(uint64_t seed) { random_ = Random(seed); }
  // Fails the n-th call of this kind from now on (0: the next one).
  void fail(DiskCall::Kind kind, Code code, uint64_t n = 0) { failures_[kind] = {code, n}; }
  void fail_not(DiskCall::Kind kind) { failures_.erase(kind); }
  // The n-th sync from now on fails and forgets what it was to write: later ones report success,
  // and a power loss takes it.
  void forget_at_sync(uint64_t n = 0) { forget_at_sync_ = syncs + n + 1; }
  // Writes to log segments are acknowledged and forgotten: for measuring what the engine itself
  // costs.
  void set_discard_writes(bool discard) { discard_writes_ = discard; }
  // The next read at `from`, of any file, gives what is at `to`.
  void misdirect_read(uint64_t from, uint64_t to) { misdirected_ = {from, to}; }
  void set_free_bytes(uint64_t bytes) { free_bytes_ = bytes; }

  uint64_t performed = 0;  // calls of living processes that were carried out, well or not
  uint64_t calls = 0, reads = 0, bytes_read = 0, writes = 0, syncs = 0, directory_syncs = 0;

 private:
  struct File {
    std::string bytes;
    std::string synced;
    std::set<uint64_t> dirty;  // pages
    bool log = false;
    std::string path;  // when it was last opened or renamed
  };
  struct Failure {
    Code code;
    uint64_t after;
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;

  // A change of names that no directory sync has covered: a new file, a rename (one step), a
  // removal. It lasts only with what came before it under the same names.
  struct NameChange {
    std::string path;
    std::string to;              // of a rename
    std::shared_ptr<File> file;  // null: removed
    bool touches(const NameChange& other) const;
  };

  void perform(DiskCall& call);
  void sync_names(const std::string& directory);
  static void apply_names(const NameChange& change, Names& names);
  void write(File& file, uint64_t offset, std::string_view data);
  void lose_pages(File& file, Fate pages);

  Random random_;
  std::deque<DiskCall*> calls_;
  Names names_;
  Names synced_names_;
  std::vector<NameChange> unsynced_names_;  // in order; names_ has them, synced_names_ not
  std::set<std::string> directories_;
  std::map<FileId, std::shared_ptr<File>> open_;
  std::map<DiskCall::Kind, Failure> failures_;
  Tamper tamper_;
  FileId next_file_ = 1;
  Fate abandoned_ = Fate::kDrawn;
  uint64_t forget_at_sync_ = 0;
  uint64_t free_bytes_ = uint64_t{1} << 40;
  bool discard_writes_ = false;
  std::optional<std::pair<uint64_t, uint64_t>> misdirected_;
  bool garbage_ = true;
};

class TestHost final : public Host, private Clock, private Network, private Cpu, private Trace {
 public:
  explicit TestHost(uint64_t seed = 1) : seed_(seed), disk_(seed), scope_(ready_) {}
  ~TestHost() { kill(); }

  Clock& clock() override { return *this; }
  Network& network() override { return *this; }
  TestDisk& disk() override { return disk_; }
  Random& random(std::string_view stream) override;
  Cpu& cpu() override { return *this; }
  Trace& trace() override { return *this; }
  ReadyList& ready() override { return ready_; }
  void spawn(Task<void> task) override { scope_.spawn(std::move(task)); }
  void abort(std::string_view why) override { aborted_ = why; }

  // A timer that is due, or one completion, or else the next timer; false when nothing is left.
  bool step();
  void run_until_idle() {
    while (step()) {
    }
  }
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    scope_.spawn(keep(std::move(task), result));
    ready_.drain();
    while (!result && step()) {
    }
    CHECK(result.has_value());
    return *std::move(result);
  }
  template <class T>
  T run(MaybeTask<T> task) {
    return run(wait_for(std::move(task)));
  }
  void end_tasks() { scope_.cancel(); }
  // The wall clock stands still from now on, apart from `clock().now()`.
  void set_wall(int64_t wall) { wall_ = wall; }
  // The process dies: its tasks are destroyed; the caller has destroyed what else it owned.
  void kill();

  const std::string& aborted() const { return aborted_; }
  uint64_t probes(const std::string& name) const {
    return probes_.contains(name) ? probes_.at(name) : 0;
  }

 private:
  template <class T>
  static Task<T> wait_for(MaybeTask<T> task) {
    co_return co_await task;
  }
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }

  Time now() override { return now_; }
  Time wall() override { return wall_.value_or(now_); }
  void start(Timer& timer, Time at) override;
  void cancel(Timer& timer) override;
  NodeId self() const override { return 1; }
  void attach(FrameHandler*) override {}
  bool send(Frame) override { return false; }
  void when_writable(NodeId, Waiter&) override {}
  Result<void> learn(NodeId, std::string_view) override { return {}; }
  std::string address() const override { return "test"; }
  void charge(uint64_t units) override { charged_ += units; }
  uint64_t charged() const override { return charged_; }
  void probe(std::string_view name) override { ++probes_[std::string(name)]; }
  void event(const TraceEvent&) override {}

  uint64_t seed_;
  uint64_t incarnation_ = 0;
  Time now_ = 0;
  std::optional<Time> wall_;
  uint64_t next_timer_ = 0;
  uint64_t charged_ = 0;
  std::map<std::pair<Time, uint64_t>, Timer*> timers_;
  std::map<std::string, Random, std::less<>> streams_;
  std::map<std::string, uint64_t> probes_;
  std::string aborted_;
  ReadyList ready_;
  TestDisk disk_;
  Scope scope_;
};

}  // namespace ringside
