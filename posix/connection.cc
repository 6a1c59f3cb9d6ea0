#include "posix/connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "posix/tcp.h"

namespace ringside::posix {
namespace {

constexpr size_t kReadBytesPerTurn = 1u << 20;  // then others get their turn
constexpr size_t kGatherMax = 128;              // pieces in one system call
constexpr uint64_t kPartialBytesMax =
    256u << 20;  // of all connections; strangers may announce more than they send

}  // namespace

Connection::Connection(Process& process, Owner& owner)
    : begun(Loop::monotonic()), process_(process), owner_(owner) {}

Connection::~Connection() {
  *alive_ = false;
  close();
}

void Connection::close() {
  closed_ = true;
  process_.partial_bytes -= std::exchange(partial_bytes_, 0);
  watch_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  queue_.clear();
  queued_bytes_ = 0;
}

void Connection::end(int error) {
  if (closed_) return;
  close();
  owner_.on_closed(*this, error);
}

void Connection::adopt(int fd, bool connected) {
  CHECK(fd_ < 0 && !closed_);
  fd_ = fd;
  connected_ = connected;
  watch_ = std::make_unique<Watch>(
      process_.loop, fd, [this] { on_readable(); }, [this] { on_writable(); });
  if (connected) {
    watch_->want_read();
    flush_soon();
  } else {
    blocked_ = true;
    watch_->want_write();
  }
}

void Connection::fail_soon(int error) {
  process_.loop.post([this, error, alive = alive_] {
    if (*alive) end(error);
  });
}

std::string Connection::remote_host() const {
  return fd_ < 0 ? std::string() : posix::remote_host(fd_);
}

void Connection::send(Message message) {
  if (closed_) return;
  queue_.push_back({encode_header(message), std::move(message.body)});
  queued_bytes_ += queue_.back().size();
  flush_soon();
}

void Connection::flush_soon() {
  if (!connected_ || blocked_ || queue_.empty() || std::exchange(flush_posted_, true)) return;
  process_.loop.post([this, alive = alive_] {
    if (!*alive || closed_) return;
    flush_posted_ = false;
    flush();
  });
}

void Connection::flush() {
  const size_t before = queued_bytes_;
  int error = 0;
  while (!queue_.empty() && !blocked_ && error == 0) {
    if (write_some() >= 0) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      blocked_ = true;
      watch_->want_write();
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error != 0) return end(error);
  if (queued_bytes_ < before) owner_.on_sent(*this);
}

ssize_t Connection::write_some() {
  iovec pieces[kGatherMax];
  size_t count = 0, skip = head_sent_;
  for (auto each = queue_.begin(); each != queue_.end() && count + 2 <= kGatherMax; ++each) {
    const auto add = [&](const char* bytes, size_t size) {
      const size_t skipped = std::min(skip, size);
      skip -= skipped;
      if (size > skipped) pieces[count++] = {const_cast<char*>(bytes) + skipped, size - skipped};
    };
    add(each->header.data(), each->header.size());
    add(each->body.data(), each->body.size());
  }
  msghdr message = {};
  message.msg_iov = pieces;
  message.msg_iovlen = count;
  const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
  if (sent < 0) return sent;
  queued_bytes_ -= static_cast<size_t>(sent);
  head_sent_ += static_cast<size_t>(sent);
  while (!queue_.empty() && head_sent_ >= queue_.front().size()) {
    head_sent_ -= queue_.front().size();
    queue_.pop_front();
  }
  return sent;
}

void Connection::on_writable() {
  blocked_ = false;
  if (!connected_) {
    const int error = connect_error(fd_);
    if (error != 0) return end(error);
    connected_ = true;
    watch_->want_read();
  }
  flush();
}

void Connection::on_readable() {
  size_t total = 0;
  while (total < kReadBytesPerTurn) {
    const std::span<char> space = decoder_.space();
    const ssize_t got = recv(fd_, space.data(), space.size(), 0);
    if (got == 0) return end(0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got < 0) return end(errno);
    decoder_.arrived(static_cast<size_t>(got));
    total += static_cast<size_t>(got);
    if (!deliver() || !account()) return;
    if (static_cast<size_t>(got) < space.size()) break;  // nothing more there just now
  }
  watch_->want_read();
}

// False when the connection ended meanwhile.
bool Connection::deliver() {
  Message message;
  while (true) {
    switch (decoder_.next(message)) {
      case FrameDecoder::Outcome::kNeedMore: return true;
      case FrameDecoder::Outcome::kBroken: end(0); return false;
      case FrameDecoder::Outcome::kMessage: owner_.on_message(*this, std::move(message));
    }
    if (closed_) return false;
  }
}

bool Connection::account() {
  process_.partial_bytes -= partial_bytes_;
  partial_bytes_ = decoder_.partial_bytes();
  process_.partial_bytes += partial_bytes_;
  if (process_.partial_bytes <= kPartialBytesMax) return true;
  end(0);
  return false;
}

}  // namespace ringside::posix
