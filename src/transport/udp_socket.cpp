#include "transport/udp_socket.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

namespace pabal::transport {

result<std::unique_ptr<udp_socket>> udp_socket::connect(reactor::reactor& reactor, const sockaddr* peer,
                                                        socklen_t peer_size, udp_observer* observer,
                                                        const socket_address* from) {
    const int family = peer->sa_family;
    auto made = make_datagram_socket(family);
    if (!made) return std::move(made).error();
    const int number = made->get();
    std::unique_ptr<udp_socket> socket(new udp_socket(reactor, std::move(*made), family, observer));
    if (from) {
        if (auto bound = leave_from(number, *from); !bound) return std::move(bound).error();
    }
    if (::connect(number, peer, peer_size) != 0)
        return error_from_errno(errno, phase::connect, "connect to " + text_of(peer, peer_size));
    std::memcpy(&socket->peer_.storage, peer, peer_size);
    socket->peer_.size = peer_size;
    socket->local_.size = sizeof socket->local_.storage;
    if (::getsockname(number, socket->local_.get(), &socket->local_.size) != 0)
        return error_from_errno(errno, phase::connect, "name a socket");
    if (auto watched = reactor.watch(number, *socket, reactor::interest::reading); !watched)
        return std::move(watched).error();
    return socket;
}

udp_socket::~udp_socket() { reactor_.unwatch(socket_.get(), *this); }

void udp_socket::on_io(reactor::readiness now) {
    if (!now.readable) return;
    readable_ = true;
    if (observer_) observer_->on_datagrams();
}

result<io_outcome> udp_socket::receive(const taker& take) {
    const auto got = io_.receive([&take](const datagram_arrival& each) { take(each.bytes, each.mark); });
    if (got.system_errno != 0)
        return error_from_errno(got.system_errno, phase::read, "receive from " + text_of(peer_.get(), peer_.size));
    if (got.outcome.what == io_outcome::kind::would_block) {
        readable_ = false;
        reactor_.rearm(socket_.get(), true, false);
    }
    return got.outcome;
}

result<io_outcome> udp_socket::send(std::string_view bytes, std::size_t segment, ecn_mark mark) {
    const auto sent = io_.send(bytes, segment, mark);
    if (sent.system_errno != 0)
        return error_from_errno(sent.system_errno, phase::write, "send to " + text_of(peer_.get(), peer_.size));
    return sent.outcome;
}

}  // namespace pabal::transport
