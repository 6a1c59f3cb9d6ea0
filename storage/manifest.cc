#include "storage/manifest.h"

#include <algorithm>
#include <utility>

#include "runtime/bug.h"

namespace ringside {
namespace {

// After a failed sync nothing is known: not even kNoSpace may be tried again.
Error unknown(const Error& error) {
  return {error.code == Code::kNoSpace ? Code::kIo : error.code, error.message};
}

}  // namespace

Task<Result<ManifestState>> Manifest::read(Host& host, std::string directory) {
  Disk& disk = host.disk();
  Result<FileId> file = co_await disk.open(directory + "/manifest");
  if (!file.ok() && file.code() == Code::kNotFound) co_return ManifestState();
  if (!file.ok()) co_return file.error();
  Result<uint64_t> size = co_await disk.size(*file);
  if (!size.ok()) co_return size.error();
  Result<Buffer> bytes = co_await disk.read_at(*file, 0, *size);
  if (!bytes.ok()) co_return bytes.error();
  // No torn tail, which would be cut.
  if (bytes->size() != *size)
    co_return Error{Code::kIo, directory + "/manifest: a read ended before the file did"};
  Result<void> closed = co_await disk.close(*file);
  if (!closed.ok()) co_return closed.error();
  co_return parse_manifest(bytes->view(), directory + "/manifest");
}

Task<Result<std::unique_ptr<Manifest>>> Manifest::create(Host& host, std::string directory,
                                                         ManifestState state) {
  std::unique_ptr<Manifest> manifest(new Manifest(host, std::move(directory)));
  Result<void> done = co_await manifest->write_snapshot(std::move(state));
  if (!done.ok()) co_return done.error();
  co_return manifest;
}

Task<Result<void>> Manifest::write_snapshot(ManifestState state) {
  Disk& disk = host_.disk();
  const std::string next = directory_ + "/manifest.new";
  const std::string current = directory_ + "/manifest";
  if (file_ != 0) {
    Result<void> closed = co_await disk.close(std::exchange(file_, 0));
    if (!closed.ok()) co_return closed;
  }
  const std::string record = encode_manifest_record(ManifestRecordKind::kSnapshot, ++state.sequence,
                                                    {.flushed = state.flushed,
                                                     .next_table = state.next_table,
                                                     .next_tablet = state.next_tablet,
                                                     .created = state.tablets,
                                                     .checkpoints = state.checkpoints});
  Result<FileId> file = co_await disk.open(next, Disk::kCreate | Disk::kTruncate);
  if (!file.ok()) co_return file.error();
  Result<void> done = co_await disk.write_at(*file, 0, Buffer::copy_of(record));
  if (done.ok()) done = co_await disk.sync(*file);
  if (done.ok()) done = co_await disk.close(*file);
  if (done.ok()) done = co_await disk.rename(next, current);
  if (done.ok() && !RINGSIDE_BUG(rename_without_directory_sync)) {
    done = co_await disk.sync_directory(directory_);
  }
  if (!done.ok()) co_return done;
  file = co_await disk.open(current);
  if (!file.ok()) co_return file.error();
  file_ = *file;
  bytes_ = record.size();
  bytes_max_ = std::max(kFileBytesMin, 4 * bytes_);
  state_ = std::move(state);
  co_return Result<void>();
}

Task<Result<void>> Manifest::apply(ManifestEdit edit) {
  ManifestState next = state_;
  CHECK(apply_manifest_edit(next, edit));
  if (bytes_ >= bytes_max_ || file_ == 0) {
    host_.trace().probe("manifest.rewritten");
    co_return co_await write_snapshot(std::move(next));
  }
  const std::string record =
      encode_manifest_record(ManifestRecordKind::kEdit, state_.sequence + 1, edit);
  Result<void> done = co_await host_.disk().write_at(file_, bytes_, Buffer::copy_of(record));
  if (!done.ok()) co_return done;
  done = co_await host_.disk().sync(file_);
  if (!done.ok()) co_return unknown(done.error());
  next.sequence = state_.sequence + 1;
  state_ = std::move(next);
  bytes_ += record.size();
  co_return Result<void>();
}

Task<Result<void>> Manifest::close() {
  if (file_ == 0) co_return Result<void>();
  co_return co_await host_.disk().close(std::exchange(file_, 0));
}

}  // namespace ringside
