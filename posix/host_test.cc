// What only a real host does: strangers at its door, names that lead out of its directory,
// directories of others.
#include "posix/host.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "posix/disk.h"
#include "posix/framing.h"
#include "posix/tcp.h"
#include "runtime/random.h"

namespace ringside::posix {
namespace {

class HostTest : public testing::Test {
 protected:
  HostTest() {
    char name[] = "/tmp/ringside-host-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~HostTest() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<RealHost> open(NodeId id, const std::string& listen = "127.0.0.1:0",
                                 const std::string& data = {}) {
    Result<std::unique_ptr<RealHost>> host =
        RealHost::open(loop_, {.id = id, .listen = listen, .data_directory = data});
    if (!host.ok()) {
      refusal_ = host.error().message;
      return nullptr;
    }
    return std::move(*host);
  }
  bool run_until(const std::function<bool()>& done) { return loop_.run_until(done, 10 * kSecond); }
  void run_for(Duration duration) {
    loop_.run_until([] { return false; }, duration);
  }

  Loop loop_;
  std::string directory_;
  std::string refusal_;
};

struct Ear : FrameHandler {
  void on_frame(const Frame& frame) override { frames.push_back(frame); }
  void on_peer_lost(NodeId peer, Code why) override { losses.emplace_back(peer, why); }
  std::vector<Frame> frames;
  std::vector<std::pair<NodeId, Code>> losses;
};

// A blocking socket in the hands of the test.
class Stranger {
 public:
  explicit Stranger(const std::string& address) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    const HostPort parts = *split_address(address);
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(parts.port)));
    inet_pton(AF_INET, parts.host.c_str(), &to.sin_addr);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  ~Stranger() { close(fd_); }
  void say(std::string_view bytes) {
    (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  void say(const Message& message) {
    const Header header = encode_header(message);
    say({header.data(), header.size()});
    say(message.body.view());
  }
  bool dropped() {
    char bytes[4096];
    ssize_t got;
    while ((got = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
    }
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }

 private:
  int fd_;
};

Message hello(NodeId from, NodeId to, const std::string& address = {}) {
  return {MessageType::kHello, from, 0, 0, encode_hello({to, address})};
}
Message frame(NodeId from) { return {MessageType::kFrame, from, 5, 6, Buffer::copy_of("hi")}; }

TEST_F(HostTest, strangers_are_dropped_at_the_first_thing_that_is_wrong) {
  const auto host = open(1);
  Ear ear;
  host->network().attach(&ear);
  const std::string at = host->network().address();
  std::vector<std::pair<std::string, std::vector<Message>>> cases;
  cases.push_back({"a frame first", {frame(9)}});
  cases.push_back({"meant for another", {hello(9, 2), frame(9)}});
  cases.push_back({"pretends to be us", {hello(1, 1), frame(1)}});
  cases.push_back({"no id", {hello(kNoNode, 1), frame(kNoNode)}});
  cases.push_back({"id 0", {hello(0, 1), frame(0)}});
  cases.push_back({"two hellos", {hello(9, 1), hello(9, 1)}});
  cases.push_back({"speaks for another", {hello(9, 1), frame(8)}});
  cases.push_back({"an address that is none", {hello(9, 1, "nowhere"), frame(9)}});
  for (const auto& [what, messages] : cases) {
    Stranger stranger(at);
    for (const Message& message : messages) stranger.say(message);
    EXPECT_TRUE(run_until([&] { return stranger.dropped(); })) << what;
    EXPECT_TRUE(ear.frames.empty()) << what;
  }
  Stranger browser(at);
  browser.say("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return browser.dropped(); }));
  Stranger friendly(at);
  friendly.say(hello(9, 1));
  friendly.say(frame(9));
  EXPECT_TRUE(run_until([&] { return ear.frames.size() == 1; })) << "and it still serves";
}

TEST_F(HostTest, random_bytes_never_hurt_it) {
  const auto host = open(1);
  Ear ear;
  host->network().attach(&ear);
  Random random(3);
  for (int round = 0; round < 100; ++round) {
    Stranger stranger(host->network().address());
    if (round % 2 == 0) stranger.say(hello(9, 1));
    std::string bytes(1 + random.below(2'000), '\0');
    for (char& c : bytes) c = static_cast<char>(random.next());
    if (round % 4 == 0) bytes.replace(0, 4, "RSF1");
    stranger.say(bytes);
    run_for(kMillisecond / 5);
  }
  Ear friend_ear;
  const auto other = open(2);
  other->network().attach(&friend_ear);
  ASSERT_TRUE(other->network().learn(1, host->network().address()).ok());
  EXPECT_TRUE(other->network().send({.to = 1, .kind = 77}));
  EXPECT_TRUE(run_until([&] { return !ear.frames.empty() && ear.frames.back().kind == 77; }));
}

TEST_F(HostTest, crowds_that_announce_much_and_send_little_are_bounded) {
  const auto host = open(1);
  Ear ear;
  host->network().attach(&ear);
  std::vector<std::unique_ptr<Stranger>> crowd;
  const Message big{MessageType::kFrame, 9, 1, 1, Buffer::with_size(kFrameBytesMax)};
  const Header header = encode_header(big);
  for (int i = 0; i < 40; ++i) {  // 640 MiB announced
    crowd.push_back(std::make_unique<Stranger>(host->network().address()));
    crowd.back()->say(hello(9, 1));
    crowd.back()->say({header.data(), header.size()});
    crowd.back()->say("some");
  }
  const auto dropped = [&] {
    int count = 0;
    for (const auto& each : crowd) count += each->dropped();
    return count;
  };
  EXPECT_TRUE(run_until([&] { return dropped() >= 40 - 16; }));
}

TEST_F(HostTest, one_who_never_says_hello_is_dropped) {
  const auto host = open(1);
  Stranger silent(host->network().address());
  run_for(20 * kMillisecond);
  EXPECT_FALSE(silent.dropped());
  EXPECT_TRUE(run_until([&] { return silent.dropped(); }));
}

Task<void> meet(RealHost* host, std::string address, Result<NodeId>* out, bool* done) {
  *out = co_await host->meet(address, kSecond);
  *done = true;
}

TEST_F(HostTest, a_client_meets_whoever_listens_and_is_answered_without_listening) {
  const auto server = open(3);
  const auto client = open(kFirstClient + 1, "");
  Ear heard, answered;
  server->network().attach(&heard);
  client->network().attach(&answered);
  Result<NodeId> who = Code::kUnknown;
  bool done = false;
  client->spawn(meet(client.get(), server->network().address(), &who, &done));
  ASSERT_TRUE(run_until([&] { return done; }));
  ASSERT_TRUE(who.ok()) << who.error().text();
  EXPECT_EQ(*who, 3u);
  EXPECT_EQ(client->address_of(3), server->network().address());
  EXPECT_TRUE(client->network().send({.to = 3, .kind = 1}));
  ASSERT_TRUE(run_until([&] { return !heard.frames.empty(); }));
  EXPECT_TRUE(server->network().send({.to = kFirstClient + 1, .kind = 2}));
  ASSERT_TRUE(run_until([&] { return !answered.frames.empty(); }));
  EXPECT_EQ(answered.frames[0].from, 3u);
}

TEST_F(HostTest, meeting_nobody_says_why) {
  const auto client = open(kFirstClient + 1, "");
  const int listener = *listen_at("127.0.0.1:0");
  const std::string silent = local_address(listener);
  Result<NodeId> who = Code::kUnknown;
  bool done = false;
  client->spawn(meet(client.get(), silent, &who, &done));
  ASSERT_TRUE(run_until([&] { return done; }));
  EXPECT_EQ(who.error().text(), "timeout: " + silent + ": no answer");
  close(listener);
  done = false;
  client->spawn(meet(client.get(), silent, &who, &done));
  ASSERT_TRUE(run_until([&] { return done; }));
  EXPECT_EQ(who.error().text(), "unavailable: " + silent + ": Connection refused");
  done = false;
  client->spawn(meet(client.get(), "nonsense", &who, &done));
  ASSERT_TRUE(run_until([&] { return done; }));
  EXPECT_EQ(who.code(), Code::kInvalid);
  done = false;
  const std::string no_name = std::string(64, 'n') + ".invalid:7001";
  client->spawn(meet(client.get(), no_name, &who, &done));
  ASSERT_TRUE(run_until([&] { return done; }));
  EXPECT_EQ(who.code(), Code::kUnavailable);
  EXPECT_TRUE(who.error().message.starts_with(no_name + ": Host not found")) << who.error().text();
}

// It may have been heard: who took the connection may yet read what lies there.
TEST_F(HostTest, one_who_takes_a_connection_and_never_answers_is_a_reset_and_then_silence) {
  const int listener = *listen_at("127.0.0.1:0");
  Result<std::unique_ptr<RealHost>> host =
      RealHost::open(loop_, {.id = 1, .listen = "127.0.0.1:0", .greet_within = 50 * kMillisecond});
  ASSERT_TRUE(host.ok());
  Ear ear;
  (*host)->network().attach(&ear);
  ASSERT_TRUE((*host)->network().learn(2, local_address(listener)).ok());
  EXPECT_TRUE((*host)->network().send({.to = 2, .kind = 1}));
  ASSERT_TRUE(run_until([&] { return !ear.losses.empty(); }));
  EXPECT_TRUE((*host)->network().send({.to = 2, .kind = 1})) << "not tried again so soon";
  run_for(5 * kMillisecond);
  EXPECT_EQ(ear.losses, (std::vector<std::pair<NodeId, Code>>{{2, Code::kReset}}));
  close(listener);
}

TEST_F(HostTest, a_peer_that_refused_is_not_tried_again_at_once_but_is_reported_at_once) {
  const int listener = *listen_at("127.0.0.1:0");
  const std::string gone = local_address(listener);
  close(listener);
  const auto host = open(1);
  Ear ear;
  host->network().attach(&ear);
  ASSERT_TRUE(host->network().learn(2, gone).ok());
  for (size_t i = 1; i <= 5; ++i) {
    EXPECT_TRUE(host->network().send({.to = 2, .kind = 1}));
    EXPECT_EQ(ear.losses.size(), i - 1) << "never inside send";
    ASSERT_TRUE(run_until([&] { return ear.losses.size() == i; }));
    EXPECT_EQ(ear.losses.back(), std::pair(NodeId{2}, Code::kUnavailable));
  }
  EXPECT_FALSE(host->network().learn(2, "not an address").ok());
}

TEST_F(HostTest, a_port_in_use_and_a_bad_address_are_one_clear_line) {
  const auto host = open(1);
  const std::string taken = host->network().address();
  EXPECT_EQ(open(2, taken), nullptr);
  EXPECT_EQ(refusal_, "cannot listen at " + taken + ": Address already in use");
  for (const std::string bad :
       {"7001", "localhost:", "localhost:99999", "localhost:x", ":1", "a:b:1", "127.0.0.1:-1"}) {
    EXPECT_EQ(open(2, bad), nullptr) << bad;
    EXPECT_EQ(refusal_, "\"" + bad + "\" is not HOST:PORT, for example 127.0.0.1:7001");
  }
}

TEST_F(HostTest, a_data_directory_has_one_user) {
  const std::string data = directory_ + "/deep/er";
  auto host = open(1, "", data);
  ASSERT_NE(host, nullptr) << refusal_;
  EXPECT_EQ(open(1, "", data), nullptr);
  EXPECT_EQ(refusal_, data + ": in use by another server");
  host.reset();
  EXPECT_NE(open(1, "", data), nullptr) << refusal_;
  EXPECT_EQ(open(2, "", data), nullptr);
  EXPECT_EQ(refusal_, data + ": holds the data of node 1, not of node 2");
}

TEST_F(HostTest, a_directory_of_somebody_else_is_refused_and_left_alone) {
  const std::string file = directory_ + "/thesis.tex";
  std::ofstream(file) << "years of work";
  EXPECT_EQ(open(1, "", directory_), nullptr);
  EXPECT_EQ(refusal_,
            directory_ + ": holds files that are not Ringside's; give an empty directory");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1)
      << "something was written";
  EXPECT_EQ(open(1, "", file), nullptr);
  EXPECT_NE(refusal_.find(file), std::string::npos);
}

TEST_F(HostTest, a_mark_of_another_version_or_of_another_program_is_refused) {
  const std::string mark = directory_ + "/RINGSIDE";
  std::ofstream(mark) << "ringside data 2\nnode 1\n";
  EXPECT_EQ(open(1, "", directory_), nullptr);
  EXPECT_EQ(refusal_, directory_ + ": holds data of another version of Ringside");
  std::ofstream(mark, std::ios::trunc) << std::string(10'000, 'x');
  EXPECT_EQ(open(1, "", directory_), nullptr);
  EXPECT_EQ(refusal_, directory_ + ": its RINGSIDE file was not written by Ringside");
}

Task<void> try_to_leave(Host* host, int* refused) {
  for (const std::string path : {"../x", "/tmp/x", "a/../../x", "..", ".", "a//b", "a/", ""}) {
    const Result<FileId> file = co_await host->disk().open(path, Disk::kCreate);
    *refused += !file.ok() && file.code() == Code::kInvalid;
  }
  const Result<void> renamed = co_await host->disk().rename("a", "../a");
  *refused += !renamed.ok() && renamed.code() == Code::kInvalid;
}

TEST_F(HostTest, no_path_leads_out_of_the_directory) {
  const auto host = open(1, "", directory_ + "/1");
  int refused = 0;
  host->spawn(try_to_leave(host.get(), &refused));
  EXPECT_TRUE(run_until([&] { return refused == 9; })) << refused;
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/1/x"));
}

TEST_F(HostTest, a_process_without_a_directory_has_no_disk) {
  const auto host = open(kFirstClient, "");
  int failed = 0;
  const auto attempt = [](Host* caller, int* out) -> Task<void> {
    const Result<std::vector<std::string>> names = co_await caller->disk().list("");
    *out += !names.ok();
  };
  host->spawn(attempt(host.get(), &failed));
  EXPECT_TRUE(run_until([&] { return failed == 1; }));
}

TEST_F(HostTest, the_option_and_the_environment_turn_io_uring_off) {
  EXPECT_FALSE(Loop({.thread_pool_files = true}).uses_io_uring());
  setenv("RINGSIDE_NO_IO_URING", "1", 1);
  EXPECT_FALSE(Loop().uses_io_uring());
  setenv("RINGSIDE_NO_IO_URING", "0", 1);
  const bool allowed = Loop().uses_io_uring();
  unsetenv("RINGSIDE_NO_IO_URING");
  EXPECT_EQ(Loop().uses_io_uring(), allowed);
}

TEST_F(HostTest, probes_are_counted_and_abort_reports_why_once) {
  const auto host = open(1);
  host->trace().probe("test.seen");
  host->trace().probe("test.seen");
  EXPECT_EQ(host->probe_count("test.seen"), 2u);
  EXPECT_EQ(host->probe_count("test.other"), 0u);
  std::vector<std::string> reasons;
  host->on_abort([&](std::string_view why) { reasons.emplace_back(why); });
  host->abort("first");
  host->abort("second");
  EXPECT_TRUE(reasons.empty()) << "not inside abort";
  ASSERT_TRUE(run_until([&] { return !reasons.empty(); }));
  EXPECT_EQ(reasons, std::vector<std::string>{"first"});
  EXPECT_TRUE(host->aborted());
}

}  // namespace
}  // namespace ringside::posix
