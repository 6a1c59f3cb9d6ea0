#include "analysis/isolation/edn_form.h"

namespace ringside::isolation {
namespace {

constexpr int kDepthMax = 100;

bool is_space(char c) { return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r'; }
bool ends_atom(char c) {
  return is_space(c) || c == '(' || c == ')' || c == '[' || c == ']' || c == '{' || c == '}' ||
         c == '"' || c == ';';
}

}  // namespace

const EdnForm* EdnForm::find(std::string_view key) const {
  for (std::size_t i = 0; type == Type::kMap && i + 1 < parts.size(); i += 2) {
    if (parts[i].is(key)) return &parts[i + 1];
  }
  return nullptr;
}

Error EdnReader::error(std::string what) const {
  return {Code::kInvalid, "line " + std::to_string(line_) + ": " + std::move(what)};
}

void EdnReader::skip_space() {
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      if (at_ == text_.size()) return;
    }
    if (!is_space(text_[at_])) return;
    line_ += text_[at_] == '\n';
  }
}

// Discarded forms may be all that is left.
bool EdnReader::at_end() {
  for (;;) {
    skip_space();
    if (!text_.substr(at_).starts_with("#_")) return at_ == text_.size();
    at_ += 2;
    EdnForm discarded;
    if (!read(discarded, 0).ok()) return true;
  }
}

Result<EdnForm> EdnReader::next() {
  EdnForm form;
  if (Result<void> done = read(form, 0); !done.ok()) return done.error();
  return form;
}

Result<void> EdnReader::read(EdnForm& form, int depth) {
  skip_space();
  if (depth > kDepthMax) return error("nested deeper than " + std::to_string(kDepthMax));
  if (at_ == text_.size()) return error("the text ends where a form was expected");
  form.line = line_;
  const char c = text_[at_];
  if (c == '[' || c == '(') {
    ++at_;
    form.type = EdnForm::Type::kSequence;
    return read_parts(form, c == '[' ? ']' : ')', depth);
  }
  if (c == '{') {
    ++at_;
    form.type = EdnForm::Type::kMap;
    if (Result<void> done = read_parts(form, '}', depth); !done.ok()) return done;
    return form.parts.size() % 2 == 0 ? Result<void>() : error("a map has a key without a value");
  }
  if (c == '"') {
    const std::size_t begin = ++at_;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      line_ += text_[at_] == '\n';
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) return error("a string without its end");
    form.type = EdnForm::Type::kString;
    form.text = text_.substr(begin, at_++ - begin);
    return {};
  }
  if (c == ']' || c == ')' || c == '}') return error(std::string("'") + c + "' closes nothing");
  if (c == '#' && at_ + 1 < text_.size()) {
    if (text_[at_ + 1] == '{') {
      at_ += 2;
      form.type = EdnForm::Type::kSequence;
      return read_parts(form, '}', depth);
    }
    if (text_[at_ + 1] == '_') {
      at_ += 2;
      EdnForm discarded;
      if (Result<void> done = read(discarded, depth + 1); !done.ok()) return done;
      return read(form, depth + 1);
    }
    while (at_ < text_.size() && !ends_atom(text_[at_])) ++at_;  // a tag
    return read(form, depth + 1);
  }
  const std::size_t begin = at_;
  if (c == '\\') ++at_;  // a character
  do ++at_;
  while (at_ < text_.size() && !ends_atom(text_[at_]));
  form.text = text_.substr(begin, at_ - begin);
  return {};
}

Result<void> EdnReader::read_parts(EdnForm& form, char close, int depth) {
  for (;;) {
    skip_space();
    if (at_ == text_.size()) return error(std::string("'") + close + "' is missing");
    if (text_[at_] == close) {
      ++at_;
      return {};
    }
    if (text_.substr(at_).starts_with("#_")) {
      at_ += 2;
      EdnForm discarded;
      if (Result<void> done = read(discarded, depth + 1); !done.ok()) return done;
      continue;
    }
    if (Result<void> done = read(form.parts.emplace_back(), depth + 1); !done.ok()) return done;
  }
}

}  // namespace ringside::isolation
