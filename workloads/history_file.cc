// The packed form of a history. Writer and reader walk the operations in the same order and keep
// the same predictors, so that most entries are small numbers: the next id of a client, the value
// that was last seen on a key.
#include "workloads/history.h"
#include "workloads/history.pb.h"

namespace ringside {
namespace {

constexpr uint32_t kVersion = 1;
constexpr uint32_t kIdsMax = 0xffff;  // the lower half of `counts`

// Two's complement differences: they wrap, and come back exactly.
int64_t difference(uint64_t a, uint64_t b) { return static_cast<int64_t>(a - b); }
uint64_t restore(uint64_t base, int64_t difference) {
  return base + static_cast<uint64_t>(difference);
}

struct Predictors {
  explicit Predictors(std::size_t clients, std::size_t keys) : last_id(clients), last_value(keys) {}
  std::vector<uint64_t> last_id;    // by client
  std::vector<ValueId> last_value;  // by key: last written, or taken by a read
  Time last_invoked = 0;
};

}  // namespace

std::string encode_history(const History& history) {
  record::History out;
  out.set_version(kVersion);
  for (const std::string& key : history.keys) out.add_keys(key);
  for (const ClientInfo& client : history.clients) out.add_client_process(client.process);
  const int count = static_cast<int>(history.operations.size());
  for (auto* column : {out.mutable_flags(), out.mutable_client(), out.mutable_key(),
                       out.mutable_coordinator(), out.mutable_counts()}) {
    column->Reserve(count);
  }
  for (auto* column : {out.mutable_invoked_delta(), out.mutable_late(), out.mutable_took()}) {
    column->Reserve(count);
  }
  out.mutable_id_delta()->Reserve(count);
  out.mutable_ids_delta()->Reserve(static_cast<int>(history.ids.size()));

  Predictors last(history.clients.size(), history.keys.size());
  for (const Operation& op : history.operations) {
    out.add_flags(static_cast<uint32_t>(op.kind) | static_cast<uint32_t>(op.outcome) << 1 |
                  static_cast<uint32_t>(op.phase) << 3 | static_cast<uint32_t>(op.action) << 5);
    out.add_client(op.client);
    out.add_key(op.key);
    out.add_id_delta(difference(op.id, last.last_id[op.client]));
    last.last_id[op.client] = op.id;
    out.add_invoked_delta(static_cast<uint64_t>(op.invoked - last.last_invoked));
    last.last_invoked = op.invoked;
    out.add_late(static_cast<uint64_t>(op.invoked - op.intended));
    out.add_took(op.finished == kNever ? 0 : static_cast<uint64_t>(op.finished - op.invoked) + 1);
    out.add_coordinator(op.coordinator + 1);  // kNoNode becomes 0
    ValueId& seen = last.last_value[op.key];
    uint64_t before = seen;
    if (op.is_get()) {
      out.add_value_delta(difference(op.value, seen));
      before = op.value;
    } else if (is_of_item(op.action)) {
      out.add_item_delta(difference(op.item, op.id));
    }
    CHECK(op.ids_count <= kIdsMax && op.items_count <= kIdsMax);
    out.add_counts(op.items_count << 16 | op.ids_count);
    for (uint32_t i = 0; i < op.ids_count + op.items_count; ++i) {
      const uint64_t id = history.ids[op.ids_begin + i];
      out.add_ids_delta(difference(id, before));
      before = id;
    }
    if (op.value != kAbsent) seen = op.value;
  }
  return out.SerializeAsString();
}

Result<History> decode_history(std::string_view bytes) {
  record::History in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{Code::kCorrupt, "these bytes are no history"};
  }
  if (in.version() != kVersion) {
    return Error{Code::kCorrupt,
                 "history of version " + std::to_string(in.version()) + "; this program reads 1"};
  }
  const int count = in.flags_size();
  if (in.client_size() != count || in.key_size() != count || in.id_delta_size() != count ||
      in.invoked_delta_size() != count || in.late_size() != count || in.took_size() != count ||
      in.coordinator_size() != count || in.counts_size() != count) {
    return Error{Code::kCorrupt, "the history's columns differ in length"};
  }

  History history;
  history.keys.assign(in.keys().begin(), in.keys().end());
  for (const uint32_t process : in.client_process()) history.clients.push_back({process});
  history.operations.resize(static_cast<std::size_t>(count));
  history.ids.reserve(static_cast<std::size_t>(in.ids_delta_size()));
  Predictors last(history.clients.size(), history.keys.size());
  int values = 0, items = 0, ids = 0;
  for (int i = 0; i < count; ++i) {
    Operation& op = history.operations[static_cast<std::size_t>(i)];
    const uint32_t flags = in.flags(i);
    op.kind = static_cast<OperationKind>(flags & 1);
    op.outcome = static_cast<Outcome>(flags >> 1 & 3);
    op.phase = static_cast<Phase>(flags >> 3 & 3);
    op.action = static_cast<Action>(flags >> 5 & 3);
    op.client = in.client(i);
    op.key = in.key(i);
    const bool has_item = op.is_put() && is_of_item(op.action);
    op.ids_count = in.counts(i) & kIdsMax;
    op.items_count = in.counts(i) >> 16;
    const int listed = static_cast<int>(op.ids_count + op.items_count);
    if (flags >> 7 != 0 || op.outcome > Outcome::kUnknown || op.phase > Phase::kFinal ||
        op.client >= history.clients.size() || op.key >= history.keys.size() ||
        (op.is_get() && values >= in.value_delta_size()) ||
        (has_item && items >= in.item_delta_size()) || listed > in.ids_delta_size() - ids) {
      return Error{Code::kCorrupt, "operation " + std::to_string(i) + " of the history is damaged"};
    }
    op.id = restore(last.last_id[op.client], in.id_delta(i));
    last.last_id[op.client] = op.id;
    op.invoked = static_cast<Time>(restore(static_cast<uint64_t>(last.last_invoked),
                                           static_cast<int64_t>(in.invoked_delta(i))));
    last.last_invoked = op.invoked;
    op.intended = op.invoked - static_cast<Duration>(in.late(i));
    if (in.took(i) != 0) op.finished = op.invoked + static_cast<Duration>(in.took(i) - 1);
    op.coordinator = in.coordinator(i) - 1;
    ValueId& seen = last.last_value[op.key];
    uint64_t before = seen;
    if (op.is_get()) {
      op.value = restore(seen, in.value_delta(values++));
      before = op.value;
    } else {
      op.value = op.id;
      if (has_item) op.item = restore(op.id, in.item_delta(items++));
    }
    op.ids_begin = static_cast<uint32_t>(history.ids.size());
    for (int j = 0; j < listed; ++j) {
      before = restore(before, in.ids_delta(ids++));
      history.ids.push_back(before);
    }
    if (op.value != kAbsent) seen = op.value;
  }
  if (values != in.value_delta_size() || items != in.item_delta_size() ||
      ids != in.ids_delta_size()) {
    return Error{Code::kCorrupt, "the history holds more values than its operations name"};
  }
  return history;
}

}  // namespace ringside
