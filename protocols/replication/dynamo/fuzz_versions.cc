// Hostile bytes as objects and contexts of every scheme: whatever a scheme takes for an object is
// one for everybody, merges with itself and with good ones into objects, and takes puts.
#include <cstdint>
#include <string>

#include "protocols/replication/dynamo/last_writer.h"
#include "protocols/replication/dynamo/vector_clock.h"
#include "protocols/replication/dynamo/version.h"
#include "runtime/check.h"
#include "runtime/fuzz.h"

namespace ringside {
namespace {

std::string dotted_seed(int siblings) {
  Object object;
  for (int i = 1; i <= siblings; ++i) {
    const auto count = static_cast<uint64_t>(i);
    object.put({}, Version{{count % 3 + 1, 2 * count},
                           count,
                           i % 4 == 0,
                           i % 4 == 0 ? "" : "value",
                           100 * i,
                           i % 2 == 0 ? 0 : 5000});
  }
  return object.encoded();
}

std::string clocked_seed(int siblings) {
  ClockedObject object;
  for (int i = 1; i <= siblings; ++i) {
    const auto count = static_cast<uint64_t>(i);
    VectorClock clock;
    clock.set({count, count, 100 * i});
    clock.set({count + 100, 1, 50});
    object.put(
        {}, ClockedVersion{
                {count, count}, clock, count, i % 4 == 0, i % 4 == 0 ? "" : "value", 100 * i, 0});
  }
  return object.encoded();
}

void use(std::string_view bytes, Versions versions) {
  DynamoOptions options;
  options.versions = versions;
  const auto scheme = Versioning::make(options);
  (void)scheme->valid_context(bytes);
  const bool valid = scheme->valid(bytes);
  VersionViews siblings;
  CHECK(!valid || (scheme_of(bytes) == versions && read_object(bytes, siblings)));
  CHECK(!valid || siblings.size() == sibling_count(bytes));
  CHECK(!valid || scheme->valid_context(context_of(bytes)));
  std::string out;
  for (const std::string& seed : fuzz_seeds()) {
    if (!scheme->valid(seed)) continue;
    const Versioning::Merge merge = scheme->merge(seed, bytes, out);
    CHECK(valid == (merge != Versioning::Merge::kBadSecond));
    if (merge == Versioning::Merge::kBoth) CHECK(scheme->valid(out));
  }
  if (!valid) return;
  CHECK(scheme->merge(bytes, bytes, out) == Versioning::Merge::kFirst);
  for (const VersionView& version : siblings) (void)present_or_superseded(bytes, version);
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (const int siblings : {1, 2, 7}) {
    seeds.push_back(dotted_seed(siblings));
    seeds.push_back(clocked_seed(siblings));
  }
  seeds.push_back(StampedObject{{100, 7, 3}, false, "value", 5000}.encoded());
  seeds.push_back(StampedObject{{100, 7, 3}, true, {}, 0}.encoded());
  return seeds;
}

}  // namespace ringside

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringside;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Versions versions :
       {Versions::kDotted, Versions::kVectorClock, Versions::kLastWriterWins})
    use(bytes, versions);
  (void)dead_since(bytes, 1000);
  (void)expiry_of(bytes);
  return 0;
}
