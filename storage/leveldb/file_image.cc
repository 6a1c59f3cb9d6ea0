#include "storage/leveldb/file_image.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace ringside {
namespace {

using leveldb::Slice;
using leveldb::Status;
using Kind = FileOperation::Kind;

constexpr std::size_t kWriteBytesMax = 64u << 10;  // LevelDB's buffer of a file on POSIX

bool is_manifest(const std::string& path) {
  return path.compare(path.rfind('/') + 1, 8, "MANIFEST") == 0;
}

}  // namespace

class FileImage::Sequence final : public leveldb::SequentialFile {
 public:
  explicit Sequence(std::shared_ptr<std::string> bytes) : bytes_(std::move(bytes)) {}

  Status Read(std::size_t n, Slice* result, char* scratch) override {
    n = std::min(n, bytes_->size() - at_);
    bytes_->copy(scratch, n, at_);
    at_ += n;
    *result = Slice(scratch, n);
    return {};
  }
  Status Skip(uint64_t n) override {
    at_ += std::min<uint64_t>(n, bytes_->size() - at_);
    return {};
  }

 private:
  std::shared_ptr<std::string> bytes_;
  std::size_t at_ = 0;
};

class FileImage::Reader final : public leveldb::RandomAccessFile {
 public:
  explicit Reader(std::shared_ptr<std::string> bytes) : bytes_(std::move(bytes)) {}

  Status Read(uint64_t offset, std::size_t n, Slice* result, char* scratch) const override {
    const std::size_t from = std::min<uint64_t>(offset, bytes_->size());
    n = std::min(n, bytes_->size() - from);
    bytes_->copy(scratch, n, from);
    *result = Slice(scratch, n);
    return {};
  }

 private:
  std::shared_ptr<std::string> bytes_;
};

class FileImage::Writer final : public leveldb::WritableFile {
 public:
  Writer(FileImage& image, std::string path, std::shared_ptr<std::string> bytes)
      : image_(image), path_(std::move(path)), bytes_(std::move(bytes)) {}
  ~Writer() override { (void)Close(); }

  // Appends in a row are one write.
  Status Append(const Slice& data) override {
    std::deque<FileOperation>& queue = image_.operations_;
    const uint64_t end = bytes_->size();
    bytes_->append(data.data(), data.size());
    if (!queue.empty() && queue.back().kind == Kind::kWrite && queue.back().path == path_ &&
        queue.back().offset + queue.back().data.size() == end &&
        queue.back().data.size() + data.size() <= kWriteBytesMax) {
      queue.back().data.append(data.data(), data.size());
    } else {
      image_.add({.kind = Kind::kWrite, .path = path_, .offset = end, .data = data.ToString()});
    }
    return {};
  }
  Status Close() override {
    if (std::exchange(open_, false)) image_.add({.kind = Kind::kClose, .path = path_});
    return {};
  }
  Status Flush() override { return {}; }
  Status Sync() override {
    const bool name_too =
        is_manifest(path_) || (image_.name_syncs_ == NameSyncs::kAsJournal && !named_);
    if (name_too) image_.add({.kind = Kind::kSyncDirectory, .path = image_.directory_});
    named_ = true;
    image_.add({.kind = Kind::kSync, .path = path_});
    return {};
  }

 private:
  FileImage& image_;
  std::string path_;
  std::shared_ptr<std::string> bytes_;
  bool open_ = true;
  bool named_ = false;
};

void FileImage::load(const std::string& name, std::string bytes) {
  files_[directory_ + "/" + name] = std::make_shared<std::string>(std::move(bytes));
}

std::vector<std::string> FileImage::names() const {
  std::vector<std::string> names;
  for (const auto& [path, bytes] : files_) names.push_back(path.substr(directory_.size() + 1));
  return names;
}

uint64_t FileImage::bytes(const std::string& name) const {
  const auto found = files_.find(directory_ + "/" + name);
  return found == files_.end() ? 0 : found->second->size();
}

std::optional<FileOperation> FileImage::take() {
  if (operations_.empty()) return std::nullopt;
  FileOperation operation = std::move(operations_.front());
  operations_.pop_front();
  return operation;
}

void FileImage::run_background() {
  while (!background_.empty()) {
    const Work work = background_.front();
    background_.pop_front();
    work.function(work.argument);
  }
}

Status FileImage::NewSequentialFile(const std::string& path, leveldb::SequentialFile** file) {
  const auto found = files_.find(path);
  *file = found == files_.end() ? nullptr : new Sequence(found->second);
  return *file != nullptr ? Status() : Status::NotFound(path);
}

Status FileImage::NewRandomAccessFile(const std::string& path, leveldb::RandomAccessFile** file) {
  const auto found = files_.find(path);
  *file = found == files_.end() ? nullptr : new Reader(found->second);
  return *file != nullptr ? Status() : Status::NotFound(path);
}

Status FileImage::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
  std::shared_ptr<std::string>& bytes = files_[path];
  bytes = std::make_shared<std::string>();
  add({.kind = Kind::kCreate, .path = path});
  *file = new Writer(*this, path, bytes);
  return {};
}

Status FileImage::GetChildren(const std::string& directory, std::vector<std::string>* children) {
  CHECK(directory == directory_);
  *children = names();
  return {};
}

Status FileImage::RemoveFile(const std::string& path) {
  if (files_.erase(path) == 0) return Status::NotFound(path);
  add({.kind = Kind::kRemove, .path = path});
  return {};
}

Status FileImage::GetFileSize(const std::string& path, uint64_t* size) {
  const auto found = files_.find(path);
  if (found == files_.end()) return Status::NotFound(path);
  *size = found->second->size();
  return {};
}

Status FileImage::RenameFile(const std::string& from, const std::string& to) {
  const auto found = files_.find(from);
  if (found == files_.end()) return Status::NotFound(from);
  files_[to] = found->second;
  files_.erase(from);
  add({.kind = Kind::kRename, .path = from, .to = to});
  if (name_syncs_ == NameSyncs::kAsJournal) add({.kind = Kind::kSyncDirectory, .path = directory_});
  return {};
}

Status FileImage::LockFile(const std::string&, leveldb::FileLock** lock) {
  *lock = new leveldb::FileLock();
  return {};
}

Status FileImage::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return {};
}

void FileImage::Schedule(void (*function)(void*), void* argument) {
  background_.push_back({function, argument});
}

void FileImage::StartThread(void (*function)(void*), void* argument) {
  Schedule(function, argument);
}

Status FileImage::GetTestDirectory(std::string* path) {
  *path = directory_;
  return {};
}

Status FileImage::NewLogger(const std::string&, leveldb::Logger** logger) {
  *logger = new NullLogger();
  return {};
}

}  // namespace ringside
