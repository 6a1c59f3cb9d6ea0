// The allocator of our programs is gperftools': a world allocates all the time and on one thread,
// at which it is quicker than glibc's, and it can be told what these two need. Without it (under a
// sanitizer, which brings its own) both do nothing.
#pragma once

namespace ringside::lab {

// From now on whatever is allocated, and whatever is freed, is overwritten: who uses what is not
// theirs plays another run.
void shake_memory();

// From now on memory comes in large pages, where the system has them. A copy of a world
// (held_world.h) costs what its page tables cost, and with pages of 2 MiB these are small: 1 GiB is
// copied in milliseconds instead of tens of them. For who holds large worlds, before they are made.
void use_large_pages();

}  // namespace ringside::lab
