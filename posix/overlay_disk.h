// OverlayDisk: a real directory as a Disk that cannot change it. Files are read where they lie;
// whatever is written, renamed, removed or made stays in memory and ends with the disk. For tools
// that open an engine on what a dead node left: recovery may write as it must. Which names there
// are is looked up once, at the start. Reads block the loop: nothing else is served by it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "posix/file_job.h"
#include "posix/process.h"
#include "runtime/disk.h"

namespace ringside::posix {

class OverlayDisk final : public Disk {
 public:
  // Everything below `directory` is there as `shown_as`/…; symbolic links are not.
  static Result<std::unique_ptr<OverlayDisk>> open(Process& process, const std::string& directory,
                                                   const std::string& shown_as);

  void start(DiskCall& call) override;
  void abandon(DiskCall& call) override;

 private:
  struct File {
    std::string base;                        // where it lies; empty: nowhere
    uint64_t base_bytes = 0;                 // of it, that still count
    std::shared_ptr<Descriptor> descriptor;  // of it, while the file is open
    std::map<uint64_t, std::string> pages;   // written over, by number
    uint64_t size = 0;
    bool open = false;
  };

  explicit OverlayDisk(Process& process) : process_(process) {}
  void deliver();
  void perform(DiskCall& call);
  void perform_on_file(DiskCall& call);
  void open_file(DiskCall& call);
  void rename_file(DiskCall& call);
  void list(DiskCall& call);
  bool has_parent(const std::string& path) const;
  int read_base(const File& file, uint64_t from, uint64_t length, char* to) const;
  std::string* own_page(File& file, uint64_t number, int& error) const;
  void read(const File& file, DiskCall& call) const;
  void write(File& file, DiskCall& call) const;
  int resize(File& file, uint64_t size) const;

  Process& process_;
  std::shared_ptr<Descriptor> root_;  // the real directory
  std::map<std::string, std::shared_ptr<File>> names_;
  std::set<std::string> directories_ = {""};
  std::map<FileId, std::shared_ptr<File>> open_;
  FileId next_file_ = 1;
  std::deque<DiskCall*> calls_;
};

}  // namespace ringside::posix
