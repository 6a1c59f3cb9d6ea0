// Json: writes one JSON document, in the order of the calls. Commas and escapes are its business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringside::cli {

class Json {
 public:
  Json& begin_object() { return open('{'); }
  Json& end_object() { return close('}'); }
  Json& begin_array() { return open('['); }
  Json& end_array() { return close(']'); }
  Json& key(std::string_view name);
  Json& text(std::string_view value);
  Json& number(double value);  // what is no number becomes null
  Json& number(uint64_t value);
  Json& boolean(bool value);

  // key and value at once
  Json& field(std::string_view name, std::string_view value) { return key(name).text(value); }
  Json& field(std::string_view name, const char* value) { return key(name).text(value); }
  Json& field(std::string_view name, double value) { return key(name).number(value); }
  Json& field(std::string_view name, uint64_t value) { return key(name).number(value); }
  Json& field(std::string_view name, bool value) { return key(name).boolean(value); }

  const std::string& str() const { return out_; }

 private:
  Json& open(char bracket);
  Json& close(char bracket);
  void separate();

  std::string out_;
  bool fresh_ = true;  // nothing stands before the next value at this level
};

}  // namespace ringside::cli
