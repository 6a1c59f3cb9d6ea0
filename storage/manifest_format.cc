// The manifest's records: encoding, strict decoding, and what an edit does to a state.

#include <algorithm>

#include "runtime/random.h"
#include "storage/format.h"
#include "storage/log_format.h"
#include "storage/manifest.h"

namespace ringside {
namespace {

constexpr uint8_t kHasRangeRemoves = 1;
constexpr uint8_t kHasSuspect = 2;

Error corrupt_manifest(std::string_view path, uint64_t offset, const char* what) {
  return Error{Code::kCorrupt, std::string(path) + " at " + std::to_string(offset) + ": " + what};
}

uint64_t record_checksum(std::string_view record) {
  return hash_bytes(record.substr(16), load<uint64_t>(record.data()));
}

struct Record {
  ManifestRecordKind kind;
  uint64_t sequence;
  std::string_view payload;
};

std::optional<Record> parse_record(std::string_view bytes) {
  if (bytes.size() < kManifestHeaderBytes || load<uint32_t>(bytes.data()) != kManifestMagic ||
      load<uint16_t>(bytes.data() + 4) != kManifestVersion) {
    return std::nullopt;
  }
  const auto length = load<uint64_t>(bytes.data() + 24);
  if (length > bytes.size() - kManifestHeaderBytes) return std::nullopt;
  if (load<uint64_t>(bytes.data() + 8) !=
      record_checksum(bytes.substr(0, kManifestHeaderBytes + length))) {
    return std::nullopt;
  }
  return Record{static_cast<ManifestRecordKind>(load<uint16_t>(bytes.data() + 6)),
                load<uint64_t>(bytes.data() + 16), bytes.substr(kManifestHeaderBytes, length)};
}

// A list: its count, then each element by `append_one` or `take_one`.
template <class List, class AppendOne>
void append_list(std::string& out, const List& list, AppendOne append_one) {
  append_varint(out, list.size());
  for (const auto& element : list) append_one(out, element);
}
template <class List, class TakeOne>
bool take_list(std::string_view& in, List& list, TakeOne take_one) {
  uint64_t count = 0;
  if (!take_varint(in, count)) return false;
  for (; count > 0; --count) {
    if (!take_one(in, list.emplace_back())) return false;
  }
  return true;
}

bool take_string(std::string_view& in, std::string& value) {
  std::string_view bytes;
  if (!take_bytes(in, bytes)) return false;
  value = bytes;
  return true;
}

void append_id(std::string& out, uint64_t id) { append_varint(out, id); }
bool take_id(std::string_view& in, uint64_t& id) { return take_varint(in, id); }

void append_name(std::string& out, const std::string& name) { append_bytes(out, name); }

void append_range_remove(std::string& out, const RangeRemove& remove) {
  append_bytes(out, remove.range.begin);
  append_bytes(out, remove.range.end);
  append_varint(out, remove.lsn);
}
bool take_range_remove(std::string_view& in, RangeRemove& remove) {
  return take_string(in, remove.range.begin) && take_string(in, remove.range.end) &&
         take_varint(in, remove.lsn);
}

void append_table(std::string& out, const LeveledTable& table) {
  append_varint(out, table.level);
  append_table_description(out, table.table);
}
bool take_table(std::string_view& in, LeveledTable& table) {
  return take_varint(in, table.level) && table.level < kLevelsMax &&
         take_table_description(in, table.table);
}

void append_tablet(std::string& out, const TabletState& tablet) {
  append_varint(out, tablet.id);
  append_bytes(out, tablet.range.begin);
  append_bytes(out, tablet.range.end);
  append_varint(out, tablet.created);
  append_bytes(out, tablet.suspect);
  append_list(out, tablet.range_removes, append_range_remove);
  append_list(out, tablet.tables, append_table);
}
bool take_tablet(std::string_view& in, TabletState& tablet) {
  return take_varint(in, tablet.id) && take_string(in, tablet.range.begin) &&
         take_string(in, tablet.range.end) && take_varint(in, tablet.created) &&
         take_string(in, tablet.suspect) &&
         take_list(in, tablet.range_removes, take_range_remove) &&
         take_list(in, tablet.tables, take_table);
}

void append_change(std::string& out, const TabletEdit& change) {
  append_varint(out, change.id);
  const int flags =
      (change.range_removes ? kHasRangeRemoves : 0) | (change.suspect ? kHasSuspect : 0);
  out.push_back(static_cast<char>(flags));
  append_list(out, change.removed, append_id);
  append_list(out, change.added, append_table);
  if (change.range_removes) append_list(out, *change.range_removes, append_range_remove);
  if (change.suspect) append_bytes(out, *change.suspect);
}
bool take_change(std::string_view& in, TabletEdit& change) {
  uint8_t flags = 0;
  if (!take_varint(in, change.id) || !take_fixed(in, flags) || flags > 3) return false;
  if (!take_list(in, change.removed, take_id) || !take_list(in, change.added, take_table)) {
    return false;
  }
  if ((flags & kHasRangeRemoves) != 0 &&
      !take_list(in, change.range_removes.emplace(), take_range_remove)) {
    return false;
  }
  return (flags & kHasSuspect) == 0 || take_string(in, change.suspect.emplace());
}

void append_checkpoint(std::string& out, const CheckpointState& checkpoint) {
  append_bytes(out, checkpoint.name);
  append_varint(out, checkpoint.lsn);
  append_list(out, checkpoint.tablets, append_tablet);
}
bool take_checkpoint(std::string_view& in, CheckpointState& checkpoint) {
  return take_string(in, checkpoint.name) && take_varint(in, checkpoint.lsn) &&
         take_list(in, checkpoint.tablets, take_tablet);
}

bool decode_edit(std::string_view in, ManifestEdit& edit) {
  return take_varint(in, edit.flushed) && take_varint(in, edit.next_table) &&
         take_varint(in, edit.next_tablet) && take_list(in, edit.created, take_tablet) &&
         take_list(in, edit.dropped, take_id) && take_list(in, edit.changed, take_change) &&
         take_list(in, edit.checkpoints, take_checkpoint) &&
         take_list(in, edit.checkpoints_dropped, take_string) && in.empty();
}

bool table_before(const LeveledTable& a, const LeveledTable& b) {
  if (a.level != b.level) return a.level < b.level;
  if (a.level > 0) return a.table.smallest < b.table.smallest;
  if (a.table.last_lsn != b.table.last_lsn) return a.table.last_lsn > b.table.last_lsn;
  return a.table.id > b.table.id;
}

bool apply_change(TabletState& tablet, const TabletEdit& change) {
  for (const uint64_t id : change.removed) {
    if (std::erase_if(tablet.tables, [id](const auto& at) { return at.table.id == id; }) != 1) {
      return false;
    }
  }
  tablet.tables.insert(tablet.tables.end(), change.added.begin(), change.added.end());
  std::sort(tablet.tables.begin(), tablet.tables.end(), table_before);
  if (change.range_removes) tablet.range_removes = *change.range_removes;
  if (change.suspect) tablet.suspect = *change.suspect;
  return true;
}

// Levels above 0 are disjoint, every table lies in the tablet.
bool sound(const TabletState& tablet) {
  if (tablet.range.empty()) return false;
  for (std::size_t i = 0; i < tablet.tables.size(); ++i) {
    const LeveledTable& at = tablet.tables[i];
    if (at.table.smallest > at.table.largest || !tablet.range.contains(at.table.smallest) ||
        !tablet.range.contains(at.table.largest)) {
      return false;
    }
    if (i > 0 && at.level > 0 && tablet.tables[i - 1].level == at.level &&
        tablet.tables[i - 1].table.largest >= at.table.smallest) {
      return false;
    }
  }
  return true;
}

bool place_tablet(std::vector<TabletState>& tablets, const TabletState& tablet) {
  const auto at = std::upper_bound(
      tablets.begin(), tablets.end(), tablet.range.begin,
      [](const std::string& begin, const TabletState& other) { return begin < other.range.begin; });
  if (at != tablets.begin() && std::prev(at)->range.overlaps(tablet.range)) return false;
  if (at != tablets.end() && at->range.overlaps(tablet.range)) return false;
  tablets.insert(at, tablet);
  return true;
}

}  // namespace

bool apply_manifest_edit(ManifestState& state, const ManifestEdit& edit) {
  for (const uint64_t id : edit.dropped) {
    if (std::erase_if(state.tablets, [id](const auto& tablet) { return tablet.id == id; }) != 1) {
      return false;
    }
  }
  for (const TabletState& tablet : edit.created) {
    if (tablet.id >= edit.next_tablet || !sound(tablet) || !place_tablet(state.tablets, tablet)) {
      return false;
    }
  }
  for (const TabletEdit& change : edit.changed) {
    const auto tablet = std::find_if(state.tablets.begin(), state.tablets.end(),
                                     [&](const auto& at) { return at.id == change.id; });
    if (tablet == state.tablets.end() || !apply_change(*tablet, change) || !sound(*tablet)) {
      return false;
    }
    for (const LeveledTable& added : change.added) {
      if (added.table.id >= edit.next_table) return false;
    }
  }
  for (const std::string& name : edit.checkpoints_dropped) {
    if (std::erase_if(state.checkpoints, [&](const auto& at) { return at.name == name; }) != 1) {
      return false;
    }
  }
  for (const CheckpointState& checkpoint : edit.checkpoints) {
    const auto at = std::lower_bound(
        state.checkpoints.begin(), state.checkpoints.end(), checkpoint.name,
        [](const CheckpointState& other, const std::string& name) { return other.name < name; });
    if (at != state.checkpoints.end() && at->name == checkpoint.name) return false;
    state.checkpoints.insert(at, checkpoint);
  }
  if (edit.flushed < state.flushed || edit.next_table < state.next_table ||
      edit.next_tablet < state.next_tablet) {
    return false;
  }
  state.flushed = edit.flushed;
  state.next_table = edit.next_table;
  state.next_tablet = edit.next_tablet;
  return true;
}

bool ManifestState::names_table(uint64_t id) const {
  const auto in = [id](const std::vector<TabletState>& all) {
    return std::any_of(all.begin(), all.end(), [id](const TabletState& tablet) {
      return std::any_of(tablet.tables.begin(), tablet.tables.end(),
                         [id](const LeveledTable& at) { return at.table.id == id; });
    });
  };
  return in(tablets) || std::any_of(checkpoints.begin(), checkpoints.end(),
                                    [&](const auto& checkpoint) { return in(checkpoint.tablets); });
}

std::string encode_manifest_record(ManifestRecordKind kind, uint64_t sequence,
                                   const ManifestEdit& edit) {
  std::string payload;
  append_varint(payload, edit.flushed);
  append_varint(payload, edit.next_table);
  append_varint(payload, edit.next_tablet);
  append_list(payload, edit.created, append_tablet);
  append_list(payload, edit.dropped, append_id);
  append_list(payload, edit.changed, append_change);
  append_list(payload, edit.checkpoints, append_checkpoint);
  append_list(payload, edit.checkpoints_dropped, append_name);

  std::string record;
  append_fixed(record, kManifestMagic);
  append_fixed(record, kManifestVersion);
  append_fixed(record, static_cast<uint16_t>(kind));
  append_fixed(record, uint64_t{0});
  append_fixed(record, sequence);
  append_fixed(record, static_cast<uint64_t>(payload.size()));
  record += payload;
  store(record.data() + 8, record_checksum(record));
  record.resize(round_up_to_page(record.size()));
  return record;
}

Result<ManifestState> parse_manifest(std::string_view bytes, std::string_view path) {
  ManifestState state;
  for (uint64_t offset = 0; offset < bytes.size();) {
    std::optional<Record> record = parse_record(bytes.substr(offset));
    if (!record) {
      if (offset == 0) return corrupt_manifest(path, 0, "the first record is bad");
      for (uint64_t later = offset + kPageBytes; later < bytes.size(); later += kPageBytes) {
        if (parse_record(bytes.substr(later)))
          return corrupt_manifest(path, offset, "a bad record before good ones");
      }
      return state;  // a torn tail
    }
    const bool first = state.sequence == 0;
    if (first != (record->kind == ManifestRecordKind::kSnapshot) || record->sequence == 0 ||
        (!first && record->sequence != state.sequence + 1)) {
      return corrupt_manifest(path, offset, "a record out of sequence");
    }
    ManifestEdit edit;
    if (!decode_edit(record->payload, edit) || !apply_manifest_edit(state, edit)) {
      return corrupt_manifest(path, offset, "a record that makes no sense");
    }
    state.sequence = record->sequence;
    offset += round_up_to_page(kManifestHeaderBytes + record->payload.size());
  }
  if (state.sequence == 0) return corrupt_manifest(path, 0, "it is empty");
  return state;
}

}  // namespace ringside
