#include "runtime/disk.h"

#include <algorithm>
#include <utility>

namespace ringside {

using Kind = DiskCall::Kind;

bool valid_disk_path(std::string_view path) {
  if (path.size() > kPathBytesMax || path.find('\0') != path.npos) return false;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    if (name.empty() || name.size() > kNameBytesMax || name == "." || name == "..") return false;
    if (end + 1 == path.size()) return false;  // "a/"
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

// An awaiter is neither copied nor moved, so each call is built in place by its constructor's
// arguments.
template <class T>
DiskAwaiter<T>::DiskAwaiter(Disk& disk, Kind what, DiskArguments arguments) : DiskCall(disk, what) {
  file = arguments.file;
  flags = arguments.flags;
  offset = arguments.offset;
  length = arguments.length;
  data = std::move(arguments.data);
  path = std::move(arguments.path);
  to = std::move(arguments.to);
}

DiskAwaiter<FileId> Disk::open(std::string path, uint8_t flags) {
  return DiskAwaiter<FileId>(*this, Kind::kOpen, {.flags = flags, .path = std::move(path)});
}
DiskAwaiter<void> Disk::close(FileId file) {
  return DiskAwaiter<void>(*this, Kind::kClose, {.file = file});
}
DiskAwaiter<Buffer> Disk::read_at(FileId file, uint64_t offset, uint64_t length) {
  return DiskAwaiter<Buffer>(*this, Kind::kRead,
                             {.file = file, .offset = offset, .length = length});
}
DiskAwaiter<void> Disk::write_at(FileId file, uint64_t offset, Buffer data) {
  return DiskAwaiter<void>(*this, Kind::kWrite,
                           {.file = file, .offset = offset, .data = std::move(data)});
}
DiskAwaiter<void> Disk::sync(FileId file) {
  return DiskAwaiter<void>(*this, Kind::kSync, {.file = file});
}
DiskAwaiter<void> Disk::truncate(FileId file, uint64_t length) {
  return DiskAwaiter<void>(*this, Kind::kTruncate, {.file = file, .length = length});
}
DiskAwaiter<uint64_t> Disk::size(FileId file) {
  return DiskAwaiter<uint64_t>(*this, Kind::kSize, {.file = file});
}
DiskAwaiter<void> Disk::rename(std::string from, std::string to) {
  return DiskAwaiter<void>(*this, Kind::kRename, {.path = std::move(from), .to = std::move(to)});
}
DiskAwaiter<void> Disk::remove(std::string path) {
  return DiskAwaiter<void>(*this, Kind::kRemove, {.path = std::move(path)});
}
DiskAwaiter<std::vector<std::string>> Disk::list(std::string directory) {
  return DiskAwaiter<std::vector<std::string>>(*this, Kind::kList, {.path = std::move(directory)});
}
DiskAwaiter<void> Disk::make_directory(std::string directory) {
  return DiskAwaiter<void>(*this, Kind::kMakeDirectory, {.path = std::move(directory)});
}
DiskAwaiter<void> Disk::sync_directory(std::string directory) {
  return DiskAwaiter<void>(*this, Kind::kSyncDirectory, {.path = std::move(directory)});
}
DiskAwaiter<uint64_t> Disk::space() { return DiskAwaiter<uint64_t>(*this, Kind::kSpace, {}); }

}  // namespace ringside
