#include "analysis/edn.h"

#include <charconv>
#include <utility>

namespace ringside {
namespace {

constexpr int kDepthMax = 100;

bool is_blank(char c) { return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r'; }
bool ends_atom(char c) {
  return is_blank(c) || std::string_view("()[]{}\";").find(c) != std::string_view::npos;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      c = text[++i];
      c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    out += c;
  }
  return out;
}

}  // namespace

std::optional<int64_t> Edn::number() const {
  if (kind != Kind::kAtom) return std::nullopt;
  std::string_view digits = text;
  if (digits.ends_with('N')) digits.remove_suffix(1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

const Edn* Edn::find(std::string_view keyword) const {
  for (std::size_t i = 0; kind == Kind::kMap && i + 1 < items.size(); i += 2) {
    if (items[i].is(keyword)) return &items[i + 1];
  }
  return nullptr;
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
    case Edn::Kind::kAtom:
      if (const std::optional<int64_t> number = value.number()) return std::to_string(*number);
      return std::string(value.text);
    case Edn::Kind::kText: return unescaped(value.text);
    case Edn::Kind::kVector: return items("[", "]");
    case Edn::Kind::kSet: return items("#{", "}");
    case Edn::Kind::kMap: return items("{", "}");
  }
  return {};
}

Error EdnReader::error(std::string what) const {
  return {Code::kInvalid, "line " + std::to_string(line_) + ": " + std::move(what)};
}

void EdnReader::skip_blanks() {
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      if (at_ == text_.size()) return;
    }
    if (!is_blank(text_[at_])) return;
    line_ += text_[at_] == '\n';
  }
}

Result<void> EdnReader::skip_discarded(int depth, bool& skipped) {
  skip_blanks();
  skipped = text_.substr(at_).starts_with("#_");
  if (!skipped) return {};
  at_ += 2;
  Edn discarded;
  return read(discarded, depth + 1);
}

bool EdnReader::at_end() {
  bool skipped = true;
  while (skipped) {
    skip_blanks();
    const auto [at, line] = std::pair(at_, line_);
    if (skip_discarded(0, skipped).ok()) continue;
    at_ = at;  // for `next` to find out
    line_ = line;
    return false;
  }
  return at_ == text_.size();
}

Result<Edn> EdnReader::next() {
  Edn value;
  if (Result<void> done = read(value, 0); !done.ok()) return done.error();
  return value;
}

Result<void> EdnReader::read(Edn& value, int depth) {
  if (depth > kDepthMax) return error("values are nested too deeply");
  bool skipped = true;
  while (skipped) {
    if (Result<void> done = skip_discarded(depth, skipped); !done.ok()) return done;
  }
  if (at_ == text_.size()) return error("the text ends in the middle of a value");
  value.line = line_;
  const char c = text_[at_];
  switch (c) {
    case '"': return read_text(value);
    case '[': return read_items(value, Edn::Kind::kVector, ']', depth);
    case '(': return read_items(value, Edn::Kind::kVector, ')', depth);
    case '{': return read_items(value, Edn::Kind::kMap, '}', depth);
    case ']':
    case ')':
    case '}': return error(std::string("a value is missing before '") + c + "'");
    default: break;
  }
  if (c == '#' && text_.substr(at_).starts_with("#{")) {
    ++at_;
    return read_items(value, Edn::Kind::kSet, '}', depth);
  }
  const std::size_t begin = at_;
  if (c == '\\') ++at_;  // a character
  do ++at_;
  while (at_ < text_.size() && !ends_atom(text_[at_]));
  if (c == '#') return read(value, depth + 1);  // that was a tag
  value.kind = Edn::Kind::kAtom;
  value.text = text_.substr(begin, at_ - begin);
  return {};
}

Result<void> EdnReader::read_text(Edn& value) {
  const std::size_t begin = ++at_;
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    line_ += text_[at_] == '\n';
  }
  if (at_ == text_.size()) {
    line_ = value.line;
    return error("a text has no end");
  }
  value.kind = Edn::Kind::kText;
  value.text = text_.substr(begin, at_++ - begin);
  return {};
}

Result<void> EdnReader::read_items(Edn& value, Edn::Kind kind, char close, int depth) {
  ++at_;
  value.kind = kind;
  value.text = {};
  for (;;) {
    bool skipped = false;
    if (Result<void> done = skip_discarded(depth, skipped); !done.ok()) return done;
    if (skipped) continue;
    if (at_ == text_.size()) {
      line_ = value.line;
      return error(std::string("'") + close + "' is missing");
    }
    if (text_[at_] == close) break;
    if (Result<void> done = read(value.items.emplace_back(), depth + 1); !done.ok()) return done;
  }
  ++at_;
  if (kind == Edn::Kind::kMap && value.items.size() % 2 != 0)
    return error("a map has a key without a value");
  return {};
}

}  // namespace ringside
