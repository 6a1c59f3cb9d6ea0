// Memory that shows who uses what is not theirs: from then on whatever is allocated, and whatever
// is freed, is overwritten. Through gperftools' hooks; under a sanitizer, which sees it all anyway,
// nothing is done.
#pragma once

namespace ringside::cli {

void shake_memory();

}  // namespace ringside::cli
