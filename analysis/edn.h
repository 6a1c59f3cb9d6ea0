// Edn: as much of Clojure's data notation (github.com/edn-format/edn) as histories are written in:
// nil, true, false, numbers, keywords, symbols and characters (atoms, which are their text), texts,
// vectors, lists, sets, maps. Tags are dropped, comments and discarded forms left out. Views into
// what is read, which has to outlive them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"

namespace ringside {

struct Edn {
  enum class Kind : uint8_t { kAtom, kText, kVector, kSet, kMap };  // a list is a kVector
  Kind kind = Kind::kAtom;
  uint32_t line = 0;
  std::string_view text = "nil";  // kAtom; kText: between the quotes, as it is written
  std::vector<Edn> items;         // kMap: key, value, key, value …

  bool is(std::string_view atom) const { return kind == Kind::kAtom && text == atom; }
  bool is_nil() const { return is("nil"); }
  bool is_keyword() const { return kind == Kind::kAtom && text.starts_with(':'); }
  bool is_vector() const { return kind == Kind::kVector; }
  bool is_collection() const { return kind == Kind::kVector || kind == Kind::kSet; }
  // A whole number of 64 bits, if it is one.
  std::optional<int64_t> number() const;
  // Of a map, by keyword; nullptr when it has none, or is no map.
  const Edn* find(std::string_view keyword) const;
};
// As it would be written, without its quotes for a text, so that 7, +7 and 7N are one; sets in the
// order given.
std::string edn_text(const Edn& value);

class EdnReader {
 public:
  // `line`: the number of the text's first line.
  explicit EdnReader(std::string_view text, uint32_t line = 1) : text_(text), line_(line) {}

  // Nothing more, or nothing but comments and what is discarded.
  bool at_end();
  // kInvalid with "line 7: …".
  Result<Edn> next();

 private:
  Result<void> read(Edn& value, int depth);
  Result<void> read_items(Edn& value, Edn::Kind kind, char close, int depth);
  Result<void> read_text(Edn& value);
  Result<void> skip_discarded(int depth, bool& skipped);
  void skip_blanks();
  Error error(std::string what) const;

  std::string_view text_;
  std::size_t at_ = 0;
  uint32_t line_;
};

}  // namespace ringside
