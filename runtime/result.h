// Result<T> is a value or an Error. Errors are values: no exception crosses a room.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "runtime/check.h"

namespace ringside {

enum class Code : unsigned char {
  kUnknown,      // the outcome is not known: it may have happened or may happen later
  kTimeout,      // the deadline passed; for a write this is reported as kUnknown by whoever sent it
  kUnavailable,  // surely not done: refused, or too few replicas could be asked
  kReset,        // the connection broke
  kCorrupt,      // a checksum or a format rule failed
  kIo,           // the device said no
  kNotFound,
  kExists,
  kNoSpace,
  kOverloaded,  // surely not done: try another replica, or later
  kInvalid,     // the caller's input is wrong
  kClosed,      // the object was shut down
};

const char* code_name(Code code);

struct Error {
  Code code = Code::kUnknown;
  std::string message;

  // "timeout: no answer from node 3", for people.
  std::string text() const {
    return message.empty() ? code_name(code) : std::string(code_name(code)) + ": " + message;
  }
};

template <class T>
class [[nodiscard]] Result {
 public:
  using Value = T;

  Result(T value) : value_(std::move(value)) {}      // NOLINT: a value is a result
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: so is an error
  Result(Code code, std::string message = {}) : error_{code, std::move(message)} {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }

  T& value() & {
    CHECK(ok());
    return *value_;
  }
  const T& value() const& {
    CHECK(ok());
    return *value_;
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    CHECK(!ok());
    return error_;
  }
  Code code() const { return error().code; }

 private:
  std::optional<T> value_;
  Error error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using Value = void;

  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT: an error is a result
  Result(Code code, std::string message = {}) : failed_(true), error_{code, std::move(message)} {}

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    CHECK(failed_);
    return error_;
  }
  Code code() const { return error().code; }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace ringside
