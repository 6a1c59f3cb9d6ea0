#include "cli/json.h"

#include <cmath>

#include "lab/text.h"

namespace ringside::cli {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += lab::format("\\u%04x", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

void Json::separate() {
  if (!fresh_) out_ += ',';
  fresh_ = false;
}

Json& Json::open(char bracket) {
  separate();
  out_ += bracket;
  fresh_ = true;
  return *this;
}

Json& Json::close(char bracket) {
  out_ += bracket;
  fresh_ = false;
  return *this;
}

Json& Json::key(std::string_view name) {
  separate();
  out_ += quoted(name) + ':';
  fresh_ = true;
  return *this;
}

Json& Json::text(std::string_view value) {
  separate();
  out_ += quoted(value);
  return *this;
}

Json& Json::number(double value) {
  separate();
  out_ += std::isfinite(value) ? lab::format("%.10g", value) : "null";
  return *this;
}

Json& Json::number(uint64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

Json& Json::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

}  // namespace ringside::cli
