#pragma once
/// \file
/// One dial of the network dialer: the part that acts. What to try when is decided by happy_eyeballs.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dial/dialer.hpp"
#include "dial/happy_eyeballs.hpp"
#include "dial/quic_racer.hpp"
#include "dial/resolver.hpp"
#include "reactor/reactor.hpp"
#include "transport/socket_transport.hpp"
#include "transport/tls_transport.hpp"

namespace pabal::dial {

class network_attempt final : public attempt,
                              private resolve_observer,
                              private transport::transport_observer,
                              private quic_race_observer,
                              private reactor::deferred {
public:
    network_attempt(reactor::reactor& reactor, target to, const dial_limits& limits, dial_observer& observer);
    ~network_attempt() override = default;

    /// Called once. Never calls the observer itself: what is decided at once is told at the end of the turn.
    void begin(resolver& resolver);

private:
    /// A connection attempt in the race.
    struct racer final : transport::connect_observer {
        racer(network_attempt& attempt, std::string to) : owner(attempt), peer(std::move(to)) {}
        void on_connected(int descriptor) override { owner.won(*this, descriptor); }
        void on_connect_failed(error failure) override { owner.lost(*this, std::move(failure)); }
        network_attempt& owner;
        std::string peer;
        std::unique_ptr<transport::connecting_socket> socket;
    };

    void on_answer(address_family family, const family_answer& answer) override;
    void advance();
    void start(const address& to);
    std::optional<error> refusal_of(const address& to) const;
    bool is_reached(const std::vector<address>& found) const;
    void connect_unix();
    void won(racer& winner, int descriptor);
    void lost(racer& loser, error failure);
    void lost(const std::string& peer, error failure);
    result<void> enter_race(const address& to, const transport::socket_address* from);
    void on_quic_heard() override;
    void on_quic_connected(quic_racer& winner, std::unique_ptr<connection::http3_link> link) override;
    void on_quic_failed(quic_racer& loser, error failure) override;
    void on_quic_hello_rejected(std::string keys) override { observer_.on_hello_rejected(std::move(keys)); }
    transport::tls_peer expected_peer() const;
    void note_failure(const std::string& peer, error failure);
    error nothing_left();

    void secure(transport::transport_ptr plain);
    void on_transport_ready(transport::readiness) override { shake_hands(); }
    void shake_hands();

    void enter(phase next);
    void on_limit();
    void on_delay();
    void stop_racing();
    void succeed(transport::transport_ptr connected);
    void fail(error why);
    void conclude();
    void run_deferred() override { tell(); }
    void tell();
    std::string peer_name() const;

    reactor::reactor& reactor_;
    target to_;
    dial_limits limits_;
    dial_observer& observer_;
    happy_eyeballs plan_;
    phase phase_ = phase::resolve;
    bool beginning_ = true;  ///< inside `begin`
    bool reached_ = false;   ///< somebody else is there already
    reactor::time_point phase_began_;
    dial_timings timings_;

    std::unique_ptr<lookup> lookup_;
    std::optional<error> resolve_failure_;
    std::vector<std::unique_ptr<racer>> racers_;
    std::vector<std::unique_ptr<quic_racer>> quic_racers_;
    std::optional<error> connect_failure_;  ///< the most telling so far
    std::string reasons_;
    std::size_t failures_ = 0;
    unsigned unix_tries_ = 0;

    std::unique_ptr<transport::tls_transport> tls_;
    transport::transport_ptr connected_;
    std::unique_ptr<connection::http3_link> linked_;
    std::optional<error> failure_;

    reactor::member_timer<network_attempt, &network_attempt::on_limit> limit_{*this};
    reactor::member_timer<network_attempt, &network_attempt::on_delay> delay_{*this};
};

}  // namespace pabal::dial
