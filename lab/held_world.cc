#include "lab/held_world.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>

#include "lab/text.h"

namespace ringside::lab {
namespace {

constexpr char kStandingLetter = 'H';
constexpr char kCopiedLetter = 'C';  // 1 byte: whether it was

// What is sent to a world that stands. With kCopy comes the socket that is to be the copy's line.
struct Command {
  enum class What : uint8_t { kGoOn, kCopy } what = What::kGoOn;
  Onward onward;
};

union Passenger {  // a file descriptor beside a message
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr aligned;
};

bool send_command(int line, const Command& command, int passenger = -1) {
  Passenger place = {};
  iovec bytes = {const_cast<Command*>(&command), sizeof command};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (passenger >= 0) {
    message.msg_control = place.bytes;
    message.msg_controllen = sizeof place.bytes;
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof passenger);
    std::memcpy(CMSG_DATA(head), &passenger, sizeof passenger);
  }
  return sendmsg(line, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(sizeof command);
}

bool receive_command(int line, Command& command, int& passenger) {
  Passenger place = {};
  iovec bytes = {&command, sizeof command};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = place.bytes;
  message.msg_controllen = sizeof place.bytes;
  ssize_t got = -1;
  do {
    got = recvmsg(line, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(sizeof command)) return false;
  passenger = -1;
  if (const cmsghdr* const head = CMSG_FIRSTHDR(&message))
    std::memcpy(&passenger, CMSG_DATA(head), sizeof passenger);
  return true;
}

// The side of the world: tells where it stands, and does as it is told.
class Keeper {
 public:
  Keeper(int line, const HeldOptions& options) : line_(line), keep_(options.keep_events) {}

  void keep_events(RunOptions& options) {
    if (keep_ == 0) return;
    options.on_log = [this](const LogLine& line) {
      record::Standing::Line& out = *next_.add_line();
      out.set_node(line.node);
      out.set_text(std::string(line.text));
    };
    options.on_event = [this](const EventLine& event) {
      next_.set_index(event.index);
      next_.set_at(event.at);
      next_.set_node(event.node);
      next_.set_kind(std::string(event.kind));
      next_.set_content(event.payload);
      if (events_.size() == keep_) events_.pop_front();
      events_.push_back(std::move(next_));
      next_.Clear();
    };
  }

  Onward stand(const Standing& here) {
    send_letter(line_, kStandingLetter, encode(here));
    while (true) {
      Command command;
      int line_of_copy = -1;
      if (!receive_command(line_, command, line_of_copy)) _exit(0);  // nobody is left who could ask
      if (command.what == Command::What::kGoOn) return command.onward;
      copy(line_of_copy);
    }
  }

 private:
  // Returns in both. The copy is nobody's child when the other one answers, and so comes to the
  // process that asked, which is told how it ends.
  void copy(int line_of_copy) {
    const pid_t between = fork();
    if (between == 0) {
      const pid_t copy = fork();
      if (copy != 0) _exit(copy > 0 ? 0 : 1);
      dup2(line_of_copy, line_);  // whatever speaks over the line speaks over its own
      close(line_of_copy);
      const pid_t self = getpid();
      if (write(line_, &self, sizeof self) != sizeof self) _exit(4);
      return;
    }
    close(line_of_copy);
    int status = -1;
    while (between > 0 && waitpid(between, &status, 0) < 0 && errno == EINTR) {
    }
    const char done = between > 0 && status == 0 ? 1 : 0;
    send_letter(line_, kCopiedLetter, {&done, 1});
  }

  std::string encode(const Standing& here) const {
    record::Standing out;
    out.set_events(here.events);
    out.set_at(here.at);
    out.set_fingerprint(here.fingerprint);
    out.set_over(here.over);
    out.set_workload_start(here.workload_start);
    out.set_workload_end(here.workload_end);
    for (const Standing::Process& process : here.nodes) {
      record::Standing::Process& node = *out.add_node();
      node.set_id(process.id);
      node.set_running(process.running);
      node.set_starts(process.starts);
    }
    out.set_clients(here.clients);
    out.set_clients_at_work(here.clients_at_work);
    out.set_operations(here.operations);
    out.set_unanswered(here.unanswered);
    out.set_frames_sent(here.frames_sent);
    out.set_frames_lost(here.frames_lost);
    for (const record::Standing::Event& event : events_) *out.add_event() = event;
    return out.SerializeAsString();
  }

  const int line_;
  const uint32_t keep_;
  std::deque<record::Standing::Event> events_;
  record::Standing::Event next_;  // its lines come before it
};

}  // namespace

Result<std::unique_ptr<HeldWorld>> HeldWorld::begin(const scenario::Scenario& scenario,
                                                    uint64_t seed, const HeldOptions& options) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Result<Started> started = start_worker(
      seed,
      [&](uint64_t the_seed, const Teller& teller) {
        Keeper keeper(teller.line, options);
        RunOptions run = options.run;
        if (!run.on_progress) run.on_progress = teller.progress;
        keeper.keep_events(run);
        run.on_stand = [&keeper](const Standing& here) { return keeper.stand(here); };
        return run_scenario(scenario, the_seed, run);
      },
      options.trip_wire);
  if (!started.ok()) return started.error();
  std::unique_ptr<HeldWorld> held(new HeldWorld(seed, *started));
  if (!held->wait()) return {Code::kInvalid, held->ended().message};
  return held;
}

HeldWorld::HeldWorld(uint64_t seed, Started started) : process_(seed, started) {
  process_.on_letter = [this](char letter, std::string_view body) {
    if (letter == kStandingLetter) {
      CHECK(here_.ParseFromArray(body.data(), static_cast<int>(body.size())));
      stands_ = true;
    } else if (letter == kCopiedLetter) {
      copied_ = body[0] != 0;
      refused_ = !copied_;
    }
  };
}

Result<Started> HeldWorld::start_copy() {
  CHECK(stands_);
  Result<Line> line = open_line();
  if (!line.ok()) return line.error();
  const bool asked = send_command(process_.line(), {.what = Command::What::kCopy}, line->there);
  close(line->there);
  copied_ = refused_ = false;
  while (asked && !copied_ && !refused_ && process_.listen()) {
  }
  Started started{-1, line->here};
  if (copied_ && read(line->here, &started.process, sizeof started.process) ==
                     static_cast<ssize_t>(sizeof started.process))
    return started;
  close(line->here);
  return {Code::kUnavailable, asked && (copied_ || refused_) ? "there can be no copy of the world"
                                                             : "the world that was to be copied "
                                                               "is no more"};
}

Result<std::unique_ptr<HeldWorld>> HeldWorld::copy() {
  const Result<Started> started = start_copy();
  if (!started.ok()) return started.error();
  std::unique_ptr<HeldWorld> held(new HeldWorld(process_.seed(), *started));
  held->here_ = here_;
  held->stands_ = true;
  return held;
}

Result<Started> HeldWorld::future(uint64_t seed) {
  const Result<Started> started = start_copy();
  if (started.ok()) send_command(started->line, {.onward = {.seed = seed}});
  return started;
}

void HeldWorld::go_on(const Onward& onward) {
  CHECK(stands_);
  stands_ = false;
  send_command(process_.line(), {.onward = onward});  // if it is no more, `wait` finds out
}

bool HeldWorld::wait(const std::function<void(double share)>& on_progress) {
  while (!stands_) {
    if (!process_.listen()) return false;
    if (on_progress) on_progress(process_.share());
  }
  return true;
}

}  // namespace ringside::lab
