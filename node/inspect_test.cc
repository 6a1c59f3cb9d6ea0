#include "node/inspect.h"

#include <gtest/gtest.h>

#include "protocols/keys.h"
#include "protocols/replication/dynamo/last_writer.h"
#include "protocols/replication/dynamo/vector_clock.h"
#include "protocols/replication/dynamo/version.h"

namespace ringside {
namespace {

std::string dotted() {
  Object object;
  object.put({}, Version{{7, 1}, 3, false, "milk", 100});
  return object.encoded();
}
std::string clocked() {
  VectorClock clock;
  clock.set({7, 1, 100});
  ClockedObject object;
  object.put({}, ClockedVersion{{7, 1}, clock, 3, false, "milk", 100});
  return object.encoded();
}
std::string stamped() { return StampedObject{{100, 7, 3}, false, "milk"}.encoded(); }

TEST(Inspect, reads_rows_of_every_scheme_of_versions) {
  const ObjectRow row("cart");
  for (const std::string& bytes : {dotted(), clocked(), stamped()}) {
    const Result<StoredObject> object = stored_object({row.view(), bytes});
    ASSERT_TRUE(object.ok()) << object.error().text();
    EXPECT_EQ(object->key, "cart");
    ASSERT_EQ(object->siblings.size(), 1u);
    const StoredVersion& version = object->siblings[0];
    EXPECT_EQ(version.dot.actor, 7u);
    EXPECT_EQ(version.operation, 3u);
    EXPECT_EQ(version.time, 100);
    EXPECT_EQ(version.value, "milk");
    EXPECT_EQ(version.clock.empty(), bytes != clocked());
    EXPECT_TRUE(context_covers(object->context, version.dot));
    VersionViews same;
    ASSERT_TRUE(read_object(bytes, same));
    EXPECT_TRUE(object->has_or_superseded(same[0]));
    VersionView later = same[0];
    ++later.dot.counter;
    ++later.time;
    VectorClock clock;
    clock.set({7, 2, 200});
    later.clock = clock.encoded();
    EXPECT_FALSE(object->has_or_superseded(later));
  }
}

TEST(Inspect, says_that_a_row_is_corrupt_when_it_is_no_object_or_lies_elsewhere) {
  const ObjectRow row("cart"), elsewhere(1, "cart");
  EXPECT_EQ(stored_object({row.view(), "no object"}).code(), Code::kCorrupt);
  EXPECT_EQ(stored_object({row.view(), dotted() + "x"}).code(), Code::kCorrupt);
  EXPECT_EQ(stored_object({elsewhere.view(), dotted()}).code(), Code::kCorrupt);
  EXPECT_EQ(stored_object({"cart", dotted()}).code(), Code::kCorrupt);
}

}  // namespace
}  // namespace ringside
