// Rates that tests measure, kept with their results, so that a table can be made of them
// (sim/fault_rates.py): the value of the property "rate WHAT" is "STATED MEASURED TRIALS UNIT".
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace ringside::sim {

inline void note_rate(const std::string& what, double stated, double measured, uint64_t trials,
                      const char* unit = "share") {
  testing::Test::RecordProperty("rate " + what, std::to_string(stated) + " " +
                                                    std::to_string(measured) + " " +
                                                    std::to_string(trials) + " " + unit);
}

}  // namespace ringside::sim
