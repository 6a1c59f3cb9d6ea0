#include "lab/fault_text.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace ringside::lab {
namespace {

FaultText describe(const std::string& text) {
  scenario::Fault fault;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &fault)) << text;
  return describe_fault(fault);
}

TEST(FaultText, a_fault_says_what_it_does_and_when_and_where) {
  const FaultText cut = describe(R"(at: "10s" for: "15s" partition { isolate: "b" isolate: "c-1"
                                     direction: OUTBOUND refuse: true })");
  EXPECT_EQ(cut.kind, "partition");
  EXPECT_EQ(cut.when, "at 10s, for 15s");
  EXPECT_EQ(cut.what, "partition of b, c-1, direction outbound, refuse");
  EXPECT_EQ(cut.places, (std::vector<std::string>{"b", "c-1"}));
  EXPECT_EQ(cut.at, 10 * kSecond);
  EXPECT_EQ(cut.length, 15 * kSecond);
  EXPECT_FALSE(cut.everywhere);
}

TEST(FaultText, victims_may_be_left_to_the_seed_or_to_a_probe) {
  const FaultText drawn = describe(R"(at: "1s" power_loss { machines: 2 } restart_after: "3s")");
  EXPECT_EQ(drawn.what, "power loss, 2 machines");
  EXPECT_EQ(drawn.length, 3 * kSecond);
  EXPECT_TRUE(drawn.places.empty());
  EXPECT_FALSE(drawn.everywhere);
  const FaultText hung = describe(R"(on_probe: "log.synced" crash {})");
  EXPECT_EQ(hung.probe, "log.synced");
  EXPECT_EQ(hung.when, "on probe log.synced");
  EXPECT_EQ(hung.length, kSecond);
}

TEST(FaultText, a_kind_without_places_strikes_everywhere) {
  EXPECT_TRUE(describe(R"(at: "1s" blackout {})").everywhere);
}

// Whatever kinds there will be, each has a name of its own here.
TEST(FaultText, every_kind_of_the_schema_is_told) {
  const google::protobuf::Descriptor* descriptor = scenario::Fault::descriptor();
  int kinds = 0;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = descriptor->field(i);
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    scenario::Fault fault;
    fault.set_at("2s");
    fault.GetReflection()->MutableMessage(&fault, field);
    const FaultText text = describe_fault(fault);
    EXPECT_EQ(text.kind, as_words(field->name()));
    EXPECT_TRUE(text.what.starts_with(text.kind));
    ++kinds;
  }
  EXPECT_GE(kinds, 5);
}

}  // namespace
}  // namespace ringside::lab
