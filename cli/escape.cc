#include "cli/escape.h"

namespace ringside::cli {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Bytes of the character at the front (RFC 3629); 0 when there is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
  };
  const unsigned first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Longer than need be, a surrogate, or beyond the last character.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90))
    return 0;
  return bytes;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[c & 15];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = character_bytes(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string on_one_line(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t size = character_bytes(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    // U+0080 to U+009F are control characters too.
    const bool control =
        first < 0x20 || first == 0x7f ||
        (first == 0xc2 && size == 2 && static_cast<unsigned char>(bytes[1]) < 0xa0);
    if (bytes[0] == '\\') {
      out += "\\\\";
    } else if (size > 0 && !control) {
      out += bytes.substr(0, size);
    } else {
      for (const char byte : bytes.substr(0, size == 0 ? 1 : size))
        out += "\\x" + to_hex({&byte, 1});
    }
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

std::optional<std::string> from_one_line(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
    } else if (text.substr(i, 2) == "\\\\") {
      out += '\\';
      ++i;
    } else {
      const std::optional<std::string> byte =
          text.substr(i, 2) == "\\x" ? from_hex(text.substr(i + 2, 2)) : std::nullopt;
      if (!byte || byte->size() != 1) return std::nullopt;
      out += *byte;
      i += 3;
    }
  }
  return out;
}

void add_bytes(Json& json, std::string_view name, std::string_view bytes) {
  if (is_utf8(bytes)) {
    json.field(name, bytes);
  } else {
    json.field(std::string(name) + "_hex", to_hex(bytes));
  }
}

}  // namespace ringside::cli
