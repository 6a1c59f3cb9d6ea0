#include "node/inspect.h"

#include <algorithm>
#include <utility>

#include "protocols/keys.h"

namespace ringside {

namespace {

constexpr std::size_t kHintPrefixBytes = 13;  // 0x02, intended u32, position u64

Result<StoredObject> decode_object(std::string_view key, std::string_view bytes) {
  VersionViews siblings;
  if (!read_object(bytes, siblings))
    return Error{Code::kCorrupt, "the object of key '" + std::string(key) + "' does not decode"};
  StoredObject stored;
  stored.context = context_of(bytes);
  for (const VersionView& version : siblings) {
    stored.siblings.push_back({version.dot, version.operation, version.tombstone, version.time,
                               version.expires, std::string(version.value), version.clock});
  }
  stored.key = key;
  stored.encoded = bytes;
  return stored;
}

Result<StoredHint> stored_hint(const StoredEntry& row) {
  const std::string_view name(row.key);
  const std::string_view key = name.substr(std::min(kHintPrefixBytes, name.size()));
  if (name.size() < kHintPrefixBytes || name[0] != kHintRow ||
      get_big_endian(name.data() + 5) != Ring::position_of(key))
    return Error{Code::kCorrupt, "a row of " + std::to_string(name.size()) +
                                     " bytes is not named as a hint's row is"};
  StoredHint hint;
  for (int i = 1; i <= 4; ++i)
    hint.intended =
        hint.intended << 8 | static_cast<unsigned char>(name[static_cast<std::size_t>(i)]);
  Result<StoredObject> object = decode_object(key, row.value);
  if (!object.ok()) return object.error();
  hint.object = std::move(*object);
  return hint;
}

// Rows from `begin` up to `end`; each is handed to `take`, which says what is wrong with it.
template <class Take>
Task<Result<void>> scan_rows(Engine& engine, std::string begin, std::string end, Take take) {
  const ScanLimits limits;
  for (bool more = true; more;) {
    Result<Rows> rows = co_await engine.scan(begin, end, limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    more = !rows->empty();
    for (const StoredEntry& row : *rows) {
      begin = std::string(row.key) + '\0';  // the next key that there can be
      if (Result<void> taken = take(row); !taken.ok()) co_return taken.error();
    }
  }
  co_return Result<void>();
}

}  // namespace

Result<StoredObject> stored_object(const StoredEntry& row) {
  uint64_t position = 0;
  std::string_view key;
  if (!parse_object_row(row.key, position, key) || position != Ring::position_of(key))
    return Error{Code::kCorrupt, "a row of " + std::to_string(row.key.size()) +
                                     " bytes is not named as an object's row is"};
  return decode_object(key, row.value);
}

Task<Result<StoredRows>> read_rows(Host& host, EngineOptions options) {
  options.abort_when_poisoned = false;
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, options);
  if (!engine.ok()) co_return engine.error();
  StoredRows all;
  const auto take = [rows = &all](const StoredEntry& row) -> Result<void> {
    if (row.key[0] == kHintRow) {
      Result<StoredHint> hint = stored_hint(row);
      if (!hint.ok()) return hint.error();
      rows->hints.push_back(std::move(*hint));
      return {};
    }
    Result<StoredObject> object = stored_object(row);
    if (!object.ok()) return object.error();
    rows->objects.push_back(std::move(*object));
    return {};
  };
  Result<void> read =
      co_await scan_rows(**engine, std::string(1, kObjectRow), std::string(1, kHintRow + 1), take);
  if (!read.ok()) co_return read.error();
  co_return all;
}

Task<Result<std::vector<StoredObject>>> read_all(Host& host, EngineOptions options) {
  Result<StoredRows> rows = co_await read_rows(host, std::move(options));
  if (!rows.ok()) co_return rows.error();
  co_return std::move(rows->objects);
}

}  // namespace ringside
