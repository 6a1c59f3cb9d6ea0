// Bytes as text: what keys and values hold, on one line of a terminal, in JSON and on a command
// line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/json.h"

namespace ringside::cli {

std::string to_hex(std::string_view bytes);
// Nothing when it is not pairs of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view text);

bool is_utf8(std::string_view bytes);

// A backslash becomes two; control characters and what is no UTF-8 become \xNN. One line whatever
// it holds, and different bytes are different texts.
std::string on_one_line(std::string_view bytes);
// The other way. Nothing when a backslash is followed by something else.
std::optional<std::string> from_one_line(std::string_view text);

// A field with the name as text; what is no UTF-8 is hexadecimal under the name with "_hex".
void add_bytes(Json& json, std::string_view name, std::string_view bytes);

}  // namespace ringside::cli
