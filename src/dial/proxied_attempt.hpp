#pragma once
/// \file
/// One dial through a proxy.
///
///     proxy: resolve, connect, TLS ──▶ tunnel ──▶ TLS with the origin ──▶ on_dialed
///     (an attempt of its own)          (CONNECT; SOCKS, and while it is greeted, for socks4 and socks5: the origin's
///                                      addresses)
///
/// A proxy that forwards (a target without host) is only reached. Nothing here falls back to a direct connection.
///
/// What goes wrong before the tunnel is there is told with phase::proxy, and with the proxy named: `proxy_unreachable`,
/// `proxy_tls_failed`, `proxy_auth_required`, `proxy_refused`, `proxy_failed`, or timed_out. Only what this machine is short
/// of (descriptors), and the origin's own name, keep their codes.

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dial/dialer.hpp"
#include "dial/resolver.hpp"
#include "protocol/http1/connect.hpp"
#include "protocol/socks/machine.hpp"
#include "reactor/reactor.hpp"
#include "transport/tls_transport.hpp"

namespace pabal::dial {

class proxied_attempt final : public attempt,
                              private dial_observer,
                              private resolve_observer,
                              private transport::transport_observer,
                              private reactor::deferred {
public:
    /// `to.proxy` is not null.
    proxied_attempt(reactor::reactor& reactor, target to, const dial_limits& limits, dial_observer& observer);
    ~proxied_attempt() override = default;

    /// Called once. `direct` reaches the proxy. Never calls the observer itself.
    void begin(dialer& direct, resolver& resolver);

private:
    /// How the proxy is asked for a tunnel; nothing when it forwards.
    using tunnel = std::variant<std::monostate, http1::connect_machine, socks::machine>;

    // Before the proxy is reached.
    bool prepare_tunnel();
    bool prepare_connect();
    bool prepare_socks(std::string name, std::string address);
    void reach_proxy();

    // The proxy is reached, or not.
    void on_dialed(transport::transport_ptr connected, const dial_timings& timings) override;
    void on_dial_failed(error failure) override;

    // The origin's address.
    void resolve_origin();
    void on_answer(address_family family, const family_answer& answer) override;
    void origin_resolved();
    void origin_is_unknown(error why);
    const address* first_allowed(const std::optional<family_answer>& among);

    // The tunnel.
    void on_transport_ready(transport::readiness) override { phase_ == phase::tls ? shake_hands() : converse(); }
    void converse();
    bool send_output();
    bool take_reply(std::string_view received);
    bool is_established() const;
    void tunnelled();
    void lost_proxy(std::string why);

    // TLS with the origin.
    void shake_hands();

    void enter(phase next);
    void on_limit();
    void succeed(transport::transport_ptr connected);
    void fail(error why);
    void conclude();
    void run_deferred() override { tell(); }
    void tell();

    reactor::reactor& reactor_;
    target to_;
    dial_limits limits_;
    dial_observer& observer_;
    dialer* direct_ = nullptr;
    resolver* resolver_ = nullptr;
    phase phase_ = phase::resolve;
    bool beginning_ = true;       ///< what is decided now is told at the end of the turn
    bool needs_address_ = false;  ///< of the origin, to tell the proxy
    reactor::time_point phase_began_;
    dial_timings timings_;

    std::unique_ptr<lookup> lookup_;
    std::optional<family_answer> ipv4_;
    std::optional<family_answer> ipv6_;
    std::optional<error> refusal_;  ///< of the last address that may not be reached
    std::optional<error> unknown_;  ///< why the origin has no address: told when the proxy has answered its greeting

    std::unique_ptr<attempt> reaching_;
    transport::transport_ptr through_;  ///< to the proxy, while the tunnel is made
    tunnel tunnel_;
    std::string output_;
    std::string input_;

    std::unique_ptr<transport::tls_transport> tls_;
    transport::transport_ptr connected_;
    std::optional<error> failure_;

    reactor::member_timer<proxied_attempt, &proxied_attempt::on_limit> limit_{*this};
};

}  // namespace pabal::dial
