// DataDirectory: where one process keeps its files. It is locked for as long as it is open, so that
// no second process works on it, and carries a mark of whose data it holds. What is not ours is
// left alone.
//
//   DIR/LOCK      held with flock
//   DIR/RINGSIDE  "ringside data 1\nnode 3\n": the format's version and the owner
//   DIR/files/    what the Disk shows
#pragma once

#include <memory>
#include <string>

#include "posix/file_job.h"
#include "runtime/result.h"

namespace ringside::posix {

class DataDirectory {
 public:
  // Makes what is missing, the parents too. Errors are kInvalid and one line for people.
  static Result<DataDirectory> open(const std::string& path, const std::string& owner);
  // To read what no process works on: makes and changes nothing, and keeps servers out meanwhile.
  // kNotFound: it is none.
  static Result<DataDirectory> open_to_read(const std::string& path);

  // Null of one that is open to read.
  std::shared_ptr<Descriptor> files() const { return files_; }
  const std::string& owner() const { return owner_; }

 private:
  std::shared_ptr<Descriptor> lock_;
  std::shared_ptr<Descriptor> files_;
  std::string owner_;
};

}  // namespace ringside::posix
