#include "dial/network_dialer.hpp"

#include <utility>

#include "dial/cares_resolver.hpp"
#include "dial/encrypted_hello_attempt.hpp"
#include "dial/network_attempt.hpp"
#include "dial/proxied_attempt.hpp"
#include "dial/raced_attempt.hpp"

namespace pabal::dial {

network_dialer::network_dialer(reactor::reactor& reactor, std::unique_ptr<resolver> resolver)
    : reactor_(reactor), resolver_(resolver ? std::move(resolver) : std::make_unique<cares_resolver>(reactor)) {}

network_dialer::~network_dialer() = default;

std::unique_ptr<attempt> network_dialer::dial(const target& to, const dial_limits& limits, dial_observer& observer) {
    const bool needs_keys = to.tls && to.tls->encrypted_hello() != encrypted_client_hello::never;
    if (needs_keys && !to.encrypted_hello_keys)
        return std::make_unique<encrypted_hello_attempt>(reactor_, *this, *resolver_, to, limits, observer);
    if (to.proxy) {
        auto made = std::make_unique<proxied_attempt>(reactor_, to, limits, observer);
        made->begin(*this, *resolver_);
        return made;
    }
    if (to.alternatives) return std::make_unique<raced_attempt>(reactor_, *this, *resolver_, to, limits, observer);
    auto made = std::make_unique<network_attempt>(reactor_, to, limits, observer);
    made->begin(*resolver_);
    return made;
}

}  // namespace pabal::dial
