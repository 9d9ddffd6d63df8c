#include "dial/encrypted_hello_attempt.hpp"

#include <string_view>
#include <utility>

namespace pabal::dial {

encrypted_hello_attempt::encrypted_hello_attempt(reactor::reactor& reactor, dialer& dialer, resolver& names, target to,
                                                 const dial_limits& limits, dial_observer& observer)
    : reactor_(reactor), dialer_(dialer), to_(std::move(to)), limits_(limits), observer_(observer) {
    const bool has_records = !to_.proxy && to_.unix_path.empty() && !address::parse(to_.host);
    if (!has_records) {
        dial_with({});
        return;
    }
    if (limits_.resolve.count() > 0) reactor_.set_timer_in(limit_, limits_.resolve);
    auto asking = names.find_services(to_.host, to_.port, *this);
    if (!under_way_ && !failure_) records_ = std::move(asking);
}

void encrypted_hello_attempt::on_services(const std::vector<service_binding>& found) {
    limit_.cancel();
    std::string keys;
    for (const service_binding& each : found) {
        if (keys.empty()) keys = each.ech;
    }
    dial_with(std::move(keys));
}

void encrypted_hello_attempt::on_limit() {
    records_.reset();
    if (!is_required()) return dial_with({});
    observer_.on_dial_failed({error_code::timed_out, phase::resolve, culprit::network, 0,
                              "asking for the HTTPS records of " + to_.host + " took longer than " +
                                  std::to_string(limits_.resolve.count()) + " ms"});
}

/// In the clear without keys, if that may be.
void encrypted_hello_attempt::dial_with(std::string keys) {
    if (keys.empty() && is_required()) {
        failure_ = unencrypted(to_.proxy ? "through a proxy the DNS is not asked for the key" : "it publishes no key");
        return reactor_.defer(*this);
    }
    target there = to_;
    there.encrypted_hello_keys = std::move(keys);
    under_way_ = dialer_.dial(there, limits_, *this);
}

void encrypted_hello_attempt::on_dialed(transport::transport_ptr connected, const dial_timings& timings) {
    if (!is_required() || connected->describe().encrypted_client_hello)
        return observer_.on_dialed(std::move(connected), timings);
    observer_.on_dial_failed(unencrypted("it publishes no key of a kind that is known"));
}

void encrypted_hello_attempt::on_linked(std::unique_ptr<connection::http3_link> link, const dial_timings& timings) {
    if (!is_required() || link->describe().encrypted_client_hello) return observer_.on_linked(std::move(link), timings);
    observer_.on_dial_failed(unencrypted("it publishes no key of a kind that is known"));
}

void encrypted_hello_attempt::on_dial_failed(error failure) {
    if (!offered_instead_ || std::exchange(tried_again_, true)) return observer_.on_dial_failed(std::move(failure));
    dial_with(*std::exchange(offered_instead_, std::nullopt));
}

error encrypted_hello_attempt::unencrypted(std::string_view why) const {
    std::string message = "the ClientHello to " + to_.text() + " cannot be encrypted (ECH), as it must be here: ";
    return {error_code::unsupported, phase::tls, culprit::peer, 0, message.append(why)};
}

}  // namespace pabal::dial
