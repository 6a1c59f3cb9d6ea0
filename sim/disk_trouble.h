// DiskTrouble: what is wrong with one disk for a while, as a plain struct, all off by default.
// Shares are chances a call, from 0 to 1. Several troubles of one disk overlap: their shares
// combine as independent chances, what is true of one is true, and factors multiply. Whether a
// trouble strikes a call is drawn by (disk, moment at which it was asked, kind of call, n-th of
// that moment, kind of trouble), so that a trouble moves no draw of another disk, of another kind,
// or of the disk's own latencies, and one that strikes nothing moves nothing.
//
// What a node can find out: errors come as Code::kIo or Code::kNoSpace, and what was read wrong or
// written to the wrong place does not fit its checksum. What one node alone cannot: syncs that lied
// or were forgotten, and an older image. InjectedFaults counts them apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/time.h"

namespace ringside::sim {

struct DiskTrouble {
  // Of read_at; of write_at and truncate; of sync and sync_directory. The call fails with kIo and
  // has no effect at all: a later sync covers what a failed one did not.
  double read_error = 0;
  double write_error = 0;
  double sync_error = 0;
  // The next sync of a file fails, once, and the pages that it covered count as clean from then on
  // though they are not durable: later syncs say ok and do not cover them, and a power loss takes
  // them back for sure. A page that is written again is dirty again, and whole.
  bool sync_fails_once = false;
  // Of sync and sync_directory: says ok and makes nothing durable. An honest sync later covers it.
  double sync_lies = 0;
  // The same, of sync_directory alone: what is in the files lasts, their names do not.
  double name_sync_lies = 0;
  // Of read_at: fewer bytes than asked and there, from none up.
  double short_read = 0;
  // Of read_at and write_at: the call goes to another place of the file, whole pages away. A read
  // returns those bytes; a write lands there and not where it should, until DiskImage::mend. A call
  // that fits nowhere else in the file is left alone.
  double misdirected_read = 0;
  double misdirected_write = 0;
  // Of read_at: one bit of what comes back is flipped; the medium is fine.
  double rot_on_read = 0;
  bool full = false;  // no space for anything that grows
  bool dead = false;  // every call fails with kIo and has no effect
  double slower = 1;  // every call takes so many times as long, its waiting aside
  // A gray disk: good and bad states by turns, exponential with these means; in the bad ones calls
  // take `bad_slower` times as long. Off when both means are 0. It begins in a drawn state and
  // changes with time alone, whatever is asked of the disk.
  Duration good_mean = 0;
  Duration bad_mean = 0;
  double bad_slower = 1;
  // All but full, dead, slower and gray strike only files whose path at their opening (directories:
  // their path) contains this. Empty: all.
  std::string files;
};

// "read errors 0.1 %, dead, in files *log*": for people and logs.
std::string describe(const DiskTrouble& trouble);

// Faults that took effect, by kind.
struct InjectedFaults {
  uint64_t read_errors = 0, write_errors = 0, sync_errors = 0;
  uint64_t dead_calls = 0, full_calls = 0;
  uint64_t short_reads = 0, misdirected_reads = 0, rotted_reads = 0;
  uint64_t misdirected_writes = 0;
  uint64_t rotted = 0;  // bits of the medium
  uint64_t slowed = 0;  // calls that took longer
  uint64_t mended = 0;  // times that faults were taken back
  // Nothing that one node alone could notice.
  uint64_t syncs_lied = 0, syncs_forgotten = 0, images_replaced = 0;
};

struct DiskCounters {
  uint64_t reads = 0, writes = 0, syncs = 0, metadata = 0;
  uint64_t bytes_read = 0, bytes_written = 0;
  uint64_t failed = 0;
  uint64_t drawn_applied = 0, drawn_lost = 0;  // calls in flight when the process died
  uint64_t stalled = 0;                        // calls that waited for a stall
  Duration stalled_for = 0;                    // all of them together
  InjectedFaults injected;
};

// The troubles of one disk at a time.
class DiskTroubles {
 public:
  explicit DiskTroubles(uint64_t key) : key_(key) {}

  // Another key for what is drawn from now on; a gray disk's present state lasts as it would.
  void reseed(uint64_t key);

  bool any() const { return !active_.empty(); }
  // Checked: shares from 0 to 1, factors not negative, both means of a gray disk or none.
  void begin(uint64_t id, Time now, const DiskTrouble& trouble);
  bool end(uint64_t id);  // false when it is not here
  bool clear();           // false when there was none

  // The chance that a call on `path` is struck.
  double chance(double DiskTrouble::* share, std::string_view path) const;
  bool dead() const { return has(&DiskTrouble::dead); }
  bool full() const { return has(&DiskTrouble::full); }
  // Whether the sync of `path` is the one that fails once.
  bool take_sync_failure(std::string_view path);
  // How many times as long a call takes that is asked at `now`, which does not go back by more than
  // a state lasts.
  double factor(Time now);

 private:
  struct Active {
    uint64_t id;
    DiskTrouble trouble;
    Time begun;
    bool sync_failed = false;
    uint64_t key;  // of the gray states
    uint64_t states = 0;
    bool bad = false;
    Time until = 0;  // of this state
  };

  bool has(bool DiskTrouble::* what) const;
  static void change_state(Active& active);

  uint64_t key_;
  std::vector<Active> active_;
};

}  // namespace ringside::sim
