#pragma once
/// \file
/// A bound UDP socket that serves many peers: QUIC's servers.
///
/// Threads: belongs to its reactor. Lifetime: destroying it closes it; no notification follows.

#include <cstdint>
#include <memory>
#include <string_view>

#include <pabal/result.hpp>

#include "reactor/reactor.hpp"
#include "transport/datagrams.hpp"
#include "transport/socket_address.hpp"
#include "transport/udp_socket.hpp"

namespace pabal::transport {

class udp_listener final : private reactor::io_watcher {
public:
    /// `host`: an IP literal or "localhost"; empty: every IPv4 address, as a TCP listener takes it. The observer must outlive it.
    /// Errors (phase prepare): the address is in use, or none of this machine.
    static result<std::unique_ptr<udp_listener>> bind(reactor::reactor& reactor, std::string_view host,
                                                      std::uint16_t port, udp_observer& observer);
    ~udp_listener();
    udp_listener(const udp_listener&) = delete;
    udp_listener& operator=(const udp_listener&) = delete;

    /// Gives datagrams that are there to `take`, which must not destroy the listener. `to` of each is complete, with the port.
    /// `moved` when there may be more, `would_block` when not. What the network says of datagrams sent earlier (ICMP) is passed
    /// over: it may be about any peer, and anybody can say it.
    io_outcome receive(const datagram_socket::taker& take);
    /// As datagram_socket::send; what cannot be sent counts as sent, and is lost.
    io_outcome send(std::string_view bytes, std::size_t segment, ecn_mark mark, const datagram_route& route);

    const socket_address& local() const noexcept { return local_; }

private:
    udp_listener(reactor::reactor& reactor, reactor::descriptor socket, const socket_address& wanted,
                 udp_observer& observer);
    void on_io(reactor::readiness now) override;

    reactor::reactor& reactor_;
    reactor::descriptor socket_;
    bool is_anywhere_;  ///< bound to every address: each datagram says which
    datagram_socket io_;
    udp_observer& observer_;
    socket_address local_;
    int errors_ = 0;  ///< in a row
};

}  // namespace pabal::transport
