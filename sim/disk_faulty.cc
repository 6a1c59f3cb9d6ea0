// What a faulty device does instead of what it was asked, at the moment at which the call would
// have taken effect.
#include <optional>
#include <string>
#include <utility>

#include "runtime/random.h"
#include "sim/disk_device.h"

namespace ringside::sim {

using Kind = DiskCall::Kind;

// Numbers are part of the draws' keys: append only.
struct DiskFault {
  uint64_t number;
  double DiskTrouble::* share;
  uint64_t InjectedFaults::* counter;
  const char* text;  // of the error, where it is one
};

namespace {

using Injected = InjectedFaults;
constexpr DiskFault kReadError{1, &DiskTrouble::read_error, &Injected::read_errors,
                               "cannot be read"};
constexpr DiskFault kWriteError{2, &DiskTrouble::write_error, &Injected::write_errors,
                                "cannot be written"};
constexpr DiskFault kSyncError{3, &DiskTrouble::sync_error, &Injected::sync_errors,
                               "cannot be synced"};
constexpr DiskFault kSyncLie{4, &DiskTrouble::sync_lies, &Injected::syncs_lied, ""};
constexpr DiskFault kShortRead{5, &DiskTrouble::short_read, &Injected::short_reads, ""};
constexpr DiskFault kMisdirectedRead{6, &DiskTrouble::misdirected_read,
                                     &Injected::misdirected_reads, ""};
constexpr DiskFault kMisdirectedWrite{7, &DiskTrouble::misdirected_write,
                                      &Injected::misdirected_writes, ""};
constexpr DiskFault kRotOnRead{8, &DiskTrouble::rot_on_read, &Injected::rotted_reads, ""};
constexpr DiskFault kNameSyncLie{9, &DiskTrouble::name_sync_lies, &Injected::syncs_lied, ""};

// Another place of the file, whole pages away, at which `length` bytes are there.
std::optional<uint64_t> elsewhere(uint64_t offset, uint64_t length, uint64_t file_bytes,
                                  Draw& draw) {
  const uint64_t in_page = offset % kPageBytes;
  if (length == 0 || in_page + length > file_bytes) return std::nullopt;
  const uint64_t places = (file_bytes - in_page - length) / kPageBytes + 1;
  const uint64_t own = offset / kPageBytes;
  const uint64_t others = own < places ? places - 1 : places;
  if (others == 0) return std::nullopt;
  uint64_t page = draw.below(others);
  if (own < places && page >= own) ++page;
  return page * kPageBytes + in_page;
}

}  // namespace

bool DiskDevice::strikes(const DiskFault& fault, const Slot& slot, std::string_view path,
                         Draw& draw) {
  const double chance = troubles_.chance(fault.share, path);
  if (chance == 0) return false;
  draw = Draw::of(mix(key_, hash_bytes("faults")), fault.number, slot.asked_at,
                  static_cast<uint64_t>(slot.kind), slot.nth);
  return draw.chance(chance);
}

void DiskDevice::count(const DiskFault& fault) { ++(counters_.injected.*fault.counter); }

bool DiskDevice::fails(const DiskFault& fault, const Slot& slot, std::string_view path,
                       Answer& answer) {
  Draw draw(0);
  if (!strikes(fault, slot, path, draw)) return false;
  count(fault);
  ++counters_.failed;
  answer.failed = true;
  answer.error = Error{Code::kIo, std::string(path) + ": " + fault.text};
  return true;
}

void DiskDevice::perform_in_trouble(Slot& slot, Answer& answer) {
  if (troubles_.dead()) {
    answer.failed = true;
    answer.error = Error{Code::kIo, "the disk is dead"};
    ++counters_.injected.dead_calls;
    ++counters_.failed;
    return;
  }
  const bool of_file = slot.kind == Kind::kRead || slot.kind == Kind::kWrite ||
                       slot.kind == Kind::kTruncate || slot.kind == Kind::kSync;
  if (of_file && opened(slot.file) == kNoInode) {
    apply(slot, answer);  // which says so
    return;
  }
  const std::string_view path = of_file ? open_[slot.file - 1].path : slot.path;
  switch (slot.kind) {
    case Kind::kRead: perform_read(slot, answer, path); break;
    case Kind::kWrite:
    case Kind::kTruncate: perform_write(slot, answer, path); break;
    case Kind::kSync:
    case Kind::kSyncDirectory: perform_sync(slot, answer, path); break;
    default: apply(slot, answer); break;
  }
  if (answer.failed && answer.error.code == Code::kNoSpace && troubles_.full())
    ++counters_.injected.full_calls;
}

void DiskDevice::perform_read(Slot& slot, Answer& answer, std::string_view path) {
  if (fails(kReadError, slot, path, answer)) return;
  apply(slot, answer);
  const InodeId file = opened(slot.file);
  Draw draw(0);  // of whatever strikes
  if (strikes(kMisdirectedRead, slot, path, draw)) {
    const uint64_t bytes = answer.bytes.size();
    if (const auto place = elsewhere(slot.offset, bytes, image_.size(file), draw)) {
      answer.bytes = image_.read(file, *place, bytes);
      count(kMisdirectedRead);
    }
  }
  if (strikes(kRotOnRead, slot, path, draw) && !answer.bytes.empty()) {
    const uint64_t bit = draw.below(answer.bytes.size() * 8);
    char& byte = answer.bytes.mutable_data()[bit / 8];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    count(kRotOnRead);
  }
  if (strikes(kShortRead, slot, path, draw) && !answer.bytes.empty()) {
    answer.bytes.shrink(draw.below(answer.bytes.size()));
    count(kShortRead);
  }
}

void DiskDevice::perform_write(Slot& slot, Answer& answer, std::string_view path) {
  if (fails(kWriteError, slot, path, answer)) return;
  Draw draw(0);
  if (slot.kind == Kind::kWrite && strikes(kMisdirectedWrite, slot, path, draw)) {
    const InodeId file = opened(slot.file);
    const auto place = elsewhere(slot.offset, slot.data.size(), image_.size(file), draw);
    Answer refused;
    if (place && may_write(slot, refused)) {
      image_.write_astray(file, slot.offset, *place, slot.data.view());
      ++counters_.writes;
      counters_.bytes_written += slot.data.size();
      count(kMisdirectedWrite);
      return;
    }
  }
  apply(slot, answer);
}

void DiskDevice::perform_sync(Slot& slot, Answer& answer, std::string_view path) {
  if (fails(kSyncError, slot, path, answer)) return;
  if (slot.kind == Kind::kSync && troubles_.take_sync_failure(path)) {
    image_.forget_sync(opened(slot.file), slot.mark);
    answer.failed = true;
    answer.error = Error{Code::kIo, std::string(path) + ": cannot be synced"};
    ++counters_.injected.syncs_forgotten;
    ++counters_.failed;
    return;
  }
  Draw draw(0);
  if (strikes(kSyncLie, slot, path, draw) ||
      (slot.kind == Kind::kSyncDirectory && strikes(kNameSyncLie, slot, path, draw))) {
    count(kSyncLie);
    ++counters_.syncs;
    return;
  }
  apply(slot, answer);
}

uint64_t DiskDevice::rot(Time now, std::string_view files, uint64_t flips) {
  Draw draw = Draw::of(mix(key_, hash_bytes("rot")), now, hash_bytes(files), flips);
  const uint64_t flipped = image_.rot(draw, files, flips);
  counters_.injected.rotted += flipped;
  return flipped;
}

bool DiskDevice::mend() {
  const bool some = image_.mend();
  counters_.injected.mended += some ? 1 : 0;
  return some;
}

}  // namespace ringside::sim
