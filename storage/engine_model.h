// EngineModel: what an outsider knows of an engine, for tests: every batch by its LSN, the tablets
// with every version of their keys, the checkpoints. It answers for any LSN, and can be cut to a
// prefix, as recovery does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/batch.h"
#include "storage/durable_mark.h"
#include "storage/engine.h"
#include "storage/key_range.h"
#include "storage/test_rows.h"

namespace ringside {

struct ModelValue {
  std::string value;
  int64_t expires = 0;  // 0: never
  friend bool operator==(const ModelValue&, const ModelValue&) = default;
};
using ModelState = std::map<std::string, ModelValue>;

// What a reader is told of a state when the wall clock says `wall`, of keys in `range`.
std::vector<Entry> live_entries(const ModelState& state, int64_t wall, const KeyRange& range = {});
// The hashes of a tablet that holds exactly this, from nothing.
MerkleHashes rebuild_merkle(const KeyRange& range, uint32_t depth, const ModelState& state,
                            int64_t wall);

class ModelTablet {
 public:
  ModelTablet(KeyRange range, Lsn created, const ModelState& base);

  const KeyRange& range() const { return range_; }
  void apply(std::string_view batch, Lsn lsn);
  void cut(Lsn end);
  void add_to(ModelState& state, Lsn at) const;

 private:
  struct Version {
    Lsn lsn = 0;
    bool removed = false;
    ModelValue value;
  };

  KeyRange range_;
  Lsn created_;  // of batches up to here it takes nothing
  std::map<std::string, std::vector<Version>, std::less<>> keys_;
};

struct ModelCheckpoint {
  Lsn lsn = 0;
  ModelState state;
};

class EngineModel {
 public:
  // One tablet, of every key.
  EngineModel() { add_tablet({}, 0, {}); }

  Lsn last() const { return batches_.size(); }
  const std::string& batch(Lsn lsn) const { return batches_[lsn - 1]; }
  // Whether every key lies in a tablet.
  bool takes(const Batch& batch) const;
  void append(const Batch& batch);
  void cut(Lsn end);
  // Of all tablets that are there now.
  ModelState at(Lsn lsn) const;

  const std::vector<ModelTablet>& tablets() const { return tablets_; }
  void add_tablet(KeyRange range, Lsn created, const ModelState& base);
  void drop_tablet(const KeyRange& range);
  bool overlaps(const KeyRange& range) const;
  ModelState of_tablet(const KeyRange& range, Lsn lsn) const;

  std::map<std::string, ModelCheckpoint> checkpoints;

 private:
  std::vector<std::string> batches_;
  std::vector<ModelTablet> tablets_;  // by range
};

}  // namespace ringside
