#include "lab/fault_text.h"

#include <google/protobuf/descriptor.h>

#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr Duration kUnsaidLength = kSecond;  // as scenario.proto says of restart_after

bool is_place(const FieldDescriptor& field) {
  const scenario::Kind kind = field.options().GetExtension(scenario::is);
  return kind == scenario::PLACE || kind == scenario::PLACE_OR_CLIENT;
}

std::vector<std::string> texts_of(const Message& message, const FieldDescriptor& field) {
  const Reflection* reflection = message.GetReflection();
  std::vector<std::string> texts;
  if (!field.is_repeated()) {
    if (reflection->HasField(message, &field))
      texts.push_back(reflection->GetString(message, &field));
    return texts;
  }
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i)
    texts.push_back(reflection->GetRepeatedString(message, &field, i));
  return texts;
}

// "factor 3", "2 machines", "refuse", "direction outbound".
std::string value_text(const Message& message, const FieldDescriptor& field) {
  const Reflection* reflection = message.GetReflection();
  const std::string name = as_words(field.name());
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, &field) ? name : "no " + name;
    case FieldDescriptor::CPPTYPE_UINT32:
      return concat(reflection->GetUInt32(message, &field), " ", name);
    case FieldDescriptor::CPPTYPE_UINT64:
      return concat(reflection->GetUInt64(message, &field), " ", name);
    case FieldDescriptor::CPPTYPE_INT32:
      return concat(name, " ", reflection->GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return concat(name, " ", reflection->GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return concat(name, " ", reflection->GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return concat(name, " ", as_words(reflection->GetEnum(message, &field)->name()));
    default: return name;
  }
}

// Places into `fault`, everything else into words.
void describe_kind(const Message& kind, FaultText& fault) {
  std::vector<std::string> more;
  bool takes_places = false;
  const google::protobuf::Descriptor* descriptor = kind.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor->field(i);
    takes_places = takes_places || is_place(field);
    const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    if (text) {
      const std::vector<std::string> texts = texts_of(kind, field);
      if (texts.empty()) continue;
      if (is_place(field)) {
        fault.places.insert(fault.places.end(), texts.begin(), texts.end());
      } else {
        more.push_back(concat(as_words(field.name()), " ", join(texts, ", ")));
      }
    } else if (!field.is_repeated() && kind.GetReflection()->HasField(kind, &field)) {
      more.push_back(value_text(kind, field));
    }
  }
  fault.everywhere = !takes_places;
  fault.what = fault.kind;
  if (!fault.places.empty()) append(fault.what, " of ", join(fault.places, ", "));
  if (!more.empty()) append(fault.what, ", ", join(more, ", "));
}

}  // namespace

std::string as_words(std::string_view identifier) {
  std::string words(identifier);
  for (char& c : words) {
    if (c == '_') c = ' ';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return words;
}

FaultText describe_fault(const scenario::Fault& fault) {
  FaultText out;
  out.length = kUnsaidLength;
  std::vector<std::string> when;
  const Message* kind = nullptr;
  const google::protobuf::Descriptor* descriptor = fault.GetDescriptor();
  const Reflection* reflection = fault.GetReflection();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor->field(i);
    if (field.is_repeated() || !reflection->HasField(fault, &field)) continue;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      out.kind = as_words(field.name());
      kind = &reflection->GetMessage(fault, &field);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      when.push_back(concat(as_words(field.name()), " ", reflection->GetString(fault, &field)));
    } else {
      when.push_back(value_text(fault, field));
    }
  }
  out.when = join(when, ", ");
  out.probe = fault.on_probe();
  if (fault.has_at()) out.at = span_of(fault.at());
  if (fault.has_for_()) {
    out.length = span_of(fault.for_());
  } else if (fault.has_restart_after()) {
    out.length = span_of(fault.restart_after());
  }
  if (kind != nullptr) describe_kind(*kind, out);
  // The node that reaches the probe is the victim, whatever the kind can take.
  return out;
}

}  // namespace ringside::lab
