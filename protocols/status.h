// Status: what a node says of itself when it is asked (status_request): sections of rows, a key and
// a value each, for people and for programs that show them. Whatever in a node has something to
// say is a StatusSource. A node's own word: it explains a verdict and never acquits.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/buffer.h"

namespace ringside {

struct StatusSection {
  std::string name;  // "node", "change", "member/3", "hints", …
  std::vector<std::pair<std::string, std::string>> rows;

  void add(std::string key, std::string value) {
    rows.emplace_back(std::move(key), std::move(value));
  }
  void add(std::string key, uint64_t value) { add(std::move(key), std::to_string(value)); }
  // Empty when there is no such row.
  std::string_view find(std::string_view key) const;
};

class StatusSource {
 public:
  virtual ~StatusSource() = default;
  virtual void describe(std::vector<StatusSection>& out) const = 0;
};

Buffer encode_status(const std::vector<StatusSection>& sections);
bool parse_status(std::string_view body, std::vector<StatusSection>& sections);

}  // namespace ringside
