#include "storage/engine_model.h"

#include <algorithm>
#include <optional>

#include "storage/merkle.h"

namespace ringside {

std::vector<Entry> live_entries(const ModelState& state, int64_t wall, const KeyRange& range) {
  std::vector<Entry> live;
  for (auto at = state.lower_bound(range.begin); at != state.end(); ++at) {
    if (!before_end(at->first, range.end)) break;
    const ModelValue& value = at->second;
    if (value.expires == 0 || value.expires > wall) live.push_back({at->first, value.value});
  }
  return live;
}

MerkleHashes rebuild_merkle(const KeyRange& range, uint32_t depth, const ModelState& state,
                            int64_t wall) {
  MerkleTree tree(range, depth);
  for (uint32_t leaf = 0; leaf < tree.leaves(); ++leaf) {
    const KeyRange part = tree.leaf_range(leaf);
    MerkleLeaf hasher;
    for (auto at = state.lower_bound(part.begin); at != state.end() && !part.empty(); ++at) {
      if (!before_end(at->first, part.end)) break;
      const ModelValue& value = at->second;
      if (value.expires != 0 && value.expires <= wall) continue;
      hasher.add(at->first, value.value, value.expires);
    }
    tree.begin(leaf);
    tree.set(leaf, hasher.hash(), hasher.first_expiry());
  }
  return tree.hashes();
}

ModelTablet::ModelTablet(KeyRange range, Lsn created, const ModelState& base)
    : range_(std::move(range)), created_(created) {
  for (const auto& [key, value] : base) keys_[key].push_back({0, false, value});
}

void ModelTablet::apply(std::string_view batch, Lsn lsn) {
  if (lsn <= created_) return;
  // Removes of ranges come before everything else in their batch.
  BatchReader ranges(batch);
  for (BatchOperation operation; ranges.next(operation);) {
    if (!operation.range) continue;
    for (auto at = keys_.lower_bound(operation.key); at != keys_.end(); ++at) {
      if (!before_end(at->first, operation.value)) break;
      at->second.push_back({lsn, /*removed=*/true, {}});
    }
  }
  BatchReader reader(batch);
  for (BatchOperation operation; reader.next(operation);) {
    if (operation.range || !range_.contains(operation.key)) continue;
    keys_[std::string(operation.key)].push_back(
        {lsn, operation.removed, {std::string(operation.value), operation.expires}});
  }
}

void ModelTablet::cut(Lsn end) {
  for (auto& [key, versions] : keys_) {
    while (!versions.empty() && versions.back().lsn > end) versions.pop_back();
  }
}

void ModelTablet::add_to(ModelState& state, Lsn at) const {
  for (const auto& [key, versions] : keys_) {
    const auto after = std::upper_bound(versions.begin(), versions.end(), at,
                                        [](Lsn lsn, const Version& v) { return lsn < v.lsn; });
    if (after == versions.begin() || std::prev(after)->removed) continue;
    state.emplace_hint(state.end(), key, std::prev(after)->value);
  }
}

bool EngineModel::takes(const Batch& batch) const {
  BatchReader reader(batch.encoded());
  for (BatchOperation operation; reader.next(operation);) {
    const bool held =
        operation.range || std::any_of(tablets_.begin(), tablets_.end(), [&](const auto& tablet) {
          return tablet.range().contains(operation.key);
        });
    if (!held) return false;
  }
  return true;
}

void EngineModel::append(const Batch& batch) {
  batches_.emplace_back(batch.encoded());
  for (ModelTablet& tablet : tablets_) tablet.apply(batch.encoded(), last());
}

void EngineModel::cut(Lsn end) {
  batches_.resize(end);
  for (ModelTablet& tablet : tablets_) tablet.cut(end);
}

ModelState EngineModel::at(Lsn lsn) const {
  ModelState state;
  for (const ModelTablet& tablet : tablets_) tablet.add_to(state, lsn);
  return state;
}

void EngineModel::add_tablet(KeyRange range, Lsn created, const ModelState& base) {
  const auto after = std::find_if(tablets_.begin(), tablets_.end(), [&](const ModelTablet& other) {
    return other.range().begin > range.begin;
  });
  ModelTablet tablet(std::move(range), created, base);
  // Removes of ranges that came while it was being made.
  for (Lsn lsn = created + 1; lsn <= last(); ++lsn) tablet.apply(batch(lsn), lsn);
  tablets_.insert(after, std::move(tablet));
}

void EngineModel::drop_tablet(const KeyRange& range) {
  std::erase_if(tablets_, [&](const ModelTablet& tablet) { return tablet.range() == range; });
}

bool EngineModel::overlaps(const KeyRange& range) const {
  return std::any_of(tablets_.begin(), tablets_.end(),
                     [&](const ModelTablet& tablet) { return tablet.range().overlaps(range); });
}

ModelState EngineModel::of_tablet(const KeyRange& range, Lsn lsn) const {
  ModelState state;
  for (const ModelTablet& tablet : tablets_) {
    if (tablet.range() == range) tablet.add_to(state, lsn);
  }
  return state;
}

}  // namespace ringside
