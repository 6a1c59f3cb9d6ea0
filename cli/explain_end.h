// Of what `explain` tells: failures that no judge sees. A run that is another one when memory is
// shaken has a first event that differs; a world that crashes has last moments.
#pragma once

#include "cli/json.h"
#include "cli/parting.h"

namespace ringside::cli {

void print_parting(const Parting& parting);
void parting_as_json(const Parting& parting, Json& json);

void print_last_moments(const LastMoments& moments);
void last_moments_as_json(const LastMoments& moments, Json& json);

}  // namespace ringside::cli
