#include "analysis/foreign_log.h"

#include <algorithm>
#include <map>
#include <optional>

#include "analysis/edn.h"

namespace ringside {
namespace {

constexpr std::string_view kEtcdPrefix = "INFO  jepsen.util - ";

// A line of a log, not yet understood.
struct Entry {
  uint32_t line = 0;
  std::string process;
  std::string type;  // ":invoke", ":ok", ":fail", ":info"
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

bool is_pair(const Edn& value) { return value.is(Edn::Kind::kVector) && value.items.size() == 2; }
bool is_collection(const Edn& value) {
  return value.is(Edn::Kind::kVector) || value.is(Edn::Kind::kSet);
}

// ---- Lines ----

bool read_map(std::string_view text, Entry& entry, std::string& wrong) {
  Edn map;
  if (!read_edn(text, map, wrong)) return false;
  if (!map.is(Edn::Kind::kMap)) {
    wrong = "is no map";
    return false;
  }
  for (const char* name : {":process", ":type", ":f"}) {
    if (map.find(name) == nullptr) {
      wrong = std::string("has no ") + name;
      return false;
    }
  }
  entry.process = edn_text(*map.find(":process"));
  entry.type = map.find(":type")->text;
  entry.f = map.find(":f")->text;
  if (const Edn* value = map.find(":value")) entry.value = *value;
  if (const Edn* key = map.find(":key")) entry.key = edn_text(*key);
  return true;
}

bool read_etcd_line(std::string_view text, Entry& entry, std::string& wrong) {
  text.remove_prefix(kEtcdPrefix.size());
  Edn process, type, f;
  if (!read_edn(text, process, wrong) || !read_edn(text, type, wrong) ||
      !read_edn(text, f, wrong) || !read_edn(text, entry.value, wrong)) {
    return false;
  }
  entry.process = edn_text(process);
  entry.type = type.text;
  entry.f = f.text;
  return true;
}

Result<std::vector<Entry>> read_entries(std::string_view bytes, bool etcd) {
  std::vector<Entry> entries;
  for (uint32_t line = 1; !bytes.empty(); ++line) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view text = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Entry entry;
    entry.line = line;
    std::string wrong;
    if (etcd && !text.starts_with(kEtcdPrefix))
      return at_line(line, "does not begin with \"" + std::string(kEtcdPrefix) + "\"");
    if (!(etcd ? read_etcd_line(text, entry, wrong) : read_map(text, entry, wrong)))
      return at_line(line, wrong);
    if (entry.process == ":nemesis") continue;
    if (entry.type != ":invoke" && entry.type != ":ok" && entry.type != ":fail" &&
        entry.type != ":info") {
      return at_line(line, ":type " + (entry.type.empty() ? "?" : entry.type) +
                               " is none of :invoke, :ok, :fail, :info");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

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
      if (*act == Act::kRead && entry.type == ":ok" && is_collection(entry.value))
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
    if (log_.model == ModelKind::kCounter) return static_cast<uint64_t>(value.number);
    return value.is(Edn::Kind::kNil) ? kAbsent : log_.texts->intern(edn_text(value));
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
    call.begin = entry.line;
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
      const bool missing = value->is(Edn::Kind::kNil) ||
                           (log_.model == ModelKind::kCounter && !value->is(Edn::Kind::kNumber));
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
                           call.act == Act::kCompareAndSet && !entry.value.is(Edn::Kind::kWord);
      if (refused) {
        call.end = entry.line;
        call.applied = false;
      } else if (entry.value.is_word(":timed-out") && !call.only_reads()) {
        return {};  // nobody knows
      } else {
        open.building->drop[open.call] = true;
      }
      return {};
    }
    call.end = entry.line;
    return take_result(entry, open, call);
  }

  Result<void> take_result(const Entry& entry, const Open& open, Call& call) {
    const Edn* value = &entry.value;
    if (keyed_) {
      if (!is_pair(*value)) return at_line(entry.line, ":value is no pair of key and value");
      value = &value->items[1];
    }
    if (call.act == Act::kReadAll) {
      if (!is_collection(*value) && !value->is(Edn::Kind::kNil))
        return at_line(entry.line, "a read of a set returns a collection");
      std::vector<uint64_t> elements;
      for (const Edn& item : value->items) elements.push_back(value_of(item));
      std::ranges::sort(elements);
      std::vector<uint64_t>& lists = open.building->calls.lists;
      call.list_begin = static_cast<uint32_t>(lists.size());
      call.list_count = static_cast<uint32_t>(elements.size());
      lists.insert(lists.end(), elements.begin(), elements.end());
    } else if (call.act == Act::kRead || call.act == Act::kDequeue) {
      if (log_.model == ModelKind::kCounter && !value->is(Edn::Kind::kNumber))
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

std::string_view first_line(std::string_view bytes) {
  const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : bytes.substr(begin);
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

bool is_foreign_log(std::string_view bytes) {
  const std::string_view first = first_line(bytes);
  if (first.starts_with(kEtcdPrefix)) return true;
  const bool map = first.starts_with("{") || first.starts_with("#");
  return map && first.substr(0, 4096).find(":process") != std::string_view::npos;
}

Result<ForeignLog> read_foreign_log(std::string_view bytes) {
  const bool etcd = first_line(bytes).starts_with(kEtcdPrefix);
  Result<std::vector<Entry>> entries = read_entries(bytes, etcd);
  if (!entries.ok()) return entries.error();
  return LogBuilder(etcd ? LogFormat::kPorcupineEtcd : LogFormat::kJepsen, *entries).build();
}

}  // namespace ringside
