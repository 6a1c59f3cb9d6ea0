#include "posix/overlay_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace ringside::posix {
namespace {

namespace fs = std::filesystem;
using Kind = DiskCall::Kind;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

void fail_with(DiskCall& call, int error) {
  call.fail(Code::kIo, call.path.empty() ? strerror(error) : call.path + ": " + strerror(error));
}

bool takes_a_file(Kind kind) {
  return kind == Kind::kClose || kind == Kind::kRead || kind == Kind::kWrite ||
         kind == Kind::kSync || kind == Kind::kTruncate || kind == Kind::kSize;
}

bool takes_the_root(Kind kind) {
  return kind == Kind::kList || kind == Kind::kMakeDirectory || kind == Kind::kSyncDirectory ||
         kind == Kind::kSpace;
}

}  // namespace

Result<std::unique_ptr<OverlayDisk>> OverlayDisk::open(Process& process,
                                                       const std::string& directory,
                                                       const std::string& shown_as) {
  const auto problem = [](const std::string& path, const std::string& what) {
    return Error{Code::kInvalid, path + ": " + what};
  };
  CHECK(valid_disk_path(shown_as) && !shown_as.empty());
  const int root = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return problem(directory, strerror(errno));
  std::unique_ptr<OverlayDisk> disk(new OverlayDisk(process));
  disk->root_ = std::make_shared<Descriptor>(root);
  for (std::string made = shown_as; !made.empty(); made = parent_of(made))
    disk->directories_.insert(made);
  std::error_code failed;
  for (fs::recursive_directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string base = at->path().lexically_relative(directory);
    const std::string shown = shown_as + "/" + base;
    const fs::file_status status = at->symlink_status(failed);
    if (failed) return problem(at->path(), failed.message());
    if (fs::is_directory(status)) {
      disk->directories_.insert(shown);
    } else if (fs::is_regular_file(status)) {
      const uint64_t size = at->file_size(failed);
      if (failed) return problem(at->path(), failed.message());
      disk->names_[shown] = std::make_shared<File>(
          File{.base = base, .base_bytes = size, .descriptor = {}, .pages = {}, .size = size});
    }
  }
  if (failed) return problem(directory, failed.message());
  return disk;
}

void OverlayDisk::start(DiskCall& call) {
  if (process_.dead) return;
  calls_.push_back(&call);
  process_.post([this] { deliver(); });
}

void OverlayDisk::abandon(DiskCall& call) { std::erase(calls_, &call); }

// In the order in which they were asked. What a dead process had in flight never happens.
void OverlayDisk::deliver() {
  if (calls_.empty() || process_.dead) return;
  DiskCall& call = *calls_.front();
  calls_.pop_front();
  perform(call);
  call.complete();
  process_.drain();
}

void OverlayDisk::perform(DiskCall& call) {
  if (takes_a_file(call.kind)) return perform_on_file(call);
  const bool named = takes_the_root(call.kind) ||
                     (!call.path.empty() && (call.kind != Kind::kRename || !call.to.empty()));
  if (!named || !valid_disk_path(call.path) || !valid_disk_path(call.to))
    return call.fail(Code::kInvalid, "not a path inside the data directory: " + call.path);
  const auto not_found = [&] { call.fail(Code::kNotFound, call.path + ": " + strerror(ENOENT)); };
  switch (call.kind) {
    case Kind::kOpen: return open_file(call);
    case Kind::kRename: return rename_file(call);
    case Kind::kRemove:
      if (directories_.contains(call.path))
        return call.fail(Code::kInvalid, call.path + ": " + strerror(EISDIR));
      if (names_.erase(call.path) == 0) not_found();
      return;
    case Kind::kMakeDirectory:
      if (names_.contains(call.path))
        return call.fail(Code::kExists, call.path + ": " + strerror(EEXIST));
      if (!has_parent(call.path)) return not_found();
      directories_.insert(call.path);
      return;
    case Kind::kList:
      if (!directories_.contains(call.path)) return not_found();
      return list(call);
    case Kind::kSyncDirectory:
      if (!directories_.contains(call.path)) not_found();
      return;
    default: {
      struct statvfs found;
      if (fstatvfs(root_->get(), &found) < 0) return fail_with(call, errno);
      call.number = static_cast<uint64_t>(found.f_bavail) * found.f_frsize;
    }
  }
}

bool OverlayDisk::has_parent(const std::string& path) const {
  return directories_.contains(parent_of(path));
}

void OverlayDisk::open_file(DiskCall& call) {
  if (directories_.contains(call.path))
    return call.fail(Code::kInvalid, call.path + ": " + strerror(EISDIR));
  const auto found = names_.find(call.path);
  if (found == names_.end() && ((call.flags & kCreate) == 0 || !has_parent(call.path)))
    return call.fail(Code::kNotFound, call.path + ": " + strerror(ENOENT));
  const std::shared_ptr<File> file =
      found == names_.end() ? std::make_shared<File>() : found->second;
  if (file->open)
    return call.fail(Code::kInvalid, call.path + ": is open already; one file, one open handle");
  if (!file->base.empty()) {
    const int fd = openat(root_->get(), file->base.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return fail_with(call, errno);
    file->descriptor = std::make_shared<Descriptor>(fd);
  }
  if ((call.flags & kTruncate) != 0) CHECK(resize(*file, 0) == 0);
  file->open = true;
  names_[call.path] = file;
  call.opened = next_file_++;
  open_[call.opened] = file;
}

void OverlayDisk::rename_file(DiskCall& call) {
  const auto found = names_.find(call.path);
  const bool moves_directory = directories_.contains(call.path);
  if ((found == names_.end() && !moves_directory) || (!moves_directory && !has_parent(call.to)))
    return call.fail(Code::kNotFound, call.path + ": " + strerror(ENOENT));
  if (moves_directory || directories_.contains(call.to))
    return call.fail(Code::kInvalid, call.path + ": " + strerror(EISDIR));
  const std::shared_ptr<File> file = found->second;
  names_.erase(found);
  names_[call.to] = file;
}

void OverlayDisk::list(DiskCall& call) {
  const std::string below = call.path.empty() ? "" : call.path + "/";
  const auto add = [&](const std::string& path) {
    if (path.size() > below.size() && path.starts_with(below) &&
        path.find('/', below.size()) == std::string::npos)
      call.names.push_back(path.substr(below.size()));
  };
  for (const auto& [path, file] : names_) add(path);
  for (const std::string& path : directories_) add(path);
  std::sort(call.names.begin(), call.names.end());
}

void OverlayDisk::perform_on_file(DiskCall& call) {
  const auto found = open_.find(call.file);
  if (found == open_.end()) return call.fail(Code::kInvalid, "the file is not open");
  File& file = *found->second;
  switch (call.kind) {
    case Kind::kClose:
      file.open = false;
      file.descriptor = nullptr;
      open_.erase(found);
      return;
    case Kind::kRead: return read(file, call);
    case Kind::kWrite:
      if (call.offset > kFileBytesMax - std::min<uint64_t>(call.data.size(), kFileBytesMax))
        return call.fail(Code::kInvalid, "a write beyond what a file can hold");
      return write(file, call);
    case Kind::kTruncate:
      if (call.length > kFileBytesMax)
        return call.fail(Code::kInvalid, "a size beyond what a file can hold");
      if (const int error = resize(file, call.length); error != 0) fail_with(call, error);
      return;
    case Kind::kSize: call.number = file.size; return;
    default: return;  // a sync: what is in memory is as safe as it will be
  }
}

// What lies there, with zeros where nothing does; 0 or an errno.
int OverlayDisk::read_base(const File& file, uint64_t from, uint64_t length, char* to) const {
  const uint64_t end = std::max(from, std::min(from + length, file.base_bytes));
  for (uint64_t at = from; at < end;) {
    const ssize_t got =
        pread(file.descriptor->get(), to + (at - from), end - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return EIO;  // somebody else has cut the file short
    at += static_cast<uint64_t>(got);
  }
  memset(to + (end - from), 0, from + length - end);
  return 0;
}

// The page as it is to be written to; null and an errno when it cannot be read.
std::string* OverlayDisk::own_page(File& file, uint64_t number, int& error) const {
  const auto found = file.pages.find(number);
  if (found != file.pages.end()) return &found->second;
  std::string page(kPageBytes, '\0');
  error = read_base(file, number * kPageBytes, kPageBytes, page.data());
  return error != 0 ? nullptr : &(file.pages[number] = std::move(page));
}

void OverlayDisk::read(const File& file, DiskCall& call) const {
  if (call.offset >= file.size) return;
  const uint64_t end = call.offset + std::min(call.length, file.size - call.offset);
  call.bytes = Buffer::with_size(end - call.offset);
  char* const to = call.bytes.mutable_data();
  auto page = file.pages.lower_bound(call.offset / kPageBytes);
  for (uint64_t at = call.offset; at < end;) {
    const uint64_t start = page == file.pages.end() ? end : page->first * kPageBytes;
    if (at < start) {
      const uint64_t part = std::min(start, end) - at;
      if (const int error = read_base(file, at, part, to + (at - call.offset)); error != 0) {
        call.bytes = Buffer();
        return fail_with(call, error);
      }
      at += part;
    } else {
      const uint64_t part = std::min(kPageBytes - (at - start), end - at);
      memcpy(to + (at - call.offset), page->second.data() + (at - start), part);
      at += part;
      ++page;
    }
  }
}

void OverlayDisk::write(File& file, DiskCall& call) const {
  const std::string_view data = call.data.view();
  for (uint64_t done = 0; done < data.size();) {
    const uint64_t at = call.offset + done;
    const uint64_t within = at % kPageBytes;
    const uint64_t part = std::min<uint64_t>(kPageBytes - within, data.size() - done);
    int error = 0;
    std::string* const page = own_page(file, at / kPageBytes, error);
    if (page == nullptr) return fail_with(call, error);
    page->replace(within, part, data.substr(done, part));
    done += part;
    file.size = std::max(file.size, at + part);
  }
}

// What is cut off reads as zeros when the file grows again.
int OverlayDisk::resize(File& file, uint64_t size) const {
  if (size < file.size) {
    const uint64_t within = size % kPageBytes;
    if (within != 0) {
      int error = 0;
      std::string* const page = own_page(file, size / kPageBytes, error);
      if (page == nullptr) return error;
      page->replace(within, std::string::npos, kPageBytes - within, '\0');
    }
    file.pages.erase(file.pages.lower_bound((size + kPageBytes - 1) / kPageBytes),
                     file.pages.end());
    file.base_bytes = std::min(file.base_bytes, size);
  }
  file.size = size;
  return 0;
}

}  // namespace ringside::posix
