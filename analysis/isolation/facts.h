// Statements about a history that an independent verifier re-derives by looking at every operation:
// no index, no inference that is shared with the checker. See verify.h.
#pragma once

#include "analysis/isolation/dependencies.h"

namespace ringside::isolation {

class Facts {
 public:
  Facts(const TransactionHistory& history, const DependencyOptions& options)
      : history_(history), options_(options) {}

  // Ok, or of unknown outcome and seen.
  bool happened(TransactionId id) const;
  bool write_write(TransactionId a, TransactionId b) const;
  bool write_read(TransactionId a, TransactionId b) const;
  bool read_write(TransactionId a, TransactionId b) const;
  bool process(TransactionId a, TransactionId b) const;
  bool real_time(TransactionId a, TransactionId b) const;
  bool edge(EdgeKind kind, TransactionId a, TransactionId b) const;

  // The transaction that wrote a value, kNoTransaction when nobody did.
  TransactionId writer(ObjectId object, Value value) const;
  bool wrote(TransactionId id, ObjectId object) const;
  // Its last write to the object.
  Value last_written(TransactionId id, ObjectId object) const;
  // Does this read return, as its newest version, a write of another transaction?
  bool reads_from(const Op& read, TransactionId writer) const;
  const TransactionHistory& history() const { return history_; }

 private:
  bool element_before(ObjectId object, Value first, Value second) const;
  bool version_before(ObjectId object, Value first, Value second) const;
  bool met_before(ObjectId object, Value first, Value second) const;

  const TransactionHistory& history_;
  const DependencyOptions& options_;
};

}  // namespace ringside::isolation
