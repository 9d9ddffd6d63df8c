#pragma once
/// \file
/// A dial whose ClientHello shall be encrypted (RFC 9849): first what to encrypt it with, which the origin's HTTPS records say
/// (RFC 9848), then the dial itself.
///
///     HTTPS records ──▶ dial with their keys ──▶ accepted
///          │ none              │ rejected: the peer says what its keys are now, or that it has none
///          │                   ▼
///          │             dial with those, once
///          ▼
///     dial in the clear, or fail where it must not be
///
/// Through a proxy the DNS is not asked, since it would tell who is dialled; IP literals and Unix sockets have no records.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dial/dialer.hpp"
#include "dial/resolver.hpp"
#include "reactor/reactor.hpp"

namespace pabal::dial {

class encrypted_hello_attempt final : public attempt,
                                      private dial_observer,
                                      private service_observer,
                                      private reactor::deferred {
public:
    /// Begins. `to.tls` wants it so, and `to.encrypted_hello_keys` is nullopt. The dialer and the resolver must outlive this one.
    /// Errors, but for those of the dial itself: timed_out (phase resolve); unsupported, there is no encryption where it is
    /// required.
    encrypted_hello_attempt(reactor::reactor& reactor, dialer& dialer, resolver& names, target to,
                            const dial_limits& limits, dial_observer& observer);

private:
    void on_services(const std::vector<service_binding>& found) override;
    void on_dialed(transport::transport_ptr connected, const dial_timings& timings) override;
    void on_linked(std::unique_ptr<connection::http3_link> link, const dial_timings& timings) override;
    /// An open connection sends no ClientHello, so that nothing is told in the clear.
    bool is_reached(const address& peer, bool over_quic) override { return observer_.is_reached(peer, over_quic); }
    void on_reached() override { observer_.on_reached(); }
    void on_hello_rejected(std::string keys) override { offered_instead_ = std::move(keys); }
    void on_dial_failed(pabal::error failure) override;
    void on_limit();
    void run_deferred() override { observer_.on_dial_failed(std::move(*failure_)); }

    bool is_required() const noexcept { return to_.tls->encrypted_hello() == encrypted_client_hello::required; }
    void dial_with(std::string keys);
    pabal::error unencrypted(std::string_view why) const;

    reactor::reactor& reactor_;
    dialer& dialer_;
    target to_;
    dial_limits limits_;
    dial_observer& observer_;
    std::unique_ptr<lookup> records_;
    std::unique_ptr<attempt> under_way_;
    std::optional<std::string> offered_instead_;
    bool tried_again_ = false;
    std::optional<pabal::error> failure_;
    reactor::member_timer<encrypted_hello_attempt, &encrypted_hello_attempt::on_limit> limit_{*this};
};

}  // namespace pabal::dial
