#pragma once
/// \file
/// What HTTP/3 runs on, as one thing: a UDP socket, a TLS object, a QUIC machine and an HTTP/3 machine, and the timer that they
/// need. A dialer makes it and sees it through the handshake; the connection that takes it over drives it from then on.
///
///     connect ──▶ flush(); on_link_ready → advance(), flush() … is_established() ──▶ the same, with exchanges ──▶ failure()
///
/// Nobody is told anything but `on_link_ready`; what happened is seen by the machines' own observers.
///
/// When the address it left from is gone (another network), or the server falls silent though it owes answers, it leaves from another
/// one (RFC 9000 section 9), as long as nobody has said which it has to be.
///
/// Threads: belongs to its reactor. Lifetime: destroying it ends the connection, and says so.

#include <memory>
#include <optional>
#include <utility>

#include <pabal/result.hpp>

#include "connection/datagram_sender.hpp"
#include "protocol/http3/machine.hpp"
#include "protocol/quic/conduct.hpp"
#include "protocol/quic/machine.hpp"
#include "reactor/reactor.hpp"
#include "transport/quic_tls.hpp"
#include "transport/transport.hpp"
#include "transport/udp_socket.hpp"

namespace pabal::connection {

class http3_link_observer {
public:
    /// Datagrams have come, or a deadline has: call `advance` until it says that there is no more, then `flush`.
    virtual void on_link_ready() = 0;

protected:
    ~http3_link_observer() = default;
};

/// Where a link goes, and what for.
struct http3_link_target {
    transport::socket_address peer;
    std::optional<transport::socket_address>
        from;  ///< the address to leave from; nullopt: the system chooses, and chooses again
    transport::tls_context_ptr tls;
    transport::tls_peer expected;
    std::string
        alternative;  ///< the origin's, which requests say (Alt-Used, RFC 7838 section 5); empty: it is the origin itself
    quic::conduct conduct;
};

class http3_link final : private transport::udp_observer {
public:
    /// Nothing is sent before `flush`. Errors: of the socket (phase connect), of the TLS object (phase tls).
    static result<std::unique_ptr<http3_link>> connect(reactor::reactor& reactor, const http3_link_target& to,
                                                       http3_link_observer& observer);
    ~http3_link();
    http3_link(const http3_link&) = delete;
    http3_link& operator=(const http3_link&) = delete;

    /// Null: nobody.
    void observe(http3_link_observer* observer) noexcept { observer_ = observer; }

    /// Takes in what is there, or part of it; true: there may be more. An error ends the link; `flush` still tells the peer why.
    result<bool> advance();
    /// Sends what there is to send, and sets the timer.
    result<void> flush();

    http3::machine& http() noexcept { return http_; }
    quic::machine& quic() noexcept { return *quic_; }
    bool is_established() const noexcept { return quic_->is_established(); }
    /// Safe requests can be sent before it is established (RFC 8470). It may still turn out that there is nobody.
    bool sends_early() const noexcept { return quic_->sends_early(); }
    /// Of a link that came to nothing before it was established: the next one is not to begin in the same way.
    void forget_sessions() const { tls_->forget_sessions(); }
    /// Anything has come from the peer.
    bool has_heard() const noexcept { return heard_; }
    /// Anything has come since this was asked last.
    bool take_news() noexcept { return std::exchange(news_, false); }
    /// It owes answers, and has given no sign of life for longer than they take (quic::machine::take_doubt_of_path).
    bool is_silent() const noexcept { return silent_; }
    transport::transport_description describe() const;
    /// As `retry_keys_of` (tls_session.hpp).
    std::optional<std::string> keys_to_retry_with() const { return tls_->keys_to_retry_with(); }

private:
    http3_link(reactor::reactor& reactor, http3_link_observer& observer) : reactor_(reactor), observer_(&observer) {}
    void on_datagrams() override { ready(); }
    void ready() {
        if (observer_) observer_->on_link_ready();
    }
    result<void> check();
    result<void> heed(const error& network);
    bool move_away();

    reactor::reactor& reactor_;
    http3_link_observer* observer_;
    std::unique_ptr<transport::quic_tls> tls_;
    http3::machine http_;
    std::unique_ptr<quic::machine> quic_;
    std::unique_ptr<transport::udp_socket> socket_;
    std::optional<error> failure_;
    bool heard_ = false;
    bool news_ = false;
    bool silent_ = false;
    bool told_parameters_ = false;
    unsigned moves_left_ = 0;  ///< to other local addresses
    bool refused_ = false;     ///< the network said so, and nothing came since
    datagram_sender sender_;
    reactor::member_timer<http3_link, &http3_link::ready> timer_{*this};
};

}  // namespace pabal::connection
