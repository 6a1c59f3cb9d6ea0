// One form of EDN, Clojure's data notation (github.com/edn-format/edn), as much as histories need:
// nil, numbers, strings, keywords, symbols, vectors, lists, sets, maps; tags are dropped and
// discarded forms left out. Views into the text, which has to outlive them.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "runtime/result.h"

namespace ringside::isolation {

struct EdnForm {
  enum class Type : unsigned char { kAtom, kString, kSequence, kMap };
  Type type = Type::kAtom;
  std::size_t line = 0;
  std::string_view text;       // an atom's (":r", "nil", "17"), or between a string's quotes
  std::vector<EdnForm> parts;  // of a map: key, value, key, value …

  bool is(std::string_view atom) const { return type == Type::kAtom && text == atom; }
  // The value of a map's key, or nullptr.
  const EdnForm* find(std::string_view key) const;
};

class EdnReader {
 public:
  explicit EdnReader(std::string_view text) : text_(text) {}

  // No further form.
  bool at_end();
  Result<EdnForm> next();
  std::size_t line() const { return line_; }

 private:
  Result<void> read(EdnForm& form, int depth);
  Result<void> read_parts(EdnForm& form, char close, int depth);
  void skip_space();
  Error error(std::string what) const;

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace ringside::isolation
