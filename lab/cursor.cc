#include "lab/cursor.h"

#include <google/protobuf/descriptor.h>

#include "lab/text.h"
#include "runtime/check.h"

namespace ringside::lab {

using google::protobuf::FieldDescriptor;

const FieldDescriptor* Cursor::find(std::string_view field) const {
  const FieldDescriptor* found = message_->GetDescriptor()->FindFieldByName(std::string(field));
  CHECK(found != nullptr);
  return found;
}

bool Cursor::has(std::string_view field) const {
  const FieldDescriptor* found = find(field);
  const google::protobuf::Reflection* reflection = message_->GetReflection();
  return found->is_repeated() ? reflection->FieldSize(*message_, found) > 0
                              : reflection->HasField(*message_, found);
}

Cursor Cursor::nested(std::string_view field, int index) const {
  return nested(*find(field), index);
}

Cursor Cursor::nested(const FieldDescriptor& field, int index) const {
  const google::protobuf::Reflection* reflection = message_->GetReflection();
  const google::protobuf::Message& inner =
      field.is_repeated() ? reflection->GetRepeatedMessage(*message_, &field, index)
                          : reflection->GetMessage(*message_, &field);
  const int at = field.is_repeated() ? index : -1;
  const Locations* locations =
      locations_ == nullptr ? nullptr : locations_->GetTreeForNested(&field, at);
  Cursor cursor(inner, locations, *mistakes_);
  if (!place_of(field, index, cursor.opened_)) cursor.opened_ = opened_;
  return cursor;
}

bool Cursor::place_of(const FieldDescriptor& field, int index, Place& place) const {
  if (locations_ == nullptr) return false;
  const auto location = locations_->GetLocation(&field, field.is_repeated() ? index : -1);
  if (location.line < 0) return false;
  place = {location.line + 1, location.column + 1};
  return true;
}

Cursor::Place Cursor::first_place() const {
  if (opened_.line > 0) return opened_;
  return {1, 1};
}

bool Cursor::exactly_one(const std::vector<std::string>& fields, std::string_view what) const {
  std::vector<std::string> said;
  for (const std::string& field : fields) {
    if (has(field)) said.push_back(field);
  }
  if (said.size() == 1) return true;
  if (said.empty()) {
    mistake_here(concat(what, " needs one of ", join(fields, ", ")));
  } else {
    mistake(said[1],
            concat(what, " takes one of ", join(fields, ", "), "; ", said[0], " is there already"));
  }
  return false;
}

void Cursor::mistake(std::string_view field, const std::string& what, int index) const {
  Place place = first_place();
  place_of(*find(field), index, place);
  mistakes_->add(place.line, place.column, concat(field, ": ", what));
}

void Cursor::mistake_here(const std::string& what) const {
  const Place place = first_place();
  mistakes_->add(place.line, place.column, what);
}

}  // namespace ringside::lab
