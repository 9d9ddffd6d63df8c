#include "transport/udp_listener.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>

namespace pabal::transport {

namespace {

/// So many in a row, with nothing between them, are about the socket and not about peers: it is not asked again.
constexpr int max_errors = 64;

bool is_unspecified(const socket_address& address) noexcept {
    if (address.storage.ss_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr) != 0;
    return reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr.s_addr == htonl(INADDR_ANY);
}

/// In the order of the network.
in_port_t& port_of(socket_address& address) noexcept {
    if (address.storage.ss_family == AF_INET6) return reinterpret_cast<sockaddr_in6*>(address.get())->sin6_port;
    return reinterpret_cast<sockaddr_in*>(address.get())->sin_port;
}
in_port_t port_of(const socket_address& address) noexcept {
    return port_of(const_cast<socket_address&>(address));  // which is not changed
}

}  // namespace

udp_listener::udp_listener(reactor::reactor& reactor, reactor::descriptor socket, const socket_address& wanted,
                           udp_observer& observer)
    : reactor_(reactor),
      socket_(std::move(socket)),
      is_anywhere_(is_unspecified(wanted)),
      io_(socket_.get(), wanted.storage.ss_family, is_anywhere_),
      observer_(observer) {}

result<std::unique_ptr<udp_listener>> udp_listener::bind(reactor::reactor& reactor, std::string_view host,
                                                         std::uint16_t port, udp_observer& observer) {
    const auto address = ip_address(host, port);
    if (!address) return address.error();
    const std::string wanted = text_of(address->get(), address->size);
    const int family = address->storage.ss_family;
    auto socket = make_datagram_socket(family);
    if (!socket) return std::move(socket).error();
    const int number = socket->get();
    const int on = 1;
    if (family == AF_INET6) ::setsockopt(number, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(number, address->get(), address->size) != 0)
        return error_from_errno(errno, phase::prepare, "bind UDP to " + wanted);
    std::unique_ptr<udp_listener> made(new udp_listener(reactor, std::move(*socket), *address, observer));
    made->local_.size = sizeof made->local_.storage;
    if (::getsockname(number, made->local_.get(), &made->local_.size) != 0)
        return error_from_errno(errno, phase::prepare, "name a socket");
    if (auto watched = reactor.watch(number, *made, reactor::interest::reading); !watched)
        return std::move(watched).error();
    return made;
}

udp_listener::~udp_listener() { reactor_.unwatch(socket_.get(), *this); }

void udp_listener::on_io(reactor::readiness now) {
    if (now.readable) observer_.on_datagrams();
}

io_outcome udp_listener::receive(const datagram_socket::taker& take) {
    const auto got = io_.receive([&](const datagram_arrival& each) {
        if (port_of(*each.from) == 0) return;  // nobody can be answered there
        errors_ = 0;
        if (!each.to) {
            datagram_arrival whole = each;
            whole.to = &local_;
            return take(whole);
        }
        socket_address there = *each.to;
        port_of(there) = port_of(local_);
        datagram_arrival whole = each;
        whole.to = &there;
        take(whole);
    });
    if (got.system_errno != 0 && ++errors_ < max_errors) return io_outcome::moved(1);
    if (got.system_errno != 0) return io_outcome::would_block();
    if (got.outcome.what == io_outcome::kind::would_block) reactor_.rearm(socket_.get(), true, false);
    return got.outcome;
}

io_outcome udp_listener::send(std::string_view bytes, std::size_t segment, ecn_mark mark, const datagram_route& route) {
    const auto sent = io_.send(bytes, segment, mark, {route.to, is_anywhere_ ? route.from : nullptr});
    return sent.system_errno != 0 ? io_outcome::moved(bytes.size()) : sent.outcome;
}

}  // namespace pabal::transport
