// parse_scenario and load_scenario of lab/experiment.h, and what goes with scenario files.
#include "lab/load.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "lab/check_scenario.h"
#include "lab/parse.h"
#include "lab/text.h"

namespace ringside::lab {

Result<std::string> read_text_file(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return {Code::kNotFound, concat(path, ": cannot be read: ", std::strerror(errno))};
  }
  if (S_ISDIR(status.st_mode))
    return {Code::kInvalid, concat(path, ": is a directory; name a file")};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file || file.bad())
    return {Code::kIo, concat(path, ": cannot be read: ", std::strerror(errno))};
  return std::move(bytes).str();
}

Result<std::unique_ptr<scenario::Scenario>> parse_scenario(std::string_view text,
                                                           std::string_view file_name) {
  auto scenario = std::make_unique<scenario::Scenario>();
  Locations locations;
  Mistakes mistakes;
  parse_text(text, *scenario, locations, mistakes);
  // After a broken syntax the rest is not there to be judged.
  if (mistakes.empty()) check_scenario(*scenario, locations, mistakes);
  if (!mistakes.empty()) return {Code::kInvalid, mistakes.text(file_name)};
  return scenario;
}

Result<std::unique_ptr<scenario::Scenario>> load_scenario(const std::string& path) {
  Result<std::string> text = read_text_file(path);
  if (!text.ok()) return text.error();
  return parse_scenario(*text, path);
}

}  // namespace ringside::lab
