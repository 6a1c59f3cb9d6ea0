// Mistakes: what is wrong with a file, each with its line and column (from 1), in the order of the
// file.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "lab/text.h"

namespace ringside::lab {

struct Mistake {
  int line = 0;  // 0: of the file as a whole
  int column = 0;
  std::string what;
};

class Mistakes {
 public:
  void add(int line, int column, std::string what) {
    list_.push_back({line, column, std::move(what)});
  }
  bool empty() const { return list_.empty(); }
  const std::vector<Mistake>& list() const { return list_; }

  // One "FILE:LINE:COLUMN: what" a line.
  std::string text(std::string_view file) const {
    std::vector<Mistake> sorted = list_;
    std::sort(sorted.begin(), sorted.end(), [](const Mistake& a, const Mistake& b) {
      if (a.line != b.line) return a.line < b.line;
      return a.column != b.column ? a.column < b.column : a.what < b.what;
    });
    std::string text;
    for (const Mistake& mistake : sorted) {
      if (!text.empty()) text += '\n';
      append(text, file, ":", mistake.line, ":", mistake.column, ": ", mistake.what);
    }
    return text;
  }

 private:
  std::vector<Mistake> list_;
};

}  // namespace ringside::lab
