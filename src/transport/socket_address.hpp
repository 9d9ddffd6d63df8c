#pragma once
/// \file
/// Socket addresses and stream sockets, as transports and listeners use them.

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include <pabal/result.hpp>

#include "reactor/descriptor.hpp"

namespace pabal::transport {

/// An address of any family with its length.
struct socket_address {
    sockaddr_storage storage{};
    socklen_t size = 0;

    const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

/// "127.0.0.1:443", "[::1]:443", the path of a Unix socket ("@name" for an abstract one, "unix" for an unnamed one).
std::string text_of(const sockaddr* address, socklen_t size);

/// From an IP literal (brackets allowed) and a port. "localhost" is 127.0.0.1, and an empty host every IPv4 address.
result<socket_address> ip_address(std::string_view host, std::uint16_t port);
/// Fails with `invalid_argument` if the path is too long for the system (107 bytes on Linux). "@name" is abstract.
result<socket_address> unix_address(std::string_view path);

/// A non-blocking, close-on-exec socket; errors carry `phase::connect`.
result<reactor::descriptor> make_stream_socket(int family);
result<reactor::descriptor> make_datagram_socket(int family);
/// Before connecting: the socket leaves from that address of this machine.
result<void> leave_from(int socket, const socket_address& from);
/// Sends small writes at once (TCP_NODELAY); false if the socket is not TCP.
bool disable_nagle(int descriptor) noexcept;

}  // namespace pabal::transport
