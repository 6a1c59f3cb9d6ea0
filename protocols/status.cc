#include "protocols/status.h"

#include "protocols/membership/encode.h"

namespace ringside {
namespace {

bool parse_row(std::string_view bytes, std::pair<std::string, std::string>& row) {
  flat::Reader reader(bytes);
  while (reader.next()) {
    if (reader.field() == 1) row.first = std::string(reader.bytes());
    if (reader.field() == 2) row.second = std::string(reader.bytes());
  }
  return reader.ok();
}

bool parse_section(std::string_view bytes, StatusSection& section) {
  flat::Reader reader(bytes);
  while (reader.next()) {
    if (reader.field() == 1) section.name = std::string(reader.bytes());
    if (reader.field() == 2 && !parse_row(reader.bytes(), section.rows.emplace_back()))
      return false;
  }
  return reader.ok();
}

}  // namespace

std::string_view StatusSection::find(std::string_view key) const {
  for (const auto& [name, value] : rows) {
    if (name == key) return value;
  }
  return {};
}

Buffer encode_status(const std::vector<StatusSection>& sections) {
  std::string body;
  for (const StatusSection& section : sections) {
    std::string one;
    append_bytes(one, 1, section.name);
    for (const auto& [key, value] : section.rows) {
      std::string row;
      append_bytes(row, 1, key);
      append_bytes(row, 2, value);
      append_element(one, 2, row);
    }
    append_element(body, 1, one);
  }
  return message_of(body);
}

bool parse_status(std::string_view body, std::vector<StatusSection>& sections) {
  sections.clear();
  flat::Reader reader(body);
  while (reader.next()) {
    if (reader.field() == 1 && !parse_section(reader.bytes(), sections.emplace_back()))
      return false;
  }
  return reader.ok();
}

}  // namespace ringside
