#include "sim/disk_device.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside::sim {

using Kind = DiskCall::Kind;

namespace {

// Calls that change what is on the disk: when the process dies, each one in flight may have
// happened or not.
bool mutates(Kind kind) {
  switch (kind) {
    case Kind::kOpen:
    case Kind::kWrite:
    case Kind::kSync:
    case Kind::kTruncate:
    case Kind::kRename:
    case Kind::kRemove:
    case Kind::kMakeDirectory:
    case Kind::kSyncDirectory: return true;
    case Kind::kClose:
    case Kind::kRead:
    case Kind::kSize:
    case Kind::kList:
    case Kind::kSpace: return false;
  }
  return false;
}

}  // namespace

DiskDevice::DiskDevice(const DiskModel& model, uint64_t key, DiskEvents& events)
    : model_(model),
      key_(key),
      events_(events),
      troubles_(mix(key, hash_bytes("troubles"))),
      stalls_by_time_(!model.stalls.between.is_constant() || model.stalls.between.minimum() > 0),
      bytes_to_stall_(model.stalls.bytes_between) {}

void DiskDevice::set_image(DiskImage image) {
  CHECK(in_flight_ == 0);
  image_ = std::move(image);
  image_.drop_holds();
  ++counters_.injected.images_replaced;
  open_.clear();
}

uint32_t DiskDevice::take_slot() {
  ++in_flight_;
  if (first_free_ == kNoSlot) {
    slots_.emplace_back();
    return static_cast<uint32_t>(slots_.size() - 1);
  }
  const uint32_t index = first_free_;
  first_free_ = slots_[index].next_free;
  return index;
}

void DiskDevice::free_slot(uint32_t index) {
  Slot& slot = slots_[index];
  CHECK(slot.busy && in_flight_ > 0);
  slot.busy = false;
  slot.call = nullptr;
  slot.data = {};
  ++slot.generation;
  slot.next_free = first_free_;
  first_free_ = index;
  --in_flight_;
}

void DiskDevice::submit(Time now, DiskCall& call) {
  const uint32_t index = take_slot();
  Slot& slot = slots_[index];
  CHECK(!slot.busy);
  slot.busy = true;
  slot.call = &call;
  slot.kind = call.kind;
  slot.flags = call.flags;
  slot.file = call.file;
  slot.sequence = sequence_++;
  slot.offset = call.offset;
  slot.length = call.length;
  slot.data = std::move(call.data);
  call.slot = index;
  switch (call.kind) {
    case Kind::kOpen:
    case Kind::kRename:
    case Kind::kRemove:
    case Kind::kList:
    case Kind::kMakeDirectory:
      slot.path = std::move(call.path);
      slot.to = std::move(call.to);
      break;
    case Kind::kSyncDirectory:
      slot.path = std::move(call.path);
      slot.mark = image_.begin_sync_directory();
      break;
    case Kind::kSync:
      if (const InodeId file = opened(call.file); file != kNoInode)
        slot.mark = image_.begin_sync(file);
      break;
    case Kind::kClose:
    case Kind::kRead:
    case Kind::kWrite:
    case Kind::kTruncate:
    case Kind::kSize:
    case Kind::kSpace: break;
  }
  const uint64_t id = static_cast<uint64_t>(slot.generation) << 32 | index;
  events_.schedule(completion_time(now, slot), id);
}

DiskCall* DiskDevice::complete(uint64_t id) {
  const auto index = static_cast<uint32_t>(id);
  CHECK(index < slots_.size());
  Slot& slot = slots_[index];
  if (!slot.busy || slot.generation != id >> 32) return nullptr;  // of a process that died
  Answer answer;
  perform(slot, answer);
  DiskCall* call = slot.call;
  free_slot(index);
  if (call == nullptr) {
    if (answer.opened != 0) close_file(answer.opened);  // nobody has it, so nobody could close it
    return nullptr;
  }
  call->failed = answer.failed;
  if (answer.failed) call->error = std::move(answer.error);
  call->opened = answer.opened;
  call->bytes = std::move(answer.bytes);
  call->number = answer.number;
  if (!answer.names.empty()) call->names = std::move(answer.names);
  return call;
}

void DiskDevice::abandon(DiskCall& call) {
  CHECK(call.slot < slots_.size());
  Slot& slot = slots_[call.slot];
  // A call whose completion is on its way to the process has no slot any more.
  if (slot.busy && slot.call == &call)
    slot.call = nullptr;
  else if (call.opened != 0)
    close_file(call.opened);
}

void DiskDevice::process_died(Draw& draw) {
  std::vector<uint32_t> in_flight;
  for (uint32_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].busy) in_flight.push_back(i);
  }
  std::sort(in_flight.begin(), in_flight.end(),
            [this](uint32_t a, uint32_t b) { return slots_[a].sequence < slots_[b].sequence; });
  for (uint32_t index : in_flight) {
    if (mutates(slots_[index].kind)) {
      const bool done = draw.chance(0.5);
      ++(done ? counters_.drawn_applied : counters_.drawn_lost);
      Answer nobody;
      if (done) perform(slots_[index], nobody);
    }
    free_slot(index);
  }
  CHECK(in_flight_ == 0);
  image_.drop_holds();
  open_.clear();
  channels_.clear();
  pipe_free_ = 0;
}

InodeId DiskDevice::opened(FileId file) const {
  return file == 0 || file > open_.size() ? kNoInode : open_[file - 1].inode;
}

void DiskDevice::close_file(FileId file) {
  if (opened(file) == kNoInode) return;
  image_.release(open_[file - 1].inode);
  open_[file - 1] = {};
}

uint64_t DiskDevice::free_bytes() const {
  if (troubles_.any() && troubles_.full()) return 0;
  const uint64_t used = image_.used_bytes();
  return used < model_.capacity_bytes ? model_.capacity_bytes - used : 0;
}

bool DiskDevice::has_room(InodeId file, uint64_t size) const {
  const uint64_t now = page_bytes_of(image_.size(file));
  const uint64_t then = page_bytes_of(size);
  return then <= now || then - now <= free_bytes();
}

}  // namespace ringside::sim
