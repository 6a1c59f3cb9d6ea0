// Disk: files that can fail. Every call is asynchronous and may return an Error. Paths are relative
// to the process's own directory, '/' separates, and parents must exist (make_directory). `sync`
// covers exactly the writes that completed before it was called; a new name (open that creates,
// rename, remove) lasts only after `sync_directory` of its directory. After a failed sync nothing
// is known of the data: do not sync again, poison and restart. After a failed write the bytes that
// it covered are old or new, and a file that would have grown may have grown by a part of it; other
// bytes are as they were. One file, one open handle: a second open is kInvalid and changes nothing.
// The room of a removed file is free again once it is closed and its directory was synced; pages
// that were never written may take room or none.
//
// Paths that are none ("/a", "a/", "a//b", "..", a name above kNameBytesMax) are kInvalid, as is a
// directory where a file is meant; a missing parent, or a file in its place, is kNotFound.
//
//   Result<FileId> file = co_await disk.open("log/000001", Disk::kCreate);
//   Result<void> done = co_await disk.write_at(*file, 0, bytes);
//   if (done.ok()) done = co_await disk.sync(*file);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/ready.h"
#include "runtime/result.h"

namespace ringside {

using FileId = uint32_t;                      // never 0
inline constexpr uint64_t kPageBytes = 4096;  // what power loss keeps, drops or garbles as one
inline constexpr uint64_t kSectorBytes = 512;
inline constexpr uint64_t kFileBytesMax = uint64_t{1} << 43;  // growing further is kInvalid
inline constexpr std::size_t kNameBytesMax = 255;
inline constexpr std::size_t kPathBytesMax = 4095;

// Whether it is a path at all: relative, of plain names. "" is the process's own directory.
bool valid_disk_path(std::string_view path);

class Disk;

// A call in flight: the question, and room for the answer. Lives in the caller's frame; the host
// copies what it needs when the call starts, and forgets a call whose frame was destroyed (what it
// asked for may still happen).
class DiskCall {
 public:
  enum class Kind : uint8_t {
    kOpen,
    kClose,
    kRead,
    kWrite,
    kSync,
    kTruncate,
    kSize,
    kRename,
    kRemove,
    kList,
    kMakeDirectory,
    kSyncDirectory,
    kSpace
  };

  DiskCall(Disk& disk, Kind what) : kind(what), disk_(disk) {}
  DiskCall(const DiskCall&) = delete;
  DiskCall& operator=(const DiskCall&) = delete;
  ~DiskCall();

  // The question.
  Kind kind;
  uint8_t flags = 0;
  FileId file = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  Buffer data;       // kWrite; the host may move it out
  std::string path;  // of the file or directory
  std::string to;    // kRename

  // The answer: `error` when `failed`, otherwise what the kind returns.
  bool failed = false;
  Error error;
  FileId opened = 0;
  Buffer bytes;
  uint64_t number = 0;
  std::vector<std::string> names;

  // For the host: set while the call is in flight; `complete` is a host completion and resumes the
  // caller.
  uint64_t slot = 0;
  bool in_flight = false;
  void complete() {
    in_flight = false;
    caller_.resume();
  }
  void fail(Code code, std::string message) {
    failed = true;
    error = Error{code, std::move(message)};
  }

 protected:
  void begin(std::coroutine_handle<> caller);

 private:
  Disk& disk_;
  std::coroutine_handle<> caller_;
};

struct DiskArguments {
  FileId file = 0;
  uint8_t flags = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  Buffer data = {};
  std::string path = {};
  std::string to = {};
};

// The awaiter of one call. T: void, FileId, Buffer, uint64_t or names.
template <class T>
class [[nodiscard]] DiskAwaiter : public DiskCall {
 public:
  DiskAwaiter(Disk& disk, Kind what, DiskArguments arguments);
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> caller) { begin(caller); }
  Result<T> await_resume() {
    if (failed) return std::move(error);
    if constexpr (std::is_void_v<T>)
      return {};
    else if constexpr (std::is_same_v<T, FileId>)
      return opened;
    else if constexpr (std::is_same_v<T, uint64_t>)
      return number;
    else if constexpr (std::is_same_v<T, Buffer>)
      return std::move(bytes);
    else
      return std::move(names);
  }
};

class Disk {
 public:
  static constexpr uint8_t kCreate = 1;    // open: make the file when it is not there
  static constexpr uint8_t kTruncate = 2;  // open: empty it

  virtual ~Disk() = default;

  // For DiskCall alone. `start` never completes the call before it returns.
  virtual void start(DiskCall& call) = 0;
  virtual void abandon(DiskCall& call) = 0;

  // kNotFound when it is not there and kCreate is not given.
  DiskAwaiter<FileId> open(std::string path, uint8_t flags = 0);
  DiskAwaiter<void> close(FileId file);
  // Up to `length` bytes; fewer only at the end of the file.
  DiskAwaiter<Buffer> read_at(FileId file, uint64_t offset, uint64_t length);
  DiskAwaiter<void> write_at(FileId file, uint64_t offset, Buffer data);
  DiskAwaiter<void> sync(FileId file);
  DiskAwaiter<void> truncate(FileId file, uint64_t length);
  DiskAwaiter<uint64_t> size(FileId file);
  // Of a file, open or not. Replaces `to` when it is there.
  DiskAwaiter<void> rename(std::string from, std::string to);
  DiskAwaiter<void> remove(std::string path);
  // Names in the directory, sorted, without the directory's own path. kNotFound when there is no
  // such directory.
  DiskAwaiter<std::vector<std::string>> list(std::string directory);
  DiskAwaiter<void> make_directory(
      std::string directory);  // fine when it is there; kExists: a file
  DiskAwaiter<void> sync_directory(std::string directory);  // "" is the process's own
  DiskAwaiter<uint64_t> space();                            // free bytes
};

inline DiskCall::~DiskCall() {
  if (in_flight) disk_.abandon(*this);
}
inline void DiskCall::begin(std::coroutine_handle<> caller) {
  caller_ = caller;
  in_flight = true;
  disk_.start(*this);
}

}  // namespace ringside
