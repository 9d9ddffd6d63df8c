#pragma once
/// \file
/// One address in the race of a dial over QUIC: reached when the handshake with it is done, as QUIC has TLS in it; or at once, where
/// requests can be sent early (RFC 8470). Then it was reached not long ago, and whoever uses the link finds out whether it still is.

#include <memory>
#include <string>

#include <pabal/result.hpp>

#include "connection/http3_link.hpp"
#include "reactor/reactor.hpp"

namespace pabal::dial {

class quic_racer;

class quic_race_observer {
public:
    /// The peer has answered for the first time.
    virtual void on_quic_heard() = 0;
    /// Exactly one of the two, once, never from inside `start`. The racer may be destroyed in it.
    virtual void on_quic_connected(quic_racer& winner, std::unique_ptr<connection::http3_link> link) = 0;
    virtual void on_quic_failed(quic_racer& loser, error failure) = 0;
    /// Before `on_quic_failed`: as dial_observer::on_hello_rejected.
    virtual void on_quic_hello_rejected(std::string keys) = 0;

protected:
    ~quic_race_observer() = default;
};

class quic_racer final : private connection::http3_link_observer, private reactor::deferred {
public:
    /// Sends the first datagram. `name`: of the address, for messages.
    static result<std::unique_ptr<quic_racer>> start(reactor::reactor& reactor, const connection::http3_link_target& to,
                                                     std::string name, quic_race_observer& observer);

    const std::string& name() const noexcept { return name_; }

private:
    quic_racer(std::string name, quic_race_observer& observer) : name_(std::move(name)), observer_(observer) {}
    void on_link_ready() override;
    void run_deferred() override { on_link_ready(); }
    void fail(const error& why);
    bool is_usable() const noexcept { return link_->is_established() || link_->sends_early(); }

    std::string name_;
    quic_race_observer& observer_;
    std::unique_ptr<connection::http3_link> link_;
    bool heard_ = false;
};

}  // namespace pabal::dial
