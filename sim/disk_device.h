// DiskDevice: one machine's disk. It executes a process's DiskCalls over the machine's image:
// computes when a call is done (model, queue, keyed draws), and lets it take effect at that moment.
// `sync` covers exactly the writes that completed before it was called. The world supplies time and
// events:
//
//   disk.start(call)    → device.submit(now, call), which calls schedule(at, id) before it returns
//   the event (at, id)  → DiskCall* call = device.complete(id): the effect has happened and the
//   answer is filled in; the
//                         world calls call->complete() when it hands the completion to the process.
//                         Null: nobody waits (abandoned, or an event of a process that died:
//                         nothing happened then).
//   disk.abandon(call)  → device.abandon(call); what the call asked for still happens.
//   process dies        → device.process_died(draw), then device.power_loss(draw) where the machine
//   stops too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/disk.h"
#include "runtime/time.h"
#include "sim/disk_image.h"
#include "sim/disk_model.h"
#include "sim/disk_trouble.h"
#include "sim/draw.h"

namespace ringside::sim {

struct DiskFault;

class DiskEvents {
 public:
  // `id` comes back through DiskDevice::complete at `at`, which is never before now.
  virtual void schedule(Time at, uint64_t id) = 0;

 protected:
  ~DiskEvents() = default;
};

class DiskDevice {
 public:
  // `key` is the hash of (seed, purpose "disk", machine). `events` outlives the device.
  DiskDevice(const DiskModel& model, uint64_t key, DiskEvents& events);

  void submit(Time now, DiskCall& call);
  DiskCall* complete(uint64_t id);
  void abandon(DiskCall& call);

  // Calls in flight are drawn done or not, in the order of submission; completions are never
  // delivered; nothing is open.
  void process_died(Draw& draw);
  void power_loss(Draw& draw) { image_.power_loss(draw, model_.power_loss); }

  // Troubles, by an id that the caller gives. They strike calls as they take effect, and slow down
  // those that are asked while they last.
  void begin_trouble(uint64_t id, Time now, const DiskTrouble& trouble) {
    troubles_.begin(id, now, trouble);
  }
  bool end_trouble(uint64_t id) { return troubles_.end(id); }
  bool clear_troubles() { return troubles_.clear(); }
  // DiskImage::rot, drawn by the disk, the time, the files and the number of flips.
  uint64_t rot(Time now, std::string_view files, uint64_t flips);
  // DiskImage::mend.
  bool mend();

  // Another key for what is drawn from now on; what is on the medium stays.
  void reseed(uint64_t key) {
    key_ = key;
    troubles_.reseed(key);
  }

  const DiskImage& image() const { return image_; }
  // Only while no process runs.
  void set_image(DiskImage image);
  const DiskModel& model() const { return model_; }
  const DiskCounters& counters() const { return counters_; }
  uint32_t in_flight() const { return in_flight_; }

 private:
  // What the device keeps of a call, since the caller's frame may be gone when it is done.
  struct Slot {
    DiskCall* call = nullptr;
    DiskCall::Kind kind = DiskCall::Kind::kRead;
    uint8_t flags = 0;
    bool busy = false;
    FileId file = 0;
    uint32_t generation = 0;
    uint32_t next_free = 0;
    uint64_t sequence = 0;
    Time asked_at = 0;
    uint64_t nth = 0;  // of its moment
    uint64_t offset = 0;
    uint64_t length = 0;
    DiskImage::Mark mark = 0;  // syncs: what had completed when it was called
    Buffer data;
    std::string path;
    std::string to;
  };
  // What a call brings back.
  struct Answer {
    Error error;
    bool failed = false;
    FileId opened = 0;
    Buffer bytes;
    uint64_t number = 0;
    std::vector<std::string> names;
  };

  uint32_t take_slot();
  void free_slot(uint32_t index);

  // disk_timing.cc: when a call is done.
  Duration latency(const Slot& slot) const;
  Time completion_time(Time now, Slot& slot);
  Time after_stalls(Time start, uint64_t bytes_written);

  // What becomes of a call, now.
  void perform(Slot& slot, Answer& answer) {
    if (troubles_.any()) [[unlikely]] {
      perform_in_trouble(slot, answer);
    } else {
      apply(slot, answer);
    }
  }

  // disk_apply.cc: done to the image.
  void apply(Slot& slot, Answer& answer);
  void apply_open(Slot& slot, Answer& answer);
  void apply_write(Slot& slot, Answer& answer);
  bool may_write(const Slot& slot, Answer& answer) const;
  uint64_t free_bytes() const;
  // Whether the file may grow to `size`.
  bool has_room(InodeId file, uint64_t size) const;
  InodeId opened(FileId file) const;
  void close_file(FileId file);

  // disk_faulty.cc: what a faulty device does instead.
  void perform_in_trouble(Slot& slot, Answer& answer);
  void perform_read(Slot& slot, Answer& answer, std::string_view path);
  void perform_write(Slot& slot, Answer& answer, std::string_view path);
  void perform_sync(Slot& slot, Answer& answer, std::string_view path);
  void count(const DiskFault& fault);
  // Whether the fault strikes the call; `draw` goes on with what it does then.
  bool strikes(const DiskFault& fault, const Slot& slot, std::string_view path, Draw& draw);
  // The same, with its error.
  bool fails(const DiskFault& fault, const Slot& slot, std::string_view path, Answer& answer);

  DiskModel model_;
  uint64_t key_;
  DiskEvents& events_;
  DiskImage image_;
  DiskCounters counters_;
  DiskTroubles troubles_;
  std::vector<Slot> slots_;
  uint32_t first_free_ = kNoSlot;
  uint32_t in_flight_ = 0;
  uint64_t sequence_ = 0;
  struct OpenFile {
    InodeId inode = kNoInode;  // kNoInode: closed
    std::string path;
  };
  std::vector<OpenFile> open_;  // by FileId - 1; never reused while the process lives
  std::vector<Time> channels_;  // a heap of the times at which the places of the queue fall free
  Time pipe_free_ = 0;
  // Stalls: those of the past are not remembered.
  bool stalls_by_time_ = false;
  uint64_t bytes_to_stall_ = 0;
  uint64_t stalls_by_bytes_ = 0;
  Time stalled_until_ = 0;
  uint64_t stall_windows_ = 0;
  Time window_begin_ = 0;
  Time window_end_ = 0;
  Time drawn_at_ = -1;  // draws are keyed by time and the order within it
  uint64_t drawn_nth_ = 0;

  static constexpr uint32_t kNoSlot = ~0u;
};

}  // namespace ringside::sim
