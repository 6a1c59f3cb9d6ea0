#include "posix/data_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ringside::posix {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kMarkPrefix = "ringside data ";

Error problem(const std::string& path, const std::string& what) {
  return Error{Code::kInvalid, path + ": " + what};
}

std::string mark_of(const std::string& owner) { return "ringside data 1\n" + owner + "\n"; }

// Written beside and renamed, so that a mark is whole or not there.
int write_mark(int directory, const std::string& mark) {
  const Descriptor file(
      openat(directory, "RINGSIDE.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return errno;
  const ssize_t written = write(file.get(), mark.data(), mark.size());
  if (written != static_cast<ssize_t>(mark.size())) return written < 0 ? errno : ENOSPC;
  if (fsync(file.get()) < 0) return errno;
  if (renameat(directory, "RINGSIDE.new", directory, "RINGSIDE") < 0) return errno;
  return fsync(directory) < 0 ? errno : 0;
}

bool holds_something_else(const fs::path& path) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename();
    if (name != "LOCK" && name != "RINGSIDE.new") return true;
  }
  return false;
}

// Whose data it holds. kNotFound: it has no mark.
Result<std::string> read_mark(const std::string& path) {
  std::ifstream file(path + "/RINGSIDE", std::ios::binary);
  if (!file) return Error{Code::kNotFound, path + ": not a data directory of Ringside"};
  char bytes[256] = {};
  file.read(bytes, sizeof bytes - 1);
  const std::string found = bytes;
  if (!found.starts_with(kMarkPrefix))
    return problem(path, "its RINGSIDE file was not written by Ringside");
  if (!found.starts_with("ringside data 1\n"))
    return problem(path, "holds data of another version of Ringside");
  const std::string owner = found.substr(found.find('\n') + 1);
  return owner.substr(0, owner.find('\n'));
}

Result<void> check_mark(const std::string& path, int directory, const std::string& owner) {
  const Result<std::string> theirs = read_mark(path);
  if (!theirs.ok() && theirs.code() == Code::kNotFound) {
    if (holds_something_else(path))
      return problem(path, "holds files that are not Ringside's; give an empty directory");
    const int error = write_mark(directory, mark_of(owner));
    if (error != 0) return problem(path, strerror(error));
    return {};
  }
  if (!theirs.ok()) return theirs.error();
  if (*theirs == owner) return {};
  return problem(path, "holds the data of " + *theirs + ", not of " + owner);
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path, const std::string& owner) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) return problem(path, failed.message());
  const int directory_fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_fd < 0) return problem(path, strerror(errno));
  const Descriptor directory(directory_fd);
  // Somebody else's directory is refused before anything is written to it.
  if (faccessat(directory_fd, "RINGSIDE", F_OK, 0) != 0 && holds_something_else(path)) {
    return problem(path, "holds files that are not Ringside's; give an empty directory");
  }

  DataDirectory opened;
  const int lock_fd = openat(directory_fd, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_fd < 0) return problem(path, strerror(errno));
  opened.lock_ = std::make_shared<Descriptor>(lock_fd);
  if (flock(lock_fd, LOCK_EX | LOCK_NB) < 0) {
    return problem(path, errno == EWOULDBLOCK ? "in use by another server" : strerror(errno));
  }
  const Result<void> ours = check_mark(path, directory_fd, owner);
  if (!ours.ok()) return ours.error();
  opened.owner_ = owner;

  if (mkdirat(directory_fd, "files", 0755) < 0 && errno != EEXIST)
    return problem(path, strerror(errno));
  const int files_fd = openat(directory_fd, "files", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (files_fd < 0) return problem(path, strerror(errno));
  opened.files_ = std::make_shared<Descriptor>(files_fd);
  if (fsync(directory_fd) < 0) return problem(path, strerror(errno));
  return opened;
}

Result<DataDirectory> DataDirectory::open_to_read(const std::string& path) {
  Result<std::string> owner = read_mark(path);
  if (!owner.ok()) return owner.error();
  DataDirectory opened;
  opened.owner_ = *std::move(owner);
  const int lock_fd = ::open((path + "/LOCK").c_str(), O_RDONLY | O_CLOEXEC);
  if (lock_fd < 0 && errno == ENOENT) return opened;  // a copy: no server has been here
  if (lock_fd < 0) return problem(path, strerror(errno));
  opened.lock_ = std::make_shared<Descriptor>(lock_fd);
  if (flock(lock_fd, LOCK_SH | LOCK_NB) < 0)
    return problem(path, errno == EWOULDBLOCK ? "in use by a running server" : strerror(errno));
  return opened;
}

}  // namespace ringside::posix
