#include "posix/file_job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

namespace ringside::posix {
namespace {

int error_of(int result) { return result < 0 ? errno : 0; }

const char* directory_path(const std::string& path) { return path.empty() ? "." : path.c_str(); }

// Emptied only once it is known that nobody has it open.
int open_file(FileJob& job) {
  int how = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
  if (job.flags & Disk::kCreate) how |= O_CREAT;
  const int fd = openat(job.root->get(), job.path.c_str(), how, 0644);
  if (fd < 0) return errno;
  auto opened = std::make_shared<Descriptor>(fd);
  struct stat found;
  if (fstat(fd, &found) < 0) return errno;
  job.opened_key = {found.st_dev, found.st_ino};
  if (job.open_files != nullptr && job.open_files->has(job.opened_key)) return EBUSY;
  if ((job.flags & Disk::kTruncate) != 0 && ftruncate(fd, 0) < 0) return errno;
  job.opened = std::move(opened);
  return 0;
}

int file_size(FileJob& job) {
  struct stat found;
  if (fstat(job.file->get(), &found) < 0) return errno;
  job.number = static_cast<uint64_t>(found.st_size);
  return 0;
}

// For a read that may ask for far more than there is.
int make_room_to_read(FileJob& job) {
  const int error = file_size(job);
  const uint64_t size = std::exchange(job.number, 0);
  if (error == 0 && job.offset < size)
    job.bytes = Buffer::with_size(std::min(job.length, size - job.offset));
  return error;
}

// Of files alone: the seam moves no directories.
int rename_file(FileJob& job) {
  const int root = job.root->get();
  struct stat found;
  if (fstatat(root, job.path.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) return errno;
  if (S_ISDIR(found.st_mode)) return EISDIR;
  return error_of(renameat(root, job.path.c_str(), root, job.to.c_str()));
}

int list_directory(FileJob& job) {
  const int fd =
      openat(job.root->get(), directory_path(job.path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  DIR* directory = fdopendir(fd);
  if (directory == nullptr) {
    const int error = errno;
    close(fd);
    return error;
  }
  errno = 0;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") job.names.push_back(name);
    errno = 0;
  }
  const int error = errno;
  closedir(directory);
  std::sort(job.names.begin(), job.names.end());
  return error;
}

int make_directory(FileJob& job) {
  if (mkdirat(job.root->get(), job.path.c_str(), 0755) == 0) return 0;
  if (errno != EEXIST) return errno;
  struct stat found;
  if (fstatat(job.root->get(), job.path.c_str(), &found, AT_SYMLINK_NOFOLLOW) < 0) return errno;
  return S_ISDIR(found.st_mode) ? 0 : EEXIST;
}

int sync_directory(FileJob& job) {
  const int fd =
      openat(job.root->get(), directory_path(job.path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = error_of(fsync(fd));
  close(fd);
  return error;
}

int free_space(FileJob& job) {
  struct statvfs found;
  if (fstatvfs(job.root->get(), &found) < 0) return errno;
  job.number = static_cast<uint64_t>(found.f_bavail) * found.f_frsize;
  return 0;
}

}  // namespace

bool OpenFiles::has(Key key) const {
  const std::lock_guard lock(mutex_);
  return keys_.contains(key);
}

bool OpenFiles::add(Key key) {
  const std::lock_guard lock(mutex_);
  return keys_.insert(key).second;
}

void OpenFiles::remove(Key key) {
  const std::lock_guard lock(mutex_);
  keys_.erase(key);
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

bool FileJob::step(int64_t result) {
  if (result == -EINTR || result == -EAGAIN) return false;
  if (result < 0) {
    error = static_cast<int>(-result);
    return true;
  }
  if (kind == Kind::kSync) return true;
  moved += static_cast<uint64_t>(result);
  if (result == 0) {  // the end of the file; a write that moves nothing has no room
    if (kind == Kind::kWrite && left() > 0) error = ENOSPC;
    if (kind == Kind::kRead) {
      const bool mostly_empty = moved < bytes.size() / 2;
      bytes.shrink(moved);
      if (mostly_empty) bytes = Buffer::copy_of(bytes.view());
    }
    return true;
  }
  return left() == 0;
}

void FileJob::reset() {
  owner = nullptr;
  call = nullptr;
  finished = false;
  open_files = nullptr;
  flags = 0;
  file = root = opened = nullptr;
  offset = length = moved = number = 0;
  path.clear();
  to.clear();
  data = bytes = Buffer();
  error = 0;
  names.clear();
}

void FileJob::perform() {
  const auto move_all = [this](auto move) {
    while (true) {
      const ssize_t result =
          move(file->get(), position(), left(), static_cast<off_t>(offset + moved));
      if (step(result < 0 ? -errno : result)) return;
    }
  };
  switch (kind) {
    case Kind::kRead:
      if (bytes.empty()) error = make_room_to_read(*this);
      if (!bytes.empty()) move_all(pread);
      return;
    case Kind::kWrite: move_all(pwrite); return;
    case Kind::kSync: error = error_of(fdatasync(file->get())); return;
    case Kind::kTruncate:
      error = error_of(ftruncate(file->get(), static_cast<off_t>(length)));
      return;
    case Kind::kOpen: error = open_file(*this); return;
    case Kind::kRename: error = rename_file(*this); return;
    case Kind::kRemove: error = error_of(unlinkat(root->get(), path.c_str(), 0)); return;
    case Kind::kList: error = list_directory(*this); return;
    case Kind::kMakeDirectory: error = make_directory(*this); return;
    case Kind::kSyncDirectory: error = sync_directory(*this); return;
    case Kind::kSpace: error = free_space(*this); return;
    case Kind::kSize: error = file_size(*this); return;
    case Kind::kClose: file.reset(); return;  // the last of a removed file's frees its blocks
  }
}

}  // namespace ringside::posix
