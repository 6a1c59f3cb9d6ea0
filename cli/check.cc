// `ringside check`: are these scenarios well-formed?
#include <cstdio>

#include "cli/json.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/experiment.h"
#include "lab/text.h"
#include "scenarios/scenario.pb.h"

namespace ringside::cli {

int check(const CheckArguments& arguments) {
  bool fine = true;
  Json json;
  json.begin_array();
  for (const std::string& file : arguments.files) {
    const Result<std::unique_ptr<scenario::Scenario>> scenario = lab::load_scenario(file);
    json.begin_object().field("file", file).field("valid", scenario.ok());
    json.key("mistakes").begin_array();
    if (!scenario.ok()) {
      fine = false;
      for (const std::string& line : lab::split(scenario.error().message, '\n')) {
        json.text(line);
        if (!arguments.json) std::fprintf(stderr, "%s\n", line.c_str());
      }
    } else if (!arguments.json) {
      std::printf("%s: well-formed (%s)\n", file.c_str(), (*scenario)->name().c_str());
    }
    json.end_array().end_object();
  }
  json.end_array();
  if (arguments.json) std::printf("%s\n", json.str().c_str());
  return fine ? kHolds : kBadInput;
}

}  // namespace ringside::cli
