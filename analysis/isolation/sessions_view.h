// A history as the weak levels see it: who wrote what, who read from whom, session by session.
#pragma once

#include <span>
#include <vector>

#include "analysis/isolation/dependencies.h"

namespace ringside::isolation {

inline constexpr TransactionId kInitialTransaction = kNoTransaction - 1;

class SessionsView {
 public:
  struct Read {
    ObjectId object;
    TransactionId from;  // never the reader itself; kInitialTransaction for the initial version
  };
  struct Writer {
    ObjectId object;
    uint32_t session, index;  // place in the session
    TransactionId id;
    auto operator<=>(const Writer&) const = default;
  };

  SessionsView(const TransactionHistory& history, const Versions& versions);

  uint32_t transactions() const { return static_cast<uint32_t>(session_.size()); }
  // Sessions of committed transactions, in order.
  const std::vector<std::vector<TransactionId>>& sessions() const { return sessions_; }
  uint32_t session(TransactionId id) const { return session_[id]; }
  uint32_t index(TransactionId id) const { return index_[id]; }
  // In the transaction's own order.
  std::span<const Read> reads(TransactionId id) const {
    return {reads_.data() + read_begin_[id], read_begin_[id + 1] - read_begin_[id]};
  }
  // Ascending, each once.
  std::span<const ObjectId> written(TransactionId id) const {
    return {written_.data() + written_begin_[id], written_begin_[id + 1] - written_begin_[id]};
  }
  bool writes(TransactionId id, ObjectId object) const;
  // Of one object, by session and place in it.
  std::span<const Writer> writers(ObjectId object) const;
  // Of one object, in a session before a place.
  std::span<const Writer> writers(ObjectId object, uint32_t session, uint32_t before) const;
  // The last writer of an object in a session before a place; kNoTransaction when there is none.
  TransactionId last_writer(ObjectId object, uint32_t session, uint32_t before) const;

  const std::vector<Edge>& session_order() const { return session_order_; }
  const std::vector<Edge>& read_from() const { return read_from_; }
  const std::vector<Edge>& version_order() const { return version_order_; }

 private:
  void order_versions(const TransactionHistory& history, const Versions& versions);

  std::vector<std::vector<TransactionId>> sessions_;
  std::vector<uint32_t> session_, index_;  // by transaction
  std::vector<Read> reads_;
  std::vector<ObjectId> written_;
  std::vector<uint32_t> read_begin_, written_begin_;
  std::vector<Writer> writers_;
  std::vector<uint32_t> writer_begin_;
  std::vector<Edge> session_order_, read_from_, version_order_;
};

}  // namespace ringside::isolation
