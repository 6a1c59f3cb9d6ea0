// Edn: as much of Clojure's data notation as histories are written in: nil, true, false, whole
// numbers, texts, keywords and symbols, vectors, lists, sets, maps, and tags, which are skipped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringside {

struct Edn {
  enum class Kind : uint8_t { kNil, kNumber, kText, kWord, kVector, kSet, kMap };
  Kind kind = Kind::kNil;
  int64_t number = 0;
  std::string text;        // kText; kWord: with its colon, if it has one
  std::vector<Edn> items;  // kMap: key, value, key, value …

  bool is(Kind what) const { return kind == what; }
  bool is_word(std::string_view word) const { return kind == Kind::kWord && text == word; }
  // Of a map, by keyword; nullptr when it has none.
  const Edn* find(std::string_view keyword) const;
};

// The value at the front of `text`, which then begins behind it. False and what is wrong.
bool read_edn(std::string_view& text, Edn& value, std::string& wrong);
// As it would be written; sets in the order given.
std::string edn_text(const Edn& value);

}  // namespace ringside
