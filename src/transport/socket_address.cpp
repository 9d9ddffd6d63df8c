#include "transport/socket_address.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace pabal::transport {

namespace {

error invalid(std::string message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)};
}

std::string text_of_unix(const sockaddr_un& address, socklen_t size) {
    const std::size_t length = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
    if (length == 0) return "unix";
    if (address.sun_path[0] == '\0') return "@" + std::string(address.sun_path + 1, length - 1);
    return {address.sun_path, ::strnlen(address.sun_path, length)};
}

}  // namespace

std::string text_of(const sockaddr* address, socklen_t size) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    switch (address->sa_family) {
    case AF_INET: {
        const auto& ipv4 = *reinterpret_cast<const sockaddr_in*>(address);
        ::inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
        return std::string(text.data()) + ":" + std::to_string(ntohs(ipv4.sin_port));
    }
    case AF_INET6: {
        const auto& ipv6 = *reinterpret_cast<const sockaddr_in6*>(address);
        ::inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
        return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(ipv6.sin6_port));
    }
    case AF_UNIX: return text_of_unix(*reinterpret_cast<const sockaddr_un*>(address), size);
    default: return "unknown";
    }
}

result<socket_address> ip_address(std::string_view host, std::uint16_t port) {
    if (host.empty()) host = "0.0.0.0";
    if (host == "localhost") host = "127.0.0.1";
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const std::string literal(host);
    socket_address made;
    auto& ipv4 = *reinterpret_cast<sockaddr_in*>(&made.storage);
    if (::inet_pton(AF_INET, literal.c_str(), &ipv4.sin_addr) == 1) {
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port);
        made.size = sizeof ipv4;
        return made;
    }
    auto& ipv6 = *reinterpret_cast<sockaddr_in6*>(&made.storage);
    if (::inet_pton(AF_INET6, literal.c_str(), &ipv6.sin6_addr) == 1) {
        ipv6.sin6_family = AF_INET6;
        ipv6.sin6_port = htons(port);
        made.size = sizeof ipv6;
        return made;
    }
    return invalid("\"" + literal + "\" is not an IP address");
}

result<socket_address> unix_address(std::string_view path) {
    socket_address made;
    auto& address = *reinterpret_cast<sockaddr_un*>(&made.storage);
    if (path.empty() || path.find('\0') != path.npos) return invalid("a Unix socket needs a path without NUL");
    if (path.size() >= sizeof address.sun_path) {
        return invalid("the Unix socket path is longer than " + std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    const bool abstract = path.front() == '@';
    if (abstract) address.sun_path[0] = '\0';
    made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
    return made;
}

namespace {

result<reactor::descriptor> make_socket(int family, int type) {
#ifdef __linux__
    reactor::descriptor made(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
#else
    reactor::descriptor made(::socket(family, type, 0));
    if (made.is_open() && !reactor::make_non_blocking(made.get())) made.reset();
#endif
    if (!made.is_open()) return error_from_errno(errno, phase::connect, "create a socket");
    return made;
}

}  // namespace

result<reactor::descriptor> make_stream_socket(int family) { return make_socket(family, SOCK_STREAM); }

result<reactor::descriptor> make_datagram_socket(int family) { return make_socket(family, SOCK_DGRAM); }

bool disable_nagle(int descriptor) noexcept {
    const int on = 1;
    return ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

/// The port stays open until connecting chooses it: of many connections each needs one only for its own peer.
result<void> leave_from(int socket, const socket_address& from) {
#ifdef IP_BIND_ADDRESS_NO_PORT
    const int later = 1;
    (void)::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof later);
#endif
    if (::bind(socket, from.get(), from.size) == 0) return {};
    return error_from_errno(errno, phase::connect, "connect from " + text_of(from.get(), from.size));
}

}  // namespace pabal::transport
