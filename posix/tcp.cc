#include "posix/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

namespace ringside::posix {
namespace {

// A peer that no longer acknowledges what was sent is given up after this long.
constexpr unsigned kUserTimeoutMs = 20'000;

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

void tune(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

std::string host_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
              sizeof text);
    return "[" + std::string(text) + "]";
  }
  inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  return text;
}

int port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

int bind_and_listen(const addrinfo& where, int& error) {
  const int fd = socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR,
               1);  // a restart need not wait for old connections to fade
    if (bind(fd, where.ai_addr, where.ai_addrlen) == 0 && listen(fd, 256) == 0) return fd;
  }
  error = errno;
  if (fd >= 0) close(fd);
  return -1;
}

}  // namespace

Result<HostPort> split_address(std::string_view address) {
  const Error wrong{Code::kInvalid, "\"" + std::string(address) +
                                        "\" is not HOST:PORT, for example 127.0.0.1:7001"};
  const size_t colon = address.rfind(':');
  if (colon == address.npos || colon == 0 || address.size() > 300) return wrong;
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != host.npos)
    return wrong;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || port.empty() || error != std::errc() || end != port.data() + port.size() ||
      number > 65535)
    return wrong;
  return HostPort{std::string(host), std::string(port)};
}

Result<int> listen_at(const std::string& address) {
  Result<HostPort> parts = split_address(address);
  if (!parts.ok()) return parts.error();
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &found);
  if (failed != 0) return Error{Code::kInvalid, address + ": " + gai_strerror(failed)};
  int fd = -1, error = 0;
  for (const addrinfo* each = found; each != nullptr && fd < 0; each = each->ai_next)
    fd = bind_and_listen(*each, error);
  freeaddrinfo(found);
  if (fd < 0) return Error{Code::kInvalid, "cannot listen at " + address + ": " + strerror(error)};
  return fd;
}

int accept_from(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return -errno;
  tune(fd);
  return fd;
}

int connect_to(std::string_view socket_address) {
  sockaddr_storage to = {};
  if (socket_address.size() > sizeof to || socket_address.size() < sizeof(sa_family_t))
    return -EINVAL;
  memcpy(&to, socket_address.data(), socket_address.size());
  const int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  tune(fd);
  const auto size = static_cast<socklen_t>(socket_address.size());
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), size) < 0 && errno != EINPROGRESS) {
    const int error = errno;
    close(fd);
    return -error;
  }
  return fd;
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
  if (error != 0) return error;
  sockaddr_storage here = {}, there = {};
  socklen_t here_size = sizeof here, there_size = sizeof there;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&here), &here_size) < 0) return errno;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&there), &there_size) < 0) return errno;
  return here_size == there_size && memcmp(&here, &there, here_size) == 0 ? ECONNREFUSED : 0;
}

std::string local_address(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) < 0) return {};
  return host_of(address) + ":" + std::to_string(port_of(address));
}

std::string remote_host(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) < 0) return {};
  return host_of(address);
}

}  // namespace ringside::posix
