#include "posix/disk.h"

#include <errno.h>
#include <string.h>

namespace ringside::posix {

using Kind = DiskCall::Kind;

namespace {

// A read of no more is given its buffer without asking how much there is.
constexpr uint64_t kReadUnaskedBytes = 1u << 20;

Code code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR: return Code::kNotFound;
    case EEXIST: return Code::kExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Code::kNoSpace;
    case EISDIR:
    case EBUSY:
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOTEMPTY: return Code::kInvalid;  // a directory where a file is meant
    default: return Code::kIo;
  }
}

bool names_a_file(Kind kind) {
  return kind == Kind::kClose || kind == Kind::kRead || kind == Kind::kWrite ||
         kind == Kind::kSync || kind == Kind::kTruncate || kind == Kind::kSize;
}

bool may_be_empty(Kind kind) {
  return kind == Kind::kList || kind == Kind::kMakeDirectory || kind == Kind::kSyncDirectory ||
         kind == Kind::kSpace;
}

}  // namespace

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
  if (names_a_file(call.kind)) return fill_file(job, call);
  const bool named = may_be_empty(call.kind) ||
                     (!call.path.empty() && (call.kind != Kind::kRename || !call.to.empty()));
  if (!named || !valid_disk_path(call.path) || !valid_disk_path(call.to))
    return refuse(call, Code::kInvalid, "not a path inside the data directory: " + call.path);
  if (call.kind == Kind::kMakeDirectory && call.path.empty()) return false;  // it is there
  job.root = root_;
  job.open_files = &open_files_;
  job.flags = call.flags;
  job.path = call.path;
  job.to = call.to;
  return true;
}

bool RealDisk::fill_file(FileJob& job, DiskCall& call) {
  const auto found = files_.find(call.file);
  if (found == files_.end()) return refuse(call, Code::kInvalid, "the file is not open");
  job.file = found->second.descriptor;
  job.offset = call.offset;
  job.length = call.length;
  switch (call.kind) {
    case Kind::kClose:
      open_files_.remove(found->second.key);
      files_.erase(found);
      return true;
    case Kind::kRead:
      if (call.length == 0 || call.offset >= kFileBytesMax) return false;
      if (call.length <= kReadUnaskedBytes) job.bytes = Buffer::with_size(call.length);
      return true;
    case Kind::kWrite:
      if (call.offset > kFileBytesMax - call.data.size())
        return refuse(call, Code::kInvalid, "a write beyond what a file can hold");
      job.data = std::move(call.data);
      return !job.data.empty();
    case Kind::kTruncate:
      if (call.length > kFileBytesMax)
        return refuse(call, Code::kInvalid, "a size beyond what a file can hold");
      return true;
    default: return true;
  }
}

void RealDisk::fail(DiskCall& call, int error) {
  const auto file = files_.find(call.file);
  const std::string& path = file != files_.end() ? file->second.path : call.path;
  const char* const why =
      error == EBUSY ? "is open already; one file, one open handle" : strerror(error);
  call.fail(code_of(error), path + ": " + why);
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
    if (!open_files_.add(job.opened_key)) return fail(call, EBUSY);
    call.opened = next_file_++;
    files_[call.opened] = File{std::move(job.opened), job.opened_key, job.path};
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
