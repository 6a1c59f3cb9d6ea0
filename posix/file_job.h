// FileJob: one disk call on its way through the kernel. It owns everything that the kernel or a
// pool thread touches, so that the caller's frame may die meanwhile. Either the io_uring or
// `perform` on a pool thread carries it out.
// OpenFiles: which files a process has open, known by what they are and not by their names. The
// loop's thread changes it, pool threads look.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/disk.h"
#include "runtime/list.h"

namespace ringside::posix {

// Closes the descriptor when the last call that uses it has ended.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class OpenFiles {
 public:
  using Key = std::pair<uint64_t, uint64_t>;  // device and inode
  bool has(Key key) const;
  bool add(Key key);  // false when it is there already
  void remove(Key key);

 private:
  mutable std::mutex mutex_;
  std::set<Key> keys_;
};

struct FileJob : Link {
  using Kind = DiskCall::Kind;

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_done(FileJob& job) = 0;
  };

  Owner* owner = nullptr;                 // null while the job is idle
  DiskCall* call = nullptr;               // null once the caller gave up
  bool finished = false;                  // no thread and no kernel touches it any more
  const OpenFiles* open_files = nullptr;  // of the owner, for kOpen

  // The question.
  Kind kind = Kind::kSpace;
  uint8_t flags = 0;
  std::shared_ptr<Descriptor> file;  // of kinds that name a file
  std::shared_ptr<Descriptor> root;  // of kinds that name a path
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string path, to;
  Buffer data;

  // The answer: `error` is an errno.
  int error = 0;
  uint64_t moved = 0;  // bytes read or written so far
  Buffer bytes;
  uint64_t number = 0;
  std::shared_ptr<Descriptor> opened;
  OpenFiles::Key opened_key = {};
  std::vector<std::string> names;

  // The ring reads into a buffer that is there; a read without one asks first how much there is.
  bool wants_ring() const {
    return (kind == Kind::kRead && !bytes.empty()) || kind == Kind::kWrite || kind == Kind::kSync;
  }
  // What is left to move.
  char* position() {
    return kind == Kind::kRead ? bytes.mutable_data() + moved : data.mutable_data() + moved;
  }
  uint64_t left() const { return (kind == Kind::kRead ? bytes.size() : data.size()) - moved; }
  // Takes the kernel's answer to one step (a count, or -errno); true when the job is finished.
  bool step(int64_t result);
  // Does it all, blocking.
  void perform();
  // As new, and owned by nobody; strings keep their room.
  void reset();
};

}  // namespace ringside::posix
