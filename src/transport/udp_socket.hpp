#pragma once
/// \file
/// A connected UDP socket for QUIC: many datagrams with one system call in either direction, ECN marks (RFC 3168), and
/// datagrams that are never fragmented (RFC 9000 section 14).
///
/// Threads: belongs to its reactor. Lifetime: destroying it closes it; no notification follows.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

#include "reactor/reactor.hpp"
#include "transport/datagrams.hpp"
#include "transport/socket_address.hpp"
#include "transport/transport.hpp"

namespace pabal::transport {

class udp_observer {
public:
    /// Datagrams may have arrived: call `receive`. Spurious notifications are allowed.
    virtual void on_datagrams() = 0;

protected:
    ~udp_observer() = default;
};

class udp_socket final : private reactor::io_watcher {
public:
    /// Connects to the peer (AF_INET or AF_INET6), which only chooses the addresses: nothing is sent. The observer may be
    /// changed later. `from`: leave from that address; null: the system chooses.
    static result<std::unique_ptr<udp_socket>> connect(reactor::reactor& reactor, const sockaddr* peer,
                                                       socklen_t peer_size, udp_observer* observer,
                                                       const socket_address* from = nullptr);
    ~udp_socket();
    udp_socket(const udp_socket&) = delete;
    udp_socket& operator=(const udp_socket&) = delete;

    void observe(udp_observer* observer) noexcept { observer_ = observer; }

    /// Gives datagrams that are there to `take`, which must not destroy the socket. The views die with the call.
    /// `moved` (with the number of bytes) when there may be more, `would_block` when not. An error is what the network said of
    /// something sent earlier (ICMP), such as connection_refused; the socket can be used on.
    using taker = std::function<void(std::string_view datagram, ecn_mark mark)>;
    result<io_outcome> receive(const taker& take);

    /// Sends `bytes` as datagrams of `segment` bytes each, of which the last may be shorter: at most max_segments of them and
    /// max_piece bytes. Returns how many bytes were taken, whole datagrams. A datagram that is too large for the path counts as
    /// sent, and is lost.
    result<io_outcome> send(std::string_view bytes, std::size_t segment, ecn_mark mark);

    /// Both as the system knows them.
    const socket_address& local() const noexcept { return local_; }
    const socket_address& peer() const noexcept { return peer_; }
    bool maybe_readable() const noexcept { return readable_; }

private:
    udp_socket(reactor::reactor& reactor, reactor::descriptor socket, int family, udp_observer* observer)
        : reactor_(reactor), socket_(std::move(socket)), io_(socket_.get(), family, false), observer_(observer) {}
    void on_io(reactor::readiness now) override;

    reactor::reactor& reactor_;
    reactor::descriptor socket_;
    datagram_socket io_;
    udp_observer* observer_;
    socket_address local_;
    socket_address peer_;
    bool readable_ = false;
};

}  // namespace pabal::transport
