#include "protocols/replication/dynamo/version.h"

#include <algorithm>

#include "protocols/replication/dynamo/version_bytes.h"
#include "runtime/check.h"

namespace ringside {
namespace {

using namespace version_bytes;

char* store_dots(char* out, const Context::Dots& dots) {
  for (const Dot& dot : dots) out = write(write(out, dot.actor), dot.counter);
  return out;
}

// Whoever made versions of this object here goes on; otherwise somebody new.
uint64_t own_actor(const Context& context, Actors& actors) {
  uint64_t best = 0;
  for (const Context::Dots* dots : {&context.vector(), &context.cloud()}) {
    for (const Dot& dot : *dots) {
      if (dot.actor > best && actors.usable(dot.actor)) best = dot.actor;
    }
  }
  return best != 0 ? best : actors.fresh();
}

}  // namespace

uint64_t Context::last(uint64_t actor) const {
  uint64_t result = 0;
  for (const Dot& entry : vector_) {
    if (entry.actor == actor) result = entry.counter;
  }
  for (const Dot& dot : cloud_) {
    if (dot.actor == actor) result = std::max(result, dot.counter);
  }
  return result;
}

bool Context::covers(Dot dot) const {
  for (const Dot& entry : vector_) {
    if (entry.actor == dot.actor && entry.counter >= dot.counter) return true;
  }
  return !cloud_.empty() && std::binary_search(cloud_.begin(), cloud_.end(), dot);
}

// Both sides are normalised: a run 1..n is in the vector, never in the cloud.
bool Context::dominates(const Context& other) const {
  std::size_t i = 0;
  for (const Dot& entry : other.vector_) {
    while (i < vector_.size() && vector_[i].actor < entry.actor) ++i;
    if (i == vector_.size() || vector_[i].actor != entry.actor ||
        vector_[i].counter < entry.counter)
      return false;
  }
  for (const Dot& dot : other.cloud_) {
    if (!covers(dot)) return false;
  }
  return true;
}

void Context::add(Dot dot) {
  CHECK(dot.counter > 0);
  if (covers(dot)) return;
  if (cloud_.empty()) {  // nearly always, and nearly always the next of somebody
    const auto entry = std::find_if(vector_.begin(), vector_.end(), [&](const Dot& have) {
      return have.actor == dot.actor && have.counter + 1 == dot.counter;
    });
    if (entry != vector_.end()) {
      ++entry->counter;
      return;
    }
  }
  cloud_.insert(std::upper_bound(cloud_.begin(), cloud_.end(), dot), dot);
  normalise();
}

void Context::merge(const Context& other) {
  Dots vector;
  std::size_t i = 0;
  for (const Dot& entry : other.vector_) {
    while (i < vector_.size() && vector_[i].actor < entry.actor) vector.push_back(vector_[i++]);
    if (i < vector_.size() && vector_[i].actor == entry.actor) {
      vector.push_back({entry.actor, std::max(entry.counter, vector_[i++].counter)});
    } else {
      vector.push_back(entry);
    }
  }
  vector.insert(vector.end(), vector_.begin() + static_cast<std::ptrdiff_t>(i), vector_.end());
  vector_ = std::move(vector);
  if (!other.cloud_.empty()) {
    cloud_.insert(cloud_.end(), other.cloud_.begin(), other.cloud_.end());
    std::sort(cloud_.begin(), cloud_.end());
    cloud_.erase(std::unique(cloud_.begin(), cloud_.end()), cloud_.end());
  }
  normalise();
}

// Moves what continues a run from the cloud to the vector, and drops from the cloud what the vector
// covers.
void Context::normalise() {
  if (cloud_.empty()) return;
  Dots rest;
  for (const Dot& dot : cloud_) {
    auto entry =
        std::lower_bound(vector_.begin(), vector_.end(), dot.actor,
                         [](const Dot& have, uint64_t actor) { return have.actor < actor; });
    const bool known = entry != vector_.end() && entry->actor == dot.actor;
    if (known && dot.counter <= entry->counter) continue;
    if (known && dot.counter == entry->counter + 1) {
      ++entry->counter;
    } else if (!known && dot.counter == 1) {
      vector_.insert(entry, dot);
    } else {
      rest.push_back(dot);
    }
  }
  cloud_ = std::move(rest);
}

char* Context::encode(char* out) const {
  out = write(out, kDottedFormat);
  out = write(out, static_cast<uint16_t>(vector_.size()));
  out = write(out, static_cast<uint32_t>(cloud_.size()));
  return store_dots(store_dots(out, vector_), cloud_);
}

std::string Context::encoded() const {
  std::string bytes(encoded_size(), '\0');
  encode(bytes.data());
  return bytes;
}

bool Context::decode(std::string_view& bytes) {
  vector_.clear();
  cloud_.clear();
  if (bytes.size() < 8 || take<uint16_t>(bytes) != kDottedFormat) return false;
  const std::size_t entries = take<uint16_t>(bytes);
  const std::size_t dots = take<uint32_t>(bytes);
  if (entries > kEntriesMax || bytes.size() / 16 < entries + dots) return false;
  vector_.resize(entries);
  for (std::size_t i = 0; i < entries; ++i) {
    vector_[i].actor = take<uint64_t>(bytes);
    vector_[i].counter = take<uint64_t>(bytes);
    if (vector_[i].counter == 0 || (i > 0 && vector_[i - 1].actor >= vector_[i].actor))
      return false;
  }
  if (dots == 0) return true;
  cloud_.resize(dots);
  for (std::size_t i = 0; i < dots; ++i) {
    cloud_[i].actor = take<uint64_t>(bytes);
    cloud_[i].counter = take<uint64_t>(bytes);
    if (cloud_[i].counter == 0 || (i > 0 && cloud_[i - 1] >= cloud_[i])) return false;
  }
  const Dots before = cloud_;
  normalise();
  return cloud_ == before;
}

const Version* Object::find(Dot dot) const {
  for (const Version& version : siblings) {
    if (version.dot == dot) return &version;
  }
  return nullptr;
}

bool Object::has_operation(uint64_t operation) const {
  for (const Version& version : siblings) {
    if (version.operation == operation) return true;
  }
  return false;
}

void Object::merge(const Object& other) {
  absl::InlinedVector<Version, 2> kept;
  for (const Version& version : siblings) {
    if (!other.context.covers(version.dot) || other.find(version.dot) != nullptr)
      kept.push_back(version);
  }
  for (const Version& version : other.siblings) {
    if (!context.covers(version.dot)) kept.push_back(version);
  }
  std::sort(kept.begin(), kept.end(),
            [](const Version& a, const Version& b) { return a.dot < b.dot; });
  siblings = std::move(kept);
  context.merge(other.context);
}

bool Object::includes(const Object& other) const {
  if (!context.dominates(other.context)) return false;
  for (const Version& version : siblings) {
    if (other.context.covers(version.dot) && other.find(version.dot) == nullptr) return false;
  }
  return true;
}

void Object::put(const Context& seen, const Version& version) {
  CHECK(!context.covers(version.dot) && !seen.covers(version.dot));
  siblings.erase(std::remove_if(siblings.begin(), siblings.end(),
                                [&](const Version& old) { return seen.covers(old.dot); }),
                 siblings.end());
  siblings.insert(
      std::upper_bound(siblings.begin(), siblings.end(), version,
                       [](const Version& a, const Version& b) { return a.dot < b.dot; }),
      version);
  if (!context.dominates(seen)) context.merge(seen);
  context.add(version.dot);
}

std::size_t Object::encoded_size() const {
  std::size_t size = context.encoded_size() + 4 + kHeadBytes * siblings.size();
  for (const Version& version : siblings)
    size += version.value.size() + (version.expires != 0 ? 8 : 0);
  return size;
}

char* Object::encode(char* out) const {
  out = context.encode(out);
  char* const count = out;
  bool all_expire = !siblings.empty();
  out += 4;
  for (const Version& version : siblings) {
    out = write_head(out, version);
    all_expire = all_expire && version.expires != 0;
    out = write(out, version.value);
  }
  write(count, static_cast<uint32_t>(siblings.size()) | (all_expire ? kAllExpire : 0));
  return out;
}

std::string Object::encoded() const {
  std::string bytes(encoded_size(), '\0');
  encode(bytes.data());
  return bytes;
}

bool Object::decode(std::string_view bytes) {
  siblings.clear();
  if (!context.decode(bytes) || bytes.size() < 4) return false;
  const auto marked = take<uint32_t>(bytes);
  const std::size_t count = marked & ~kAllExpire;
  if (bytes.size() / kHeadBytes < count) return false;
  siblings.resize(count);
  bool all_expire = count > 0;
  for (std::size_t i = 0; i < count; ++i) {
    Version& version = siblings[i];
    std::size_t size = 0;
    if (!take_head(bytes, version, size)) return false;
    all_expire = all_expire && version.expires != 0;
    if (size > bytes.size()) return false;
    version.value = bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (!context.covers(version.dot) || (i > 0 && siblings[i - 1].dot >= version.dot)) return false;
  }
  return bytes.empty() && all_expire == ((marked & kAllExpire) != 0);
}

bool DottedVersions::valid(std::string_view object) const { return Object().decode(object); }

bool DottedVersions::valid_context(std::string_view context) const {
  return context.empty() || (Context().decode(context) && context.empty());
}

Versioning::Merge DottedVersions::merge(std::string_view first, std::string_view second,
                                        std::string& out) const {
  Object a, b;
  if (!b.decode(second)) return Merge::kBadSecond;
  if (!a.decode(first)) return Merge::kBadFirst;
  if (a.includes(b)) return Merge::kFirst;
  if (b.includes(a)) return Merge::kSecond;
  a.merge(b);
  if (a.context.vector().size() > kEntriesMax) return Merge::kBadSecond;
  out.resize(a.encoded_size());
  a.encode(out.data());
  return Merge::kBoth;
}

bool DottedVersions::includes(std::string_view object, std::string_view other) const {
  Object a, b;
  return a.decode(object) && b.decode(other) && a.includes(b);
}

Versioning::Put DottedVersions::put(std::optional<std::string_view> stored, std::string_view seen,
                                    const NewVersion& version, Actors& actors,
                                    std::string& out) const {
  using State = Put::State;
  Object object;
  Context context;
  if (!seen.empty() && (!context.decode(seen) || !seen.empty())) return {State::kBadContext};
  Made made = version.known;
  if (stored) {
    if (!object.decode(*stored)) return {State::kBadObject};
    // The operation came before: from here, or through another coordinator whose version reached
    // us.
    for (const Version& sibling : object.siblings) {
      if (sibling.operation == version.operation)
        made = {sibling.dot, sibling.time, object.siblings.size() == 1};
    }
    if (made.dot.counter != 0 && object.context.covers(made.dot)) return {State::kRepeated, made};
  }
  if (stored || made.dot.counter == 0) {
    const uint64_t actor = own_actor(object.context, actors);
    const uint64_t last = std::max(object.context.last(actor), context.last(actor));
    if (last == ~uint64_t{0}) return {State::kBadContext};
    made = {{actor, last + 1}, version.time};
  }
  if (context.covers(made.dot)) return {State::kBadContext};
  object.put(context, Version{made.dot, version.operation, version.tombstone, version.value,
                              made.time, version.expires});
  if (object.context.vector().size() > kEntriesMax) return {State::kBadContext};
  made.alone = object.siblings.size() == 1;
  out.resize(object.encoded_size());
  object.encode(out.data());
  return {State::kMade, made};
}

std::string DottedVersions::context_after(std::string_view seen, const Made& made) const {
  // Without a cloud, and with the dot before this one in the vector, one number changes.
  if (seen.size() > 8 && load<uint32_t>(seen.data() + 4) == 0) {
    for (std::size_t at = 8; at < seen.size(); at += 16) {
      if (load<uint64_t>(seen.data() + at) != made.dot.actor) continue;
      if (load<uint64_t>(seen.data() + at + 8) + 1 != made.dot.counter) break;
      std::string after(seen);
      store(after.data() + at + 8, made.dot.counter);
      return after;
    }
  }
  Context context;
  if (!seen.empty()) CHECK(context.decode(seen));
  context.add(made.dot);
  return context.encoded();
}

}  // namespace ringside
