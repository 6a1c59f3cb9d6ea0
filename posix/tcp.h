// The few TCP calls that the network needs. Descriptors are non-blocking and close on exec; streams
// send small writes at once. Addresses are "host:port", with "[::1]:port" for IPv6.
#pragma once

#include <string>
#include <string_view>

#include "runtime/result.h"

namespace ringside::posix {

struct HostPort {
  std::string host;
  std::string port;
};

// kInvalid, and what would be right.
Result<HostPort> split_address(std::string_view address);

// A listening descriptor. The error is one line for people: "127.0.0.1:7001: address already in
// use".
Result<int> listen_at(const std::string& address);
// The next connection that waits, or the negative errno.
int accept_from(int listener);
// Begins to connect; writable when it is known whether it worked. `socket_address` is a sockaddr's
// bytes.
int connect_to(std::string_view socket_address);
// 0 or the errno of a connection that was begun. One that met itself (a free port of this machine
// can) was refused.
int connect_error(int fd);

std::string local_address(int fd);
std::string remote_host(int fd);

}  // namespace ringside::posix
