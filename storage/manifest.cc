#include "storage/manifest.h"

#include <algorithm>
#include <utility>

#include "runtime/random.h"
#include "storage/format.h"
#include "storage/log_format.h"

namespace ringside {
namespace {

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

bool decode_edit(std::string_view in, ManifestEdit& edit) {
  uint64_t count = 0;
  if (!take_varint(in, edit.flushed) || !take_varint(in, edit.next_table)) return false;
  if (!take_varint(in, count)) return false;
  for (; count > 0; --count) {
    if (!take_varint(in, edit.removed.emplace_back())) return false;
  }
  if (!take_varint(in, count)) return false;
  for (; count > 0; --count) {
    if (!take_table_description(in, edit.added.emplace_back())) return false;
  }
  return in.empty();
}

// False when the edit does not fit the state.
bool apply_edit(ManifestState& state, const ManifestEdit& edit) {
  for (const uint64_t id : edit.removed) {
    if (std::erase_if(state.tables, [id](const auto& table) { return table.id == id; }) != 1)
      return false;
  }
  for (const TableDescription& table : edit.added) {
    if (table.id >= edit.next_table) return false;
    state.tables.push_back(table);
  }
  std::sort(state.tables.begin(), state.tables.end(),
            [](const auto& a, const auto& b) { return a.last_lsn > b.last_lsn; });
  if (edit.flushed < state.flushed || edit.next_table < state.next_table) return false;
  state.flushed = edit.flushed;
  state.next_table = edit.next_table;
  return true;
}

}  // namespace

std::string encode_manifest_record(ManifestRecordKind kind, uint64_t sequence,
                                   const ManifestEdit& edit) {
  std::string payload;
  append_varint(payload, edit.flushed);
  append_varint(payload, edit.next_table);
  append_varint(payload, edit.removed.size());
  for (const uint64_t id : edit.removed) append_varint(payload, id);
  append_varint(payload, edit.added.size());
  for (const TableDescription& table : edit.added) append_table_description(payload, table);

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
    if (!decode_edit(record->payload, edit) || !apply_edit(state, edit)) {
      return corrupt_manifest(path, offset, "a record that makes no sense");
    }
    state.sequence = record->sequence;
    offset += round_up_to_page(kManifestHeaderBytes + record->payload.size());
  }
  if (state.sequence == 0) return corrupt_manifest(path, 0, "it is empty");
  return state;
}

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
  const std::string record = encode_manifest_record(
      ManifestRecordKind::kSnapshot, ++state.sequence,
      {.flushed = state.flushed, .next_table = state.next_table, .added = state.tables});
  Result<FileId> file = co_await disk.open(next, Disk::kCreate | Disk::kTruncate);
  if (!file.ok()) co_return file.error();
  Result<void> done = co_await disk.write_at(*file, 0, Buffer::copy_of(record));
  if (done.ok()) done = co_await disk.sync(*file);
  if (done.ok()) done = co_await disk.close(*file);
  if (done.ok()) done = co_await disk.rename(next, current);
  if (done.ok()) done = co_await disk.sync_directory(directory_);
  if (!done.ok()) co_return done;
  file = co_await disk.open(current);
  if (!file.ok()) co_return file.error();
  file_ = *file;
  bytes_ = record.size();
  state_ = std::move(state);
  co_return Result<void>();
}

Task<Result<void>> Manifest::apply(ManifestEdit edit) {
  ManifestState next = state_;
  CHECK(apply_edit(next, edit));
  if (bytes_ >= kFileBytesMax || file_ == 0) {
    host_.trace().probe("manifest.rewritten");
    co_return co_await write_snapshot(std::move(next));
  }
  const std::string record =
      encode_manifest_record(ManifestRecordKind::kEdit, state_.sequence + 1, edit);
  Result<void> done = co_await host_.disk().write_at(file_, bytes_, Buffer::copy_of(record));
  if (done.ok()) done = co_await host_.disk().sync(file_);
  if (!done.ok()) co_return done;
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
