// FileImage: LevelDB's files, in memory, and the changes of them that the disk has not seen yet, in
// the order in which LevelDB made them. LevelDB calls and waits; the engine around it then makes
// the changes on the Disk, one by one, so that a crash leaves what LevelDB would have left.
// Background work is queued, too, and run by the same thread after the call that asked for it.
#pragma once

#include <leveldb/env.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/time.h"

namespace ringside {

struct FileOperation {
  enum class Kind : uint8_t {
    kCreate,  // or empty
    kWrite,
    kSync,
    kClose,
    kRename,
    kRemove,
    kSyncDirectory,
  };
  Kind kind;
  std::string path;  // of the file or the directory
  std::string to;    // kRename
  uint64_t offset = 0;
  std::string data;
};

// When a name is made durable. The Disk keeps each change of a name or loses it, by itself, until
// its directory is synced; LevelDB was written for file systems that promise more.
enum class NameSyncs : uint8_t {
  // Before a manifest is synced, and at no other time: what LevelDB asks of a POSIX system.
  kAsPosix,
  // Also before a new file is synced for the first time, and after a rename: what a file system
  // does that journals names in order (ext4), and LevelDB counts on.
  kAsJournal,
};

class FileImage final : public leveldb::Env {
 public:
  FileImage(std::string directory, NameSyncs name_syncs)
      : directory_(std::move(directory)), name_syncs_(name_syncs) {}

  // What the disk held at the start; no operation.
  void load(const std::string& name, std::string bytes);
  // Of the files now: in the order of names, without the directory's own path.
  std::vector<std::string> names() const;
  uint64_t bytes(const std::string& name) const;

  std::optional<FileOperation> take();
  std::size_t operations() const { return operations_.size(); }

  // Runs what is scheduled, and what that schedules, until nothing is left.
  void run_background();
  void set_now(Time now) { now_ = now; }

  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  bool FileExists(const std::string& path) override { return files_.contains(path); }
  leveldb::Status GetChildren(const std::string& directory,
                              std::vector<std::string>* names) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status CreateDir(const std::string&) override { return {}; }  // the engine has made it
  leveldb::Status RemoveDir(const std::string&) override { return {}; }
  leveldb::Status GetFileSize(const std::string& path, uint64_t* size) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  // One process has the directory; nothing to lock.
  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  void Schedule(void (*function)(void*), void* argument) override;
  void StartThread(void (*function)(void*), void* argument) override;
  leveldb::Status GetTestDirectory(std::string* path) override;
  leveldb::Status NewLogger(const std::string& path, leveldb::Logger** logger) override;
  uint64_t NowMicros() override { return static_cast<uint64_t>(now_ / kMicrosecond); }
  void SleepForMicroseconds(int) override {}

 private:
  class Reader;
  class Sequence;
  class Writer;

  void add(FileOperation operation) { operations_.push_back(std::move(operation)); }

  std::string directory_;
  NameSyncs name_syncs_;
  // A file that was removed lives on for those who have it open.
  std::map<std::string, std::shared_ptr<std::string>> files_;
  std::deque<FileOperation> operations_;
  struct Work {
    void (*function)(void*);
    void* argument;
  };
  std::deque<Work> background_;
  Time now_ = 0;
};

// LevelDB's messages, for nobody.
class NullLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

}  // namespace ringside
