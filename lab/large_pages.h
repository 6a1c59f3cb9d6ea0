// Large pages: a copy of a world (lab/held_world.h) costs what its page tables cost, and with pages
// of 2 MiB these are small: a copy of 1 GiB takes milliseconds instead of tens of them. glibc's
// malloc asks for such pages only when its tunables say so at the start of a program.
#pragma once

namespace ringside::lab {

// Starts this program over with its arguments and a malloc that asks for large pages, and returns
// where that is so already, or cannot be done. For programs that hold large worlds, before they do
// anything else.
void start_over_with_large_pages();

}  // namespace ringside::lab
