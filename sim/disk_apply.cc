// What each call does to the image, at the moment at which the device is done with it.
#include <string>
#include <utility>

#include "sim/disk_device.h"

namespace ringside::sim {

using Kind = DiskCall::Kind;

void DiskDevice::apply_open(Slot& slot, Answer& answer) {
  Result<InodeId> file = image_.find(slot.path);
  if (!file.ok() && file.code() == Code::kNotFound && (slot.flags & Disk::kCreate) != 0) {
    file = image_.create(slot.path);
  }
  if (!file.ok()) {
    answer.failed = true;
    answer.error = file.error();
    return;
  }
  for (const OpenFile& other : open_) {
    if (other.inode != *file) continue;
    answer.failed = true;
    answer.error =
        Error{Code::kInvalid, slot.path + ": is open already; one file, one open handle"};
    return;
  }
  if ((slot.flags & Disk::kTruncate) != 0) image_.truncate(*file, 0);
  image_.hold(*file);
  open_.push_back({*file, slot.path});
  answer.opened = static_cast<FileId>(open_.size());
}

bool DiskDevice::may_write(const Slot& slot, Answer& answer) const {
  const uint64_t end = slot.offset + slot.data.size();
  if (end < slot.offset || end > kFileBytesMax) {
    answer.failed = true;
    answer.error = Error{Code::kInvalid, "a write beyond what a file can hold"};
  } else if (!has_room(opened(slot.file), end)) {
    answer.failed = true;
    answer.error = Error{Code::kNoSpace, "the disk is full"};
  }
  return !answer.failed;
}

void DiskDevice::apply_write(Slot& slot, Answer& answer) {
  if (!may_write(slot, answer)) return;
  image_.write(opened(slot.file), slot.offset, slot.data.view());
  ++counters_.writes;
  counters_.bytes_written += slot.data.size();
}

void DiskDevice::apply(Slot& slot, Answer& answer) {
  const auto take = [&answer](const Result<void>& done) {
    if (done.ok()) return;
    answer.failed = true;
    answer.error = done.error();
  };
  const InodeId file = opened(slot.file);
  switch (slot.kind) {
    case Kind::kClose:
    case Kind::kRead:
    case Kind::kWrite:
    case Kind::kSync:
    case Kind::kTruncate:
    case Kind::kSize:
      if (file == kNoInode)
        take(Error{Code::kInvalid, "file " + std::to_string(slot.file) + " is not open"});
      break;
    default: ++counters_.metadata; break;
  }
  if (!answer.failed) {
    switch (slot.kind) {
      case Kind::kOpen: apply_open(slot, answer); break;
      case Kind::kClose: close_file(slot.file); break;
      case Kind::kRead:
        answer.bytes = image_.read(file, slot.offset, slot.length);
        ++counters_.reads;
        counters_.bytes_read += answer.bytes.size();
        break;
      case Kind::kWrite: apply_write(slot, answer); break;
      case Kind::kSync:
        image_.end_sync(file, slot.mark);
        ++counters_.syncs;
        break;
      case Kind::kTruncate:
        if (slot.length > kFileBytesMax) {
          take(Error{Code::kInvalid, "a size beyond what a file can hold"});
        } else if (!has_room(file, slot.length)) {
          take(Error{Code::kNoSpace, "the disk is full"});
        } else {
          image_.truncate(file, slot.length);
        }
        break;
      case Kind::kSize: answer.number = image_.size(file); break;
      case Kind::kRename: take(image_.rename(slot.path, slot.to)); break;
      case Kind::kRemove: take(image_.remove(slot.path)); break;
      case Kind::kMakeDirectory: take(image_.make_directory(slot.path)); break;
      case Kind::kList: {
        Result<std::vector<std::string>> names = image_.list(slot.path);
        if (names.ok())
          answer.names = std::move(*names);
        else
          take(names.error());
        break;
      }
      case Kind::kSyncDirectory: {
        Result<InodeId> directory = image_.find_directory(slot.path);
        if (directory.ok())
          image_.end_sync_directory(*directory, slot.mark);
        else
          take(directory.error());
        ++counters_.syncs;
        break;
      }
      case Kind::kSpace: answer.number = free_bytes(); break;
    }
  }
  if (answer.failed) ++counters_.failed;
}

}  // namespace ringside::sim
