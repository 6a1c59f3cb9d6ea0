// RealDisk: the files below one directory; no path leads out of it. Its destructor
// waits for the calls that are in flight, so that nothing of a dead process can land on files that
// its successor has opened.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "posix/file_backend.h"
#include "posix/process.h"
#include "runtime/disk.h"

namespace ringside::posix {

class RealDisk final : public Disk, private FileJob::Owner {
 public:
  // `root` is null for a process without a disk.
  RealDisk(Process& process, std::shared_ptr<Descriptor> root);
  ~RealDisk() override;

  void start(DiskCall& call) override;
  void abandon(DiskCall& call) override;

 private:
  struct File {
    std::shared_ptr<Descriptor> descriptor;
    OpenFiles::Key key;
    std::string path;
  };

  void on_done(FileJob& job) override;
  void settle(FileJob& job);
  bool fill(FileJob& job, DiskCall& call);
  bool fill_file(FileJob& job, DiskCall& call);
  bool refuse(DiskCall& call, Code code, std::string why);
  void fail(DiskCall& call, int error);
  FileJob& take_job();

  Process& process_;
  FileBackend& backend_;
  std::shared_ptr<Descriptor> root_;
  std::unordered_map<FileId, File> files_;
  OpenFiles open_files_;  // their keys
  FileId next_file_ = 1;
  std::vector<std::unique_ptr<FileJob>> jobs_;
  std::vector<FileJob*> idle_jobs_;
};

}  // namespace ringside::posix
