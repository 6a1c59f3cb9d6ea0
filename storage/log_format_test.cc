#include "storage/log_format.h"

#include <gtest/gtest.h>

#include "storage/batch.h"
#include "storage/test_bytes.h"

namespace ringside {
namespace {

Buffer golden_group() {
  Batch first, second;
  first.put("key", "value");
  second.remove("key");
  LogGroup group(7, 0);
  group.append(first.encoded());
  group.append(second.encoded());
  return std::move(group).finish(
      {.segment = 3, .life = 0x1122334455667788, .durable = 6, .manifest_sequence = 2}, nullptr, 0);
}

// The format: a change of it is a new version.
TEST(LogFormat, a_group_has_the_bytes_of_version_1) {
  const Buffer group = golden_group();
  EXPECT_EQ(group.size(), kPageBytes);
  EXPECT_EQ(hex(group.view().substr(0, 84)),
            "52534c4701000100"          // magic, version 1, batches
            "945949a63c18353a"          // checksum
            "0300000000000000"          // segment
            "8877665544332211"          // life
            "0700000000000000"          // first LSN
            "0600000000000000"          // durable
            "0200000000000000"          // manifest sequence
            "0200000012000000"          // batches, payload length
            "0b01036b65790576616c7565"  // put key = value
            "0502036b6579"              // remove key
            "0000");
  EXPECT_EQ(group.view().find_first_not_of('\0', 82), std::string_view::npos);
}

TEST(LogFormat, a_good_group_is_read_back_with_its_batches) {
  const Buffer group = golden_group();
  const std::optional<LogGroupHeader> header = parse_log_group(group.view());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->first, 7u);
  EXPECT_EQ(header->end(), 9u);
  EXPECT_EQ(header->segment, 3u);
  EXPECT_EQ(header->durable, 6u);
  EXPECT_EQ(header->bytes(), kPageBytes);
  LogGroupReader reader(group.view().substr(kLogHeaderBytes, header->payload_bytes));
  std::string_view batch;
  ASSERT_TRUE(reader.next(batch));
  BatchReader operations(batch);
  BatchOperation operation;
  ASSERT_TRUE(operations.next(operation));
  EXPECT_EQ(operation.key, "key");
  EXPECT_EQ(operation.value, "value");
  ASSERT_TRUE(reader.next(batch));
  EXPECT_FALSE(reader.next(batch));
  EXPECT_TRUE(reader.ok());
}

TEST(LogFormat, no_single_flipped_bit_goes_unnoticed) {
  const Buffer good = golden_group();
  for (std::size_t bit = 0; bit < 8 * 82; ++bit) {
    Buffer bad = Buffer::copy_of(good.view());
    bad.mutable_data()[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_FALSE(parse_log_group(bad.view())) << "bit " << bit;
  }
}

TEST(LogFormat, a_group_cut_short_is_no_group) {
  const Buffer good = golden_group();
  for (std::size_t size = 0; size < 82; ++size)
    EXPECT_FALSE(parse_log_group(good.view().substr(0, size)));
}

TEST(LogFormat, a_group_grows_past_its_first_buffer) {
  LogGroup group(1, 0);
  Batch batch;
  batch.put("k", std::string(3'000, 'x'));
  for (int i = 0; i < 50; ++i) group.append(batch.encoded());
  const Buffer sealed = std::move(group).finish({.segment = 1}, nullptr, 0);
  const std::optional<LogGroupHeader> header = parse_log_group(sealed.view());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->count, 50u);
  EXPECT_EQ(sealed.size() % kPageBytes, 0u);
  LogGroupReader reader(sealed.view().substr(kLogHeaderBytes, header->payload_bytes));
  int seen = 0;
  for (std::string_view bytes; reader.next(bytes); ++seen) EXPECT_EQ(bytes, batch.encoded());
  EXPECT_EQ(seen, 50);
}

TEST(Batch, a_reader_refuses_what_no_batch_writes) {
  for (const std::string& bytes : {std::string("\x03\x01k", 3), std::string("\x01\x05k", 3),
                                   std::string("\x01", 1), std::string("\x01\x01k\x02v", 5)}) {
    BatchReader reader(bytes);
    BatchOperation operation;
    while (reader.next(operation)) {
    }
    EXPECT_FALSE(reader.ok());
  }
}

}  // namespace
}  // namespace ringside
