// Terminal: stdout as a screen to draw on. While it is open it has the alternate screen and no
// cursor; closing it, or SIGINT, SIGTERM, SIGHUP and SIGQUIT, put back what was there, and the
// signal then ends the process as it always does. Ctrl-Z works too. One at a time.
#pragma once

#include <string>
#include <vector>

namespace ringside::cli {

class Terminal {
 public:
  struct Size {
    std::size_t columns = 80, rows = 24;
  };

  Terminal();
  ~Terminal() { close(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Is stdout a terminal that understands escape codes?
  static bool usable();
  // Does whoever watches want colours? (NO_COLOR)
  static bool colour();
  static Size size();
  // In a child that was forked meanwhile: signals do what they always do.
  static void forget();

  // Draws over everything; lines must not be wider, nor more, than the screen.
  void draw(const std::vector<std::string>& lines);
  void close();
};

}  // namespace ringside::cli
