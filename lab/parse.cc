#include "lab/parse.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>

#include "lab/nearest.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

std::vector<std::string> field_names(const Descriptor& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
  return names;
}

// "Topology" of "ringside.scenario.Topology"; "Distribution.Part" keeps its parent.
std::string short_name(std::string_view full) {
  constexpr std::string_view kPackage = "ringside.scenario.";
  if (full.starts_with(kPackage)) full.remove_prefix(kPackage.size());
  return std::string(full);
}

// The n-th quoted piece of a protobuf message such as: Message type "X" has no field named "y".
std::string quoted(const std::string& text, int n) {
  const std::vector<std::string> pieces = split(text, '"');
  const std::size_t at = static_cast<std::size_t>(2 * n + 1);
  return at < pieces.size() ? pieces[at] : std::string();
}

// Any field of this name in the schema; what protobuf says of a bad enum word names the field
// alone.
const FieldDescriptor* find_field(const Descriptor& message, const std::string& name,
                                  int depth = 0) {
  if (const FieldDescriptor* field = message.FindFieldByName(name)) return field;
  for (int i = 0; depth < 6 && i < message.field_count(); ++i) {
    const Descriptor* inner = message.field(i)->message_type();
    if (inner == nullptr || inner == &message) continue;
    if (const FieldDescriptor* found = find_field(*inner, name, depth + 1)) return found;
  }
  return nullptr;
}

// Turns protobuf's complaints into ours. Protobuf counts lines and columns from 0 and points behind
// the offending name.
class Collector : public google::protobuf::io::ErrorCollector {
 public:
  Collector(std::string_view text, Mistakes& mistakes)
      : lines_(split(text, '\n')), mistakes_(mistakes) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (contains(message, "Unknown enumeration value")) {
      add_unknown_word(line, column, quoted(message, 0), quoted(message, 1));
    } else if (contains(message, "has no field named")) {
      add_unknown_field(line, column, quoted(message, 0), quoted(message, 1));
    } else if (contains(message, "is specified multiple times")) {
      const std::string name = quoted(message, 0);
      add_at_name(line, column, name, concat(name, ": said twice; say it once"));
    } else {
      const std::string field = field_before(line, column);
      mistakes_.add(line + 1, column + 1,
                    concat(field.empty() ? "" : field + ": ", lower_first(message)));
    }
  }

  // Only unknown fields come as warnings (see parse_text); for us they are mistakes.
  void AddWarning(int line, google::protobuf::io::ColumnNumber column,
                  const std::string& message) override {
    AddError(line, column, message);
  }

 private:
  static std::string lower_first(std::string text) {
    if (!text.empty()) text[0] = static_cast<char>(tolower(text[0]));
    return text;
  }

  void add_unknown_field(int line, int column, const std::string& message,
                         const std::string& name) {
    const Descriptor* type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(message);
    std::string what = concat(name, ": ", short_name(message), " has no such field");
    if (type != nullptr) {
      const std::vector<std::string> known = field_names(*type);
      const std::string near = nearest_name(name, known);
      if (!near.empty()) append(what, "; did you mean ", near, "?");
      append(what, near.empty() ? "; it has " : " (it has ", join(known, ", "),
             near.empty() ? "" : ")");
    }
    add_at_name(line, column, name, what);
  }

  void add_unknown_word(int line, int column, const std::string& word,
                        const std::string& field_name) {
    std::string what = concat(field_name, ": \"", word, "\" is not one of its words");
    const FieldDescriptor* field = find_field(*scenario::Scenario::descriptor(), field_name);
    if (field != nullptr && field->enum_type() != nullptr) {
      std::vector<std::string> words;
      for (int i = 0; i < field->enum_type()->value_count(); ++i)
        words.push_back(field->enum_type()->value(i)->name());
      const std::string near = nearest_name(word, words);
      append(what, "; use ", join(words, ", "));
      if (!near.empty() && words.size() > 1) append(what, " (did you mean ", near, "?)");
    }
    add_at_name(line, column, word, what);
  }

  // Protobuf looks one token ahead; the name stands at or before the place that it reports.
  void add_at_name(int line, int column, const std::string& name, const std::string& what) {
    for (int at = line; at >= 0 && at > line - 3 && at < static_cast<int>(lines_.size()); --at) {
      const std::string& text = lines_[static_cast<std::size_t>(at)];
      const std::size_t from = at == line ? static_cast<std::size_t>(column) : std::string::npos;
      const std::size_t found = text.rfind(name, from);
      if (found != std::string::npos) {
        mistakes_.add(at + 1, static_cast<int>(found) + 1, what);
        return;
      }
    }
    mistakes_.add(line + 1, column + 1, what);
  }

  // "rate" of `rate: 5` when the mistake is at the 5.
  std::string field_before(int line, int column) const {
    if (line < 0 || line >= static_cast<int>(lines_.size())) return {};
    std::string_view text = std::string_view(lines_[static_cast<std::size_t>(line)])
                                .substr(0, static_cast<std::size_t>(column));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    if (text.empty() || text.back() != ':') return {};
    text.remove_suffix(1);
    std::size_t begin = text.size();
    while (begin > 0 &&
           (isalnum(static_cast<unsigned char>(text[begin - 1])) || text[begin - 1] == '_'))
      --begin;
    return std::string(text.substr(begin));
  }

  std::vector<std::string> lines_;
  Mistakes& mistakes_;
};

}  // namespace

void parse_text(std::string_view text, scenario::Scenario& scenario, Locations& locations,
                Mistakes& mistakes) {
  Collector collector(text, mistakes);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&locations);
  parser.AllowUnknownField(true);  // reported all the same, and then the rest is read too
  parser.AllowPartialMessage(true);
  const bool parsed = parser.ParseFromString(std::string(text), &scenario);
  if (!parsed && mistakes.empty()) mistakes.add(1, 1, "this is no scenario text");
}

}  // namespace ringside::lab
