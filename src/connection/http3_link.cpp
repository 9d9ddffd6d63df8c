#include "connection/http3_link.hpp"

#include <utility>

#include "base/fork.hpp"

namespace pabal::connection {

namespace {

constexpr std::size_t space_to_send = transport::udp_socket::max_piece;
/// A socket does not say when it takes more; it is asked again.
constexpr std::chrono::milliseconds until_socket_takes_more{1};

/// Datagrams are made here, one connection at a time: one for each thread.
std::span<char> sending_space() {
    thread_local const std::unique_ptr<char[]> space = std::make_unique_for_overwrite<char[]>(space_to_send);
    return {space.get(), space_to_send};
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
    auto quic =
        quic::machine::client(made->tls_->native(), {bytes_of(made->socket_->local()), bytes_of(made->socket_->peer())},
                              made->http_.user(), {}, reactor.now(), made->tls_->remembered());
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
    if (!socket_->maybe_readable()) return false;
    const auto got = socket_->receive([this](std::string_view datagram, transport::ecn_mark mark) {
        if (failure_) return;
        heard_ = true;
        refused_ = false;
        (void)quic_->receive(datagram, mark, reactor_.now());
        (void)check();
    });
    if (failure_) return *failure_;
    if (got) return got->what == transport::io_outcome::kind::moved;
    if (auto going = heed(got.error()); !going) return std::move(going).error();
    return true;
}

/// Whether the machine goes on; if not, why, in the best words that are to be had.
result<void> http3_link::check() {
    if (failure_) return *failure_;
    // Sessions come after the handshake, in datagrams that follow.
    if (is_established() && !std::exchange(told_parameters_, true)) tls_->remember(quic_->parameters_to_remember());
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
    if (!unsent_.empty()) {
        const std::string again = std::exchange(unsent_, {});
        (void)send(again, unsent_form_);
    }
    const std::span<char> space = sending_space();
    while (unsent_.empty()) {
        const auto made = http_.send(space, reactor_.now());
        if (!made || made->size == 0) break;
        if (!send({space.data(), made->size}, *made)) break;
    }
    set_timer();
    return check();
}

/// False: the system takes no more now.
bool http3_link::send(std::string_view bytes, const quic::machine::datagrams& made) {
    while (!bytes.empty()) {
        const auto sent = socket_->send(bytes, made.segment, made.ecn);
        if (!sent) return (void)heed(sent.error()), !failure_;  // these are lost
        if (sent->what != transport::io_outcome::kind::moved) {
            unsent_ = bytes;
            unsent_form_ = made;
            return false;
        }
        bytes.remove_prefix(sent->size);
    }
    return true;
}

void http3_link::set_timer() {
    if (!unsent_.empty()) return reactor_.set_timer_in(timer_, until_socket_takes_more);
    if (const auto due = quic_->deadline(); due && !failure_) reactor_.set_timer(timer_, *due);
    else timer_.cancel();
}

transport::transport_description http3_link::describe() const {
    transport::transport_description description;
    description.peer_address = transport::text_of(socket_->peer().get(), socket_->peer().size);
    description.local_address = transport::text_of(socket_->local().get(), socket_->local().size);
    if (is_established() || sends_early()) tls_->describe(description);
    return description;
}

}  // namespace pabal::connection
