#pragma once
/// \file
/// The dialer of the real network.
///
///     resolve ──▶ connect (Happy Eyeballs; or a Unix socket) ──▶ TLS ──▶ on_dialed
///        │ limit      │ limit                                    │ limit
///        ▼            ▼                                          ▼
///     on_dial_failed: timed_out with `where` = the phase, or what went wrong
///
/// Each address that was found is first shown to the observer, who may have a connection to it already: `on_reached` ends the dial
/// then.
///
/// Through a proxy (proxied_attempt.hpp): the same with the proxy in the place of the origin, then the tunnel, then TLS.
///
/// The resolve phase ends with the first address that may be tried; answers that come later still join the race.
/// When every address fails, one error lists each with its reason, and carries the most telling code among them.
///
/// The transport that is handed over may have been readable before: its new owner reads until `would_block` before it relies
/// on notifications.
///
/// Lifetime: attempts must not outlive their dialer. Threads: belongs to its reactor.

#include <cstddef>
#include <memory>

#include "dial/dialer.hpp"
#include "dial/resolver.hpp"
#include "reactor/reactor.hpp"

namespace pabal::dial {

class network_dialer final : public dialer {
public:
    /// Failed addresses that an error's message lists; the rest are counted.
    static constexpr std::size_t max_reasons_shown = 8;

    /// Without a resolver of its own kind: a cares_resolver with the system's configuration.
    explicit network_dialer(reactor::reactor& reactor, std::unique_ptr<resolver> resolver = nullptr);
    ~network_dialer() override;

    std::unique_ptr<attempt> dial(const target& to, const dial_limits& limits, dial_observer& observer) override;
    dial::resolver& name_resolver() noexcept { return *resolver_; }

private:
    reactor::reactor& reactor_;
    std::unique_ptr<resolver> resolver_;
};

}  // namespace pabal::dial
