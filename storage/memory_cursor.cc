#include "storage/memory_cursor.h"

#include "storage/key_prefix.h"

namespace ringside {

MemoryCursor::MemoryCursor(const Tablet* tablet, std::string_view begin, Lsn at) : at_(at) {
  if (tablet == nullptr) return;
  const auto add = [&](const std::shared_ptr<Memtable>& memtable) {
    if (memtable->keys() > 0)
      parts_.push_back({memtable, memtable->keys(), memtable->seek(begin), {}, false});
  };
  add(tablet->active);
  for (auto old = tablet->frozen.rbegin(); old != tablet->frozen.rend(); ++old) add(old->memtable);
  for (Part& part : parts_) look(part);
  find();
}

void MemoryCursor::look(Part& part) {
  part.valid = part.cursor.valid();
  if (part.valid) part.key = part.cursor.key();
}

void MemoryCursor::find() {
  const Part* least = nullptr;
  for (const Part& part : parts_) {
    if (part.valid && (least == nullptr || compare_keys(part.key, least->key) < 0)) least = &part;
  }
  valid_ = least != nullptr;
  visible_ = false;
  if (!valid_) return;
  entry_.key = least->key;
  for (const Part& part : parts_) {
    if (!part.valid || !same_key(part.key, entry_.key)) continue;
    const Memtable::Version* version = part.cursor.version(at_);
    if (version == nullptr) continue;
    entry_ = part.cursor.entry(*version);
    visible_ = true;
    break;
  }
}

void MemoryCursor::next() {
  for (Part& part : parts_) {
    if (!part.valid || !same_key(part.key, entry_.key)) continue;
    part.cursor.next();
    look(part);
  }
  find();
}

// A new key moves what a cursor points at. It is newer than `at_`: a cursor that is at the end
// misses nothing.
void MemoryCursor::waited() {
  for (Part& part : parts_) {
    if (!part.valid || part.keys == part.memtable->keys()) continue;
    part.keys = part.memtable->keys();
    part.cursor = part.memtable->seek(part.key);
    look(part);
  }
}

}  // namespace ringside
