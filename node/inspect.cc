#include "node/inspect.h"

#include <utility>

#include "node/node.h"

namespace ringside {

Result<StoredObject> stored_object(const StoredEntry& row) {
  Object object;
  if (!object.decode(row.value))
    return Error{Code::kCorrupt,
                 "the object of key '" + std::string(row.key) + "' does not decode"};
  StoredObject stored;
  stored.context = object.context;
  for (const Version& version : object.siblings) {
    stored.siblings.push_back(
        {version.dot, version.operation, version.tombstone, std::string(version.value)});
  }
  stored.key = row.key;
  stored.encoded = row.value;
  return stored;
}

Task<Result<std::vector<StoredObject>>> read_all(Host& host, EngineOptions options) {
  options.abort_when_poisoned = false;
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, options);
  if (!engine.ok()) co_return engine.error();
  std::vector<StoredObject> objects;
  const ScanLimits limits;
  std::string begin;
  for (bool more = true; more;) {
    Result<Rows> rows =
        co_await (*engine)->scan(begin, std::string(1, kReservedKey), limits, View::kDurable);
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
