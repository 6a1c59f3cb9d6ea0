// Connection: one TCP connection that carries messages, ours or theirs. What is sent in one turn of
// the loop leaves in one system call, gathered from the buffers it was given. The owner hears of
// messages, of room, and once of the end; from then on the connection does nothing. It may be
// destroyed at any later turn, not inside a call to its owner.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "posix/framing.h"
#include "posix/process.h"
#include "posix/watch.h"

namespace ringside::posix {

class Connection {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_message(Connection& connection, Message message) = 0;
    virtual void on_sent(Connection& connection) = 0;  // fewer bytes are queued than before
    // `error` is an errno; 0: the peer closed it or did not keep to the protocol.
    virtual void on_closed(Connection& connection, int error) = 0;
  };

  Connection(Process& process, Owner& owner);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Takes over a connected descriptor, or one that is about to be.
  void adopt(int fd, bool connected);
  // Fails as if the network had, at a later turn; for a connection that could not even be begun.
  void fail_soon(int error);
  // Ends it now, without telling the owner.
  void close();

  // Queued until it is connected.
  void send(Message message);
  size_t queued_bytes() const { return queued_bytes_; }
  std::string remote_host() const;

  // For the owner.
  NodeId peer = kNoNode;  // who it is, or should be
  bool accepted = false;  // they connected to us
  bool greeted = false;   // their hello was good; frames may come
  bool carried = false;   // frames of ours were queued
  Time begun = 0;
  uint64_t serial = 0;
  std::string why_not;  // it could not be begun
  bool connected() const { return connected_; }
  bool closed() const { return closed_; }
  void allow_frames() {
    greeted = true;
    decoder_.allow_frames();
  }

 private:
  struct Outgoing {
    Header header;
    Buffer body;
    size_t size() const { return kHeaderBytes + body.size(); }
  };

  void on_readable();
  void on_writable();
  bool deliver();
  bool account();
  void flush();
  void flush_soon();
  ssize_t write_some();
  void end(int error);

  Process& process_;
  Owner& owner_;
  int fd_ = -1;
  std::unique_ptr<Watch> watch_;
  bool connected_ = false;
  bool closed_ = false;
  bool flush_posted_ = false;
  bool blocked_ = false;  // waits for the kernel's buffer
  std::deque<Outgoing> queue_;
  size_t head_sent_ = 0;  // bytes of the first that have left
  size_t queued_bytes_ = 0;
  FrameDecoder decoder_;
  size_t partial_bytes_ = 0;  // our part of the process's
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ringside::posix
