#include "posix/disk.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>

namespace ringside::posix {

using Kind = DiskCall::Kind;

namespace {

// Past this a file offset does not fit the kernel's type.
constexpr uint64_t kOffsetMax = INT64_MAX;

Code code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR: return Code::kNotFound;
    case EEXIST: return Code::kExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Code::kNoSpace;
    case EISDIR:
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG: return Code::kInvalid;
    default: return Code::kIo;
  }
}

bool names_a_file(Kind kind) {
  return kind == Kind::kClose || kind == Kind::kRead || kind == Kind::kWrite ||
         kind == Kind::kSync || kind == Kind::kTruncate || kind == Kind::kSize;
}

bool may_be_empty(Kind kind) {
  return kind == Kind::kList || kind == Kind::kSyncDirectory || kind == Kind::kSpace;
}

}  // namespace

bool path_stays_inside(std::string_view path) {
  if (path.find('\0') != path.npos) return false;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end + 1 == path.size()) return false;  // "a/"
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

RealDisk::RealDisk(Process& process, std::shared_ptr<Descriptor> root)
    : process_(process), backend_(process.loop.files()), root_(std::move(root)) {}

RealDisk::~RealDisk() {
  for (auto& job : jobs_) {
    if (job->owner != nullptr) backend_.wait_for(*job);
  }
}

void RealDisk::start(DiskCall& call) {
  if (process_.dead) return;  // never completes: the frame that waits is about to be destroyed
  FileJob& job = take_job();
  job.call = &call;
  job.kind = call.kind;
  call.slot = reinterpret_cast<uint64_t>(&job);
  if (fill(job, call))
    backend_.submit(job);
  else
    backend_.answer(job);
}

void RealDisk::abandon(DiskCall& call) {
  if (process_.dead && call.slot == 0) return;
  reinterpret_cast<FileJob*>(call.slot)->call = nullptr;
}

bool RealDisk::refuse(DiskCall& call, Code code, std::string why) {
  call.fail(code, std::move(why));
  return false;
}

// Copies the question into the job; false when the answer is known already.
bool RealDisk::fill(FileJob& job, DiskCall& call) {
  if (root_ == nullptr) return refuse(call, Code::kInvalid, "this process has no data directory");
  if (names_a_file(call.kind)) {
    const auto found = files_.find(call.file);
    if (found == files_.end()) return refuse(call, Code::kInvalid, "the file is not open");
    job.file = found->second.descriptor;
  } else {
    const bool inside = path_stays_inside(call.path) && path_stays_inside(call.to);
    const bool named = may_be_empty(call.kind) ||
                       (!call.path.empty() && (call.kind != Kind::kRename || !call.to.empty()));
    if (!inside || !named)
      return refuse(call, Code::kInvalid, "not a path inside the data directory: " + call.path);
    job.root = root_;
    job.flags = call.flags;
    job.path = call.path;
    job.to = call.to;
  }
  switch (call.kind) {
    case Kind::kClose: files_.erase(call.file); return false;
    case Kind::kRead:
    case Kind::kSize: return fill_read(job, call);
    case Kind::kWrite:
      if (call.offset > kOffsetMax - call.data.size())
        return refuse(call, Code::kInvalid, "an offset out of range");
      job.offset = call.offset;
      job.data = std::move(call.data);
      return !job.data.empty();
    case Kind::kTruncate:
      if (call.length > kOffsetMax) return refuse(call, Code::kInvalid, "a length out of range");
      job.length = call.length;
      return true;
    default: return true;
  }
}

// Asks for no more than the file holds, so that "all of it" may be asked with any length.
bool RealDisk::fill_read(FileJob& job, DiskCall& call) {
  struct stat found;
  if (fstat(job.file->get(), &found) < 0) {
    fail(call, errno);
    return false;
  }
  const auto size = static_cast<uint64_t>(found.st_size);
  if (call.kind == Kind::kSize) {
    job.number = size;
    return false;
  }
  const uint64_t length = call.offset >= size ? 0 : std::min(call.length, size - call.offset);
  job.offset = call.offset;
  job.bytes = Buffer::with_size(length);
  return length > 0;
}

void RealDisk::fail(DiskCall& call, int error) {
  const auto file = files_.find(call.file);
  const std::string& path = file != files_.end() ? file->second.path : call.path;
  call.fail(code_of(error), path + ": " + strerror(error));
}

void RealDisk::on_done(FileJob& job) {
  DiskCall* call = job.call;
  if (call != nullptr && !process_.dead) {
    if (job.error != 0)
      fail(*call, job.error);
    else if (!call->failed)
      settle(job);
  }
  // The job is free before the caller goes on, who may well ask for more.
  const std::shared_ptr<Descriptor> held =
      std::move(job.file);  // closes, if it must, after the caller
  job.reset();
  idle_jobs_.push_back(&job);
  if (call == nullptr || process_.dead) return;
  call->complete();
  process_.drain();
}

void RealDisk::settle(FileJob& job) {
  DiskCall& call = *job.call;
  call.bytes = std::move(job.bytes);
  call.number = job.number;
  call.names = std::move(job.names);
  if (job.kind == Kind::kOpen) {
    call.opened = next_file_++;
    files_[call.opened] = File{std::move(job.opened), job.path};
  }
}

FileJob& RealDisk::take_job() {
  if (idle_jobs_.empty()) {
    jobs_.push_back(std::make_unique<FileJob>());
    idle_jobs_.push_back(jobs_.back().get());
  }
  FileJob& job = *idle_jobs_.back();
  idle_jobs_.pop_back();
  job.owner = this;
  return job;
}

}  // namespace ringside::posix
