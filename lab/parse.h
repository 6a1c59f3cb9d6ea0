// Parse: scenario text to Scenario, with every mistake named by line, column, field and what would
// be right. Two layers: `parse_text` reads the text format (unknown fields, wrong types, unknown
// words) and remembers where each field stood; lab/check_scenario.h then holds the values to their
// meaning.
#pragma once

#include <google/protobuf/text_format.h>

#include <memory>
#include <string_view>

#include "lab/mistakes.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

using Locations = google::protobuf::TextFormat::ParseInfoTree;

// Fills `scenario` and `locations` as far as it gets.
void parse_text(std::string_view text, scenario::Scenario& scenario, Locations& locations,
                Mistakes& mistakes);

}  // namespace ringside::lab
