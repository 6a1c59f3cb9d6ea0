#include "lab/signature.h"

#include <gtest/gtest.h>

namespace ringside::lab {
namespace {

WorkerResult finished_run(std::vector<Expectation> lines, std::vector<std::string> witnesses) {
  WorkerResult run;
  run.end = WorkerResult::End::kFinished;
  run.result.expectations = std::move(lines);
  run.result.witnesses = std::move(witnesses);
  return run;
}

std::string text_of_run(std::vector<Expectation> lines, std::vector<std::string> witnesses) {
  return signature_of("s", finished_run(std::move(lines), std::move(witnesses))).text();
}

TEST(Signatures, names_numbers_and_times_go_and_words_stay) {
  EXPECT_EQ(
      without_names("get #c1:4 of \"register-3\" by client 2 [1.5 ms, 2 ms] (unknown) returned "
                    "value #c0:7, 12.5 ms before"),
      "get # of a register by client # returned value #, # before");
  EXPECT_EQ(without_names("3 of 24 keys differ between replicas"),
            "# of # keys differ between replicas");
  EXPECT_EQ(without_names("wal.torn_tail_cut was never reached"),
            "wal.torn_tail_cut was never reached");
}

TEST(Signatures, who_was_struck_makes_no_difference) {
  const std::string one = text_of_run(
      {{"evidence", true, ""}, {"acknowledged_writes", false, "3 of 120 lost"}},
      {"acknowledged and lost: put #c1:5 of \"register-3\" by client 1 [1.0 ms, 2.0 ms]"});
  const std::string other = text_of_run(
      {{"evidence", true, ""}, {"acknowledged_writes", false, "1 of 97 lost"}},
      {"acknowledged and lost: put #c2:77 of \"register-11\" by client 4 [8.0 ms, 9.0 ms]"});
  EXPECT_EQ(one, "s: acknowledged_writes: lost, a put of a register");
  EXPECT_EQ(one, other);
}

TEST(Signatures, another_anomaly_operation_or_kind_of_key_is_another_failure) {
  const std::string lost = "acknowledged and lost: put #c1:5 of \"register-3\" by client 1 [1, 2]";
  const std::string base = text_of_run({{"acknowledged_writes", false, "3 of 120 lost"}}, {lost});
  EXPECT_NE(base,
            text_of_run(
                {{"acknowledged_writes", false, "0 of 120 lost, 2 values that nobody wrote"}}, {}));
  EXPECT_NE(base,
            text_of_run({{"acknowledged_writes", false, "3 of 120 lost"}},
                        {"acknowledged and lost: delete #c1:5 of \"register-3\" by client 1"}));
  EXPECT_NE(base, text_of_run({{"acknowledged_writes", false, "3 of 120 lost"}},
                              {"acknowledged and lost: put #c1:5 of \"cart-3\" by client 1"}));
}

TEST(Signatures, what_was_tested_beside_the_failure_is_no_part_of_it) {
  const char* broken =
      " acknowledged versions are not on the disk of the replica that acknowledged them; ";
  EXPECT_EQ(text_of_run({{"replicas_keep_acknowledged", false,
                          std::string("3") + broken + "100 acknowledgements on the wire"}},
                        {}),
            text_of_run({{"replicas_keep_acknowledged", false,
                          std::string("1") + broken + "7 acknowledgements, 2 excused"}},
                        {}));
}

TEST(Signatures, a_node_that_does_not_come_back_is_told_from_replicas_that_differ) {
  const std::string differ = text_of_run(
      {{"converges_within", false, "2 of 24 keys differ between replicas, 9 s after the healing"}},
      {"replicas differ on \"register-3\": node 1 holds nothing"});
  EXPECT_EQ(differ, "s: converges_within: # of # keys differ between replicas, a register");
  const std::string gone = text_of_run(
      {{"converges_within", false,
        "all replicas of 24 keys are equal on disk, 9 s after the healing; node 3 does not run at "
        "the end: no disk"}},
      {});
  EXPECT_EQ(gone, "s: converges_within: node # does not run at the end: no disk");
}

TEST(Signatures, too_little_evidence_gives_way_to_what_says_more) {
  EXPECT_EQ(text_of_run({{"evidence", false, "nothing was tested: 3 acknowledged writes"},
                         {"reached", false, "wal.torn_tail_cut was never reached"}},
                        {}),
            "s: reached: wal.torn_tail_cut was never reached");
  EXPECT_EQ(text_of_run({{"evidence", false, "nothing was tested: 3 acknowledged writes"}}, {}),
            "s: evidence: nothing was tested");
}

TEST(Signatures, a_crash_goes_by_how_it_ended) {
  WorkerResult run;
  run.message = "killed by signal 6 (Aborted)";
  EXPECT_EQ(signature_of("s", run).text(), "s: crashed: killed by signal 6 (Aborted)");
}

}  // namespace
}  // namespace ringside::lab
