#include "analysis/foreign_log.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>

namespace ringside {
namespace {

constexpr std::string_view kEtcdPrefix = "INFO  jepsen.util - ";

// An event of a log, not yet understood.
struct Entry {
  uint32_t line = 0;
  Time time = 0;
  std::string process;
  std::string_view type;  // ":invoke", ":ok", ":fail", ":info"
  std::string f;
  std::string key;
  Edn value;
};

Error at_line(uint32_t line, const std::string& what) {
  return {Code::kInvalid, "line " + std::to_string(line) + ": " + what};
}

std::optional<Act> act_of(const std::string& f) {
  static const std::map<std::string, Act, std::less<>> acts = {
      {":read", Act::kRead},       {":get", Act::kRead},          {":write", Act::kWrite},
      {":put", Act::kWrite},       {":cas", Act::kCompareAndSet}, {":append", Act::kAppend},
      {":add", Act::kAdd},         {":remove", Act::kRemove},     {":enqueue", Act::kEnqueue},
      {":dequeue", Act::kDequeue}, {":delete", Act::kDelete},
  };
  const auto found = acts.find(f);
  return found == acts.end() ? std::nullopt : std::optional(found->second);
}

bool is_pair(const Edn& value) { return value.is_vector() && value.items.size() == 2; }

// ---- Events ----

class EntryReader {
 public:
  explicit EntryReader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::vector<Entry>> read_maps() {
    for (EdnReader reader(bytes_); !reader.at_end();) {
      Result<Edn> edn = reader.next();
      if (!edn.ok()) return edn.error();
      const std::span<const Edn> events =
          edn->is_vector() ? std::span<const Edn>(edn->items) : std::span<const Edn>(&*edn, 1);
      for (const Edn& event : events) {
        if (Result<void> done = read_map(event); !done.ok()) return done.error();
      }
    }
    return std::move(entries_);
  }

  Result<std::vector<Entry>> read_etcd() {
    std::string_view rest = bytes_;
    for (uint32_t line = 1; !rest.empty(); ++line) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view text = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      if (!text.starts_with(kEtcdPrefix))
        return at_line(line, "does not begin with \"" + std::string(kEtcdPrefix) + "\"");
      EdnReader reader(text.substr(kEtcdPrefix.size()), line);
      Edn parts[4];  // process, type, f, value
      for (Edn& part : parts) {
        Result<Edn> read = reader.next();
        if (!read.ok()) return read.error();
        part = *std::move(read);
      }
      Entry entry;
      entry.line = line;
      entry.process = edn_text(parts[0]);
      entry.type = parts[1].text;
      entry.f = edn_text(parts[2]);
      entry.value = std::move(parts[3]);
      if (Result<void> done = add(std::move(entry)); !done.ok()) return done.error();
    }
    return std::move(entries_);
  }

 private:
  Result<void> read_map(const Edn& map) {
    if (map.kind != Edn::Kind::kMap) return at_line(map.line, "is no map");
    const Edn* value = map.find(":value");
    const bool unnamed = map.find(":f") == nullptr && value != nullptr && is_transaction(*value);
    for (const char* name : {":process", ":type", ":f"}) {
      const bool needed = name == std::string_view(":type") || !unnamed;
      if (needed && map.find(name) == nullptr)
        return at_line(map.line, std::string("has no ") + name);
    }
    Entry entry;
    entry.line = map.line;
    if (const Edn* process = map.find(":process")) entry.process = edn_text(*process);
    entry.type = map.find(":type")->text;
    entry.f = unnamed ? ":txn" : edn_text(*map.find(":f"));
    if (const Edn* key = map.find(":key")) entry.key = edn_text(*key);
    if (value != nullptr) entry.value = *value;
    return add(std::move(entry));
  }

  Result<void> add(Entry entry) {
    if (entry.process == ":nemesis") return {};
    if (entry.type != ":invoke" && entry.type != ":ok" && entry.type != ":fail" &&
        entry.type != ":info") {
      return at_line(entry.line, ":type " + (entry.type.empty() ? "?" : std::string(entry.type)) +
                                     " is none of :invoke, :ok, :fail, :info");
    }
    entry.time =
        entries_.empty() ? Time{entry.line} : std::max(Time{entry.line}, entries_.back().time + 1);
    entries_.push_back(std::move(entry));
    return {};
  }

  std::string_view bytes_;
  std::vector<Entry> entries_;
};

// ---- What they mean ----

class LogBuilder {
 public:
  LogBuilder(LogFormat format, const std::vector<Entry>& entries) : entries_(entries) {
    log_.format = format;
    log_.texts = std::make_unique<Texts>();
  }

  Result<ForeignLog> build() {
    Result<void> done = choose_model();
    for (const Entry& entry : entries_) {
      if (!done.ok() || log_.transactions) break;
      done = entry.type == ":invoke" ? begin(entry) : end(entry);
    }
    if (!done.ok()) return done.error();
    for (auto& [name, building] : objects_) finish(name, building);
    return std::move(log_);
  }

 private:
  struct Building {
    Calls calls;
    std::vector<bool> drop;  // by call
  };
  struct Open {
    Building* building = nullptr;
    std::size_t call = 0;
    std::string f;
    uint32_t line = 0;
  };

  Result<void> choose_model() {
    const Entry* add = nullptr;
    bool queue = false, reg = false, collection = false;
    for (const Entry& entry : entries_) {
      if (entry.f == ":txn") {
        log_.transactions = true;
        return {};
      }
      const std::optional<Act> act = act_of(entry.f);
      if (!act) return at_line(entry.line, ":f " + entry.f + " is not known");
      if (log_.format == LogFormat::kJepsen &&
          (entry.f == ":get" || entry.f == ":put" || *act == Act::kAppend))
        log_.format = LogFormat::kPorcupineKv;
      queue |= *act == Act::kEnqueue || *act == Act::kDequeue;
      reg |= *act == Act::kWrite || *act == Act::kCompareAndSet || *act == Act::kDelete ||
             *act == Act::kAppend || entry.f == ":get";
      if (*act == Act::kAdd || *act == Act::kRemove) add = &entry;
      if (*act == Act::kRemove) collection = true;
      if (*act == Act::kRead && entry.type == ":ok" && entry.value.is_collection())
        collection = true;
      if ((add != nullptr) + queue + reg > 1)
        return at_line(entry.line,
                       ":f " + entry.f + " belongs to another model than what was before");
      if (*act == Act::kRead && is_pair(entry.value)) keyed_ = true;
    }
    log_.model = queue            ? ModelKind::kQueue
                 : add == nullptr ? ModelKind::kRegister
                 : collection     ? ModelKind::kSet
                                  : ModelKind::kCounter;
    keyed_ &= log_.model == ModelKind::kRegister;
    return {};
  }

  // A register's value; another model's element.
  uint64_t value_of(const Edn& value) {
    if (log_.model == ModelKind::kCounter) return static_cast<uint64_t>(value.number().value_or(0));
    return value.is_nil() ? kAbsent : log_.texts->intern(edn_text(value));
  }

  Result<void> begin(const Entry& entry) {
    if (open_.contains(entry.process)) {
      return at_line(entry.line, "process " + entry.process +
                                     " has not ended what it began in line " +
                                     std::to_string(open_[entry.process].line));
    }
    const Edn* value = &entry.value;
    std::string key = entry.key;
    if (keyed_) {
      if (!is_pair(*value)) return at_line(entry.line, ":value is no pair of key and value");
      key = edn_text(value->items[0]);
      value = &value->items[1];
    }
    Building& building = objects_[key];
    Call call;
    call.begin = entry.time;
    call.source = entry.line;
    call.act = *act_of(entry.f);
    const auto [client, fresh] =
        clients_.emplace(entry.process, static_cast<uint32_t>(clients_.size()));
    call.client = client->second;
    if (entry.process.find_first_not_of("0123456789") == std::string::npos &&
        entry.process.size() < 9)
      call.client = static_cast<uint32_t>(std::stoul(entry.process));
    if (call.act == Act::kRead && log_.model == ModelKind::kSet) call.act = Act::kReadAll;
    if (call.act == Act::kCompareAndSet) {
      if (!is_pair(*value)) return at_line(entry.line, ":cas needs [old new]");
      call.expected = value_of(value->items[0]);
      call.value = value_of(value->items[1]);
    } else if (call.act != Act::kRead && call.act != Act::kReadAll && call.act != Act::kDequeue &&
               call.act != Act::kDelete) {
      const bool missing =
          value->is_nil() || (log_.model == ModelKind::kCounter && !value->number());
      if (missing && call.act != Act::kWrite)
        return at_line(entry.line, entry.f + " needs a :value");
      call.value = value_of(*value);
      if (call.act == Act::kWrite && call.value == kAbsent) call.act = Act::kDelete;
    }
    open_[entry.process] = {&building, building.calls.calls.size(), entry.f, entry.line};
    building.calls.calls.push_back(call);
    building.drop.push_back(false);
    ++log_.operations;
    return {};
  }

  Result<void> end(const Entry& entry) {
    const auto found = open_.find(entry.process);
    if (found == open_.end()) {
      if (entry.type == ":info") return {};  // said of nothing in particular
      return at_line(entry.line, "process " + entry.process + " has begun nothing that could end");
    }
    const Open open = found->second;
    open_.erase(found);
    if (open.f != entry.f) {
      return at_line(entry.line, "process " + entry.process + " ends " + entry.f +
                                     ", but in line " + std::to_string(open.line) + " it began " +
                                     open.f);
    }
    Call& call = open.building->calls.calls[open.call];
    if (entry.type == ":info") return {};
    if (entry.type == ":fail") {
      const bool refused = log_.format == LogFormat::kPorcupineEtcd &&
                           call.act == Act::kCompareAndSet && !entry.value.is_keyword();
      if (refused) {
        call.end = entry.time;
        call.applied = false;
      } else if (entry.value.is(":timed-out") && !call.only_reads()) {
        return {};  // nobody knows
      } else {
        open.building->drop[open.call] = true;
      }
      return {};
    }
    call.end = entry.time;
    return take_result(entry, open, call);
  }

  Result<void> take_result(const Entry& entry, const Open& open, Call& call) {
    const Edn* value = &entry.value;
    if (keyed_) {
      if (!is_pair(*value)) return at_line(entry.line, ":value is no pair of key and value");
      value = &value->items[1];
    }
    if (call.act == Act::kReadAll) {
      if (!value->is_collection() && !value->is_nil())
        return at_line(entry.line, "a read of a set returns a collection");
      std::vector<uint64_t> elements;
      for (const Edn& item : value->items) elements.push_back(value_of(item));
      std::ranges::sort(elements);
      std::vector<uint64_t>& lists = open.building->calls.lists;
      call.list_begin = static_cast<uint32_t>(lists.size());
      call.list_count = static_cast<uint32_t>(elements.size());
      lists.insert(lists.end(), elements.begin(), elements.end());
    } else if (call.act == Act::kRead || call.act == Act::kDequeue) {
      if (log_.model == ModelKind::kCounter && !value->number())
        return at_line(entry.line, "a read of a counter returns a number");
      call.value = value_of(*value);
    }
    return {};
  }

  // Without what did not happen, and without reads that nobody saw the end of.
  void finish(const std::string& name, Building& building) {
    Calls& calls = log_.objects.emplace_back();
    calls.object = name;
    calls.lists = std::move(building.calls.lists);
    for (std::size_t i = 0; i < building.calls.calls.size(); ++i) {
      const Call& call = building.calls.calls[i];
      if (building.drop[i] || (call.only_reads() && !call.known())) continue;
      calls.calls.push_back(call);
    }
  }

  const std::vector<Entry>& entries_;
  ForeignLog log_;
  bool keyed_ = false;
  std::map<std::string, Building> objects_;
  std::map<std::string, Open> open_;
  std::map<std::string, uint32_t> clients_;
};

// Behind blanks and comments.
std::string_view first_event(std::string_view bytes) {
  while (true) {
    bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
    if (!bytes.starts_with(';')) return bytes;
    bytes.remove_prefix(std::min(bytes.find('\n'), bytes.size()));
  }
}

}  // namespace

const char* log_format_name(LogFormat format) {
  switch (format) {
    case LogFormat::kJepsen: return "Jepsen history";
    case LogFormat::kPorcupineKv: return "key-value log";
    case LogFormat::kPorcupineEtcd: return "etcd log";
  }
  return "?";
}

bool is_transaction(const Edn& value) {
  return value.is_vector() && std::ranges::all_of(value.items, [](const Edn& operation) {
           return operation.is_vector() && !operation.items.empty() &&
                  operation.items[0].is_keyword();
         });
}

bool is_foreign_log(std::string_view bytes) {
  const std::string_view first = first_event(bytes);
  if (first.starts_with(kEtcdPrefix)) return true;
  const bool edn = !first.empty() && std::string_view("{#[(").find(first[0]) != std::string::npos;
  return edn && first.substr(0, 4096).find(":type") != std::string_view::npos;
}

Result<ForeignLog> read_foreign_log(std::string_view bytes) {
  const bool etcd = first_event(bytes).starts_with(kEtcdPrefix);
  EntryReader reader(bytes);
  Result<std::vector<Entry>> entries = etcd ? reader.read_etcd() : reader.read_maps();
  if (!entries.ok()) return entries.error();
  return LogBuilder(etcd ? LogFormat::kPorcupineEtcd : LogFormat::kJepsen, *entries).build();
}

}  // namespace ringside
