#include "node/inspect.h"

#include <utility>

#include "protocols/keys.h"

namespace ringside {

Result<StoredObject> stored_object(const StoredEntry& row) {
  uint64_t position = 0;
  std::string_view key;
  if (!parse_object_row(row.key, position, key) || position != Ring::position_of(key))
    return Error{Code::kCorrupt, "a row of " + std::to_string(row.key.size()) +
                                     " bytes is not named as an object's row is"};
  VersionViews siblings;
  if (!read_object(row.value, siblings))
    return Error{Code::kCorrupt, "the object of key '" + std::string(key) + "' does not decode"};
  StoredObject stored;
  stored.context = context_of(row.value);
  for (const VersionView& version : siblings) {
    stored.siblings.push_back({version.dot, version.operation, version.tombstone, version.time,
                               version.expires, std::string(version.value),
                               std::string(version.clock)});
  }
  stored.key = key;
  stored.encoded = row.value;
  return stored;
}

Task<Result<std::vector<StoredObject>>> read_all(Host& host, EngineOptions options) {
  options.abort_when_poisoned = false;
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, options);
  if (!engine.ok()) co_return engine.error();
  std::vector<StoredObject> objects;
  const ScanLimits limits;
  std::string begin(1, kObjectRow);
  const std::string end(1, kObjectRow + 1);
  for (bool more = true; more;) {
    Result<Rows> rows = co_await (*engine)->scan(begin, end, limits, View::kDurable);
    if (!rows.ok()) co_return rows.error();
    more = !rows->empty();
    for (const StoredEntry& row : *rows) {
      begin = std::string(row.key) + '\0';  // the next key that there can be
      Result<StoredObject> object = stored_object(row);
      if (!object.ok()) co_return object.error();
      objects.push_back(std::move(*object));
    }
  }
  co_return objects;
}

}  // namespace ringside
