#include "analysis/edn.h"

#include <charconv>

namespace ringside {
namespace {

constexpr int kDepthMax = 64;

class EdnReader {
 public:
  EdnReader(std::string_view& text, std::string& wrong) : text_(text), wrong_(wrong) {}

  bool read(Edn& value, int depth = 0) {
    skip_blanks();
    if (text_.empty()) return fail("the line ends in the middle of a value");
    if (depth > kDepthMax) return fail("values are nested too deeply");
    switch (text_.front()) {
      case '"': return read_text(value);
      case '[': return read_items(value, Edn::Kind::kVector, ']', 1, depth);
      case '(': return read_items(value, Edn::Kind::kVector, ')', 1, depth);
      case '{': return read_items(value, Edn::Kind::kMap, '}', 1, depth);
      case '#': return read_tagged(value, depth);
      case ']':
      case ')':
      case '}': return fail(std::string("a value is missing before '") + text_.front() + "'");
      default: return read_word(value);
    }
  }

 private:
  bool fail(std::string what) {
    wrong_ = std::move(what);
    return false;
  }
  static bool blank(char c) { return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n'; }
  void skip_blanks() {
    while (!text_.empty() && blank(text_.front())) text_.remove_prefix(1);
  }

  bool read_tagged(Edn& value, int depth) {
    if (text_.starts_with("#{")) return read_items(value, Edn::Kind::kSet, '}', 2, depth);
    std::size_t end = 1;
    while (end < text_.size() && !blank(text_[end]) &&
           std::string_view("{[(\"").find(text_[end]) == std::string_view::npos) {
      ++end;
    }
    text_.remove_prefix(end);
    return read(value, depth + 1);
  }

  bool read_items(Edn& value, Edn::Kind kind, char close, std::size_t open, int depth) {
    value.kind = kind;
    value.items.clear();
    text_.remove_prefix(open);
    while (true) {
      skip_blanks();
      if (text_.empty()) return fail(std::string("'") + close + "' is missing");
      if (text_.front() == close) break;
      if (!read(value.items.emplace_back(), depth + 1)) return false;
    }
    text_.remove_prefix(1);
    if (kind == Edn::Kind::kMap && value.items.size() % 2 != 0)
      return fail("a map has a key without a value");
    return true;
  }

  bool read_text(Edn& value) {
    value.kind = Edn::Kind::kText;
    value.text.clear();
    for (std::size_t at = 1; at < text_.size(); ++at) {
      char c = text_[at];
      if (c == '"') {
        text_.remove_prefix(at + 1);
        return true;
      }
      if (c == '\\' && at + 1 < text_.size()) {
        c = text_[++at];
        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
      }
      value.text += c;
    }
    return fail("a text has no end");
  }

  bool read_word(Edn& value) {
    std::size_t end = 0;
    while (end < text_.size() && !blank(text_[end]) &&
           std::string_view("{}[]()\"").find(text_[end]) == std::string_view::npos) {
      ++end;
    }
    const std::string_view word = text_.substr(0, end);
    text_.remove_prefix(end);
    const bool number = word[0] == '-' ? word.size() > 1 : word[0] >= '0' && word[0] <= '9';
    if (number) {
      value.kind = Edn::Kind::kNumber;
      const auto [last, error] =
          std::from_chars(word.data(), word.data() + word.size(), value.number);
      if (error == std::errc() && last == word.data() + word.size()) return true;
      value.kind = Edn::Kind::kWord;  // a fraction, say: what it is worth is its text
    } else {
      value.kind = word == "nil" ? Edn::Kind::kNil : Edn::Kind::kWord;
    }
    value.text = word;
    return true;
  }

  std::string_view& text_;
  std::string& wrong_;
};

}  // namespace

const Edn* Edn::find(std::string_view keyword) const {
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].is_word(keyword)) return &items[i + 1];
  }
  return nullptr;
}

bool read_edn(std::string_view& text, Edn& value, std::string& wrong) {
  return EdnReader(text, wrong).read(value);
}

std::string edn_text(const Edn& value) {
  const auto items = [&](const char* open, const char* close) {
    std::string text = open;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      text += (i > 0 ? " " : "") + edn_text(value.items[i]);
    }
    return text + close;
  };
  switch (value.kind) {
    case Edn::Kind::kNil: return "nil";
    case Edn::Kind::kNumber: return std::to_string(value.number);
    case Edn::Kind::kText: return value.text;
    case Edn::Kind::kWord: return value.text;
    case Edn::Kind::kVector: return items("[", "]");
    case Edn::Kind::kSet: return items("#{", "}");
    case Edn::Kind::kMap: return items("{", "}");
  }
  return {};
}

}  // namespace ringside
