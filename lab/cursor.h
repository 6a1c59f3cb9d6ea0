// Cursor: a message of a parsed scenario together with where it stood in the text, so that whoever
// finds a mistake in a value can point at it.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "lab/mistakes.h"
#include "lab/parse.h"

namespace ringside::lab {

class Cursor {
 public:
  Cursor(const google::protobuf::Message& message, const Locations* locations, Mistakes& mistakes)
      : message_(&message), locations_(locations), mistakes_(&mistakes) {}

  const google::protobuf::Message& message() const { return *message_; }
  bool has(std::string_view field) const;

  // The message in `field` (its index-th). Must be there.
  Cursor nested(std::string_view field, int index = 0) const;
  Cursor nested(const google::protobuf::FieldDescriptor& field, int index = 0) const;

  // Exactly one of these fields must be there; says so when it is not, and answers whether.
  bool exactly_one(const std::vector<std::string>& fields, std::string_view what) const;

  // "FIELD: WHAT" at the field's place; at the message's first field when it is not there itself.
  void mistake(std::string_view field, const std::string& what, int index = 0) const;
  // Of the message as a whole.
  void mistake_here(const std::string& what) const;

 private:
  struct Place {
    int line = 0, column = 0;
  };
  const google::protobuf::FieldDescriptor* find(std::string_view field) const;
  bool place_of(const google::protobuf::FieldDescriptor& field, int index, Place& place) const;
  Place first_place() const;

  const google::protobuf::Message* message_;
  const Locations* locations_;  // null: the message was not in the text
  Mistakes* mistakes_;
  Place opened_{};  // where the message itself stands
};

}  // namespace ringside::lab
