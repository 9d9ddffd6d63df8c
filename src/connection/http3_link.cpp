#include "connection/http3_link.hpp"

#include <cerrno>
#include <utility>

#include "base/fork.hpp"

namespace pabal::connection {

namespace {

/// A network that keeps changing is no reason to make sockets without end.
constexpr unsigned max_moves = 32;

/// What systems say of a datagram from an address that is no longer theirs (Linux: invalid argument), or from a network that is gone.
bool is_address_gone(int system_errno) noexcept {
    return system_errno == EADDRNOTAVAIL || system_errno == ENETUNREACH || system_errno == ENETDOWN ||
           system_errno == EHOSTUNREACH || system_errno == EINVAL;
}

std::string bytes_of(const transport::socket_address& address) {
    return {reinterpret_cast<const char*>(address.get()), address.size};
}

}  // namespace

result<std::unique_ptr<http3_link>> http3_link::connect(reactor::reactor& reactor, const http3_link_target& to,
                                                        http3_link_observer& observer) {
    const base::no_fork whole;
    std::unique_ptr<http3_link> made(new http3_link(reactor, observer));
    auto socket =
        transport::udp_socket::connect(reactor, to.peer.get(), to.peer.size, made.get(), to.from ? &*to.from : nullptr);
    if (!socket) return std::move(socket).error();
    made->socket_ = std::move(*socket);
    auto tls = transport::quic_tls::connect(to.tls, to.expected);
    if (!tls) return std::move(tls).error();
    made->tls_ = std::move(*tls);
    if (!to.from) made->moves_left_ = max_moves;
    made->http_.use_alternative(to.alternative);
    auto quic = quic::machine::client(
        made->tls_->native(), {bytes_of(made->socket_->local()), bytes_of(made->socket_->peer())}, made->http_.user(),
        {}, reactor.now(), {made->tls_->remembered(), made->tls_->address_token()}, to.conduct);
    if (!quic) return std::move(quic).error();
    made->quic_ = std::move(*quic);
    made->http_.ride(*made->quic_);
    return made;
}

http3_link::~http3_link() {
    const base::no_fork whole;
    if (socket_ && quic_ && !failure_) {
        http_.go_away();
        (void)flush();
    }
    quic_.reset();
}

result<bool> http3_link::advance() {
    if (failure_) return *failure_;
    const auto due = quic_->deadline();
    if (due && *due <= reactor_.now()) {
        (void)quic_->on_deadline(reactor_.now());
        if (auto going = check(); !going) return std::move(going).error();
    }
    // Who was busy elsewhere may find both: the end of his patience, and what it was for.
    const bool doubtful = quic_->take_doubt_of_path();
    if (socket_->maybe_readable()) {
        const auto got = socket_->receive([this](std::string_view datagram, transport::ecn_mark mark) {
            if (failure_) return;
            heard_ = news_ = true;
            refused_ = silent_ = false;
            (void)quic_->receive(datagram, mark, reactor_.now());
            (void)check();
        });
        if (failure_) return *failure_;
        if (got && got->what == transport::io_outcome::kind::moved) return true;
        if (!got) {
            if (auto going = heed(got.error()); !going) return std::move(going).error();
            return true;
        }
    }
    if (doubtful) {
        silent_ = true;
        (void)move_away();
    }
    return false;
}

/// Whether the machine goes on; if not, why, in the best words that are to be had.
result<void> http3_link::check() {
    if (failure_) return *failure_;
    // Sessions come after the handshake, in datagrams that follow.
    if (is_established() && !std::exchange(told_parameters_, true)) tls_->remember(quic_->parameters_to_remember());
    if (std::string token = quic_->take_address_token(); !token.empty()) tls_->keep_address_token(std::move(token));
    if (!quic_->failure()) return {};
    failure_ = *quic_->failure();
    if (quic_->handshake_failed() && !is_established()) failure_ = tls_->handshake_failed();
    else if (const auto alert = quic_->peers_alert()) failure_ = tls_->refused(*alert);
    return *failure_;
}

/// What the network said of datagrams that were sent. Anybody can say such things, so a connection that works does not die of
/// one word (RFC 9000 section 14.2.1): it takes two, with nothing from the peer between them.
result<void> http3_link::heed(const error& network) {
    const bool is_refused = network.code == error_code::connection_refused;
    if (is_established() && !(is_refused && std::exchange(refused_, true))) return {};
    failure_ = network;
    if (!is_established()) failure_->where = phase::connect;
    return *failure_;
}

result<void> http3_link::flush() {
    sender_.flush(http_, reactor_.now(), [this](std::string_view bytes, std::size_t segment, transport::ecn_mark mark) {
        const auto sent = socket_->send(bytes, segment, mark);
        if (sent) return *sent;
        if (!is_address_gone(sent.error().system_errno) || !move_away()) (void)heed(sent.error());
        return transport::io_outcome::moved(bytes.size());  // these are lost
    });
    if (const auto due = sender_.due(*quic_, reactor_.now()); due && !failure_) reactor_.set_timer(timer_, *due);
    else timer_.cancel();
    return check();
}

/// The local address is no longer there, or nothing reaches it. False: nor is another, or the peer does not allow it.
bool http3_link::move_away() {
    if (moves_left_ == 0 || !is_established()) return false;
    --moves_left_;
    auto socket = transport::udp_socket::connect(reactor_, socket_->peer().get(), socket_->peer().size, this);
    if (!socket || !quic_->migrate(bytes_of((*socket)->local()), reactor_.now())) return false;
    socket_ = std::move(*socket);
    return true;
}

transport::transport_description http3_link::describe() const {
    transport::transport_description description;
    description.peer_address = transport::text_of(socket_->peer().get(), socket_->peer().size);
    description.local_address = transport::text_of(socket_->local().get(), socket_->local().size);
    if (is_established() || sends_early()) tls_->describe(description);
    // That of the session that is resumed; it is the peer's only if the peer takes it up.
    if (!is_established()) description.peer_certificate.clear();
    return description;
}

}  // namespace pabal::connection
