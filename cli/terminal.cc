#include "cli/terminal.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ringside::cli {
namespace {

constexpr const char* kEnter = "\033[?1049h\033[?25l\033[2J";
constexpr const char* kLeave = "\033[0m\033[?25h\033[?1049l";
constexpr int kEnding[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

volatile sig_atomic_t opened = 0;

// write(2) alone, so that a signal handler may call it.
void put(const char* text, std::size_t size) {
  while (size > 0) {
    const ssize_t wrote = ::write(STDOUT_FILENO, text, size);
    if (wrote <= 0) return;
    text += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
}
void put(const char* text) { put(text, std::strlen(text)); }

// SA_RESETHAND: raised again, the signal does what it always does.
void on_end(int signal) {
  if (opened != 0) put(kLeave);
  opened = 0;
  raise(signal);
}

void on_stop(int) {
  if (opened != 0) put(kLeave);
  raise(SIGSTOP);
}

void on_continue(int) {
  if (opened != 0) put(kEnter);
}

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Terminal::Terminal() {
  std::fflush(stdout);
  opened = 1;
  for (const int signal : kEnding) handle(signal, on_end, SA_RESETHAND);
  handle(SIGTSTP, on_stop, SA_RESTART);
  handle(SIGCONT, on_continue, SA_RESTART);
  put(kEnter);
}

void Terminal::close() {
  if (opened == 0) return;
  put(kLeave);
  opened = 0;
  forget();
}

void Terminal::forget() {
  opened = 0;
  for (const int signal : kEnding) handle(signal, SIG_DFL, 0);
  handle(SIGTSTP, SIG_DFL, 0);
  handle(SIGCONT, SIG_DFL, 0);
}

bool Terminal::usable() {
  const char* const term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) != 0 && term != nullptr && std::strcmp(term, "dumb") != 0;
}

bool Terminal::colour() {
  const char* const no = std::getenv("NO_COLOR");
  return no == nullptr || *no == '\0';
}

Terminal::Size Terminal::size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

void Terminal::draw(const std::vector<std::string>& lines) {
  std::string out = "\033[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\r\n";
    out += "\033[K" + lines[i];  // first, for a line may fill its row
  }
  out += "\033[J";
  put(out.data(), out.size());
}

}  // namespace ringside::cli
