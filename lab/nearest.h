// The known name that someone most likely meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ringside::lab {

// Empty when none is near: within a third of the length, and at least one edit.
std::string nearest_name(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace ringside::lab
