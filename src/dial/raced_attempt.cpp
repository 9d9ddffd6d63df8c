#include "dial/raced_attempt.hpp"

#include <string>
#include <string_view>

namespace pabal::dial {

using http::http3_protocol;

raced_attempt::raced_attempt(reactor::reactor& reactor, dialer& dialer, resolver& names, target to,
                             const dial_limits& limits, dial_observer& observer)
    : reactor_(reactor), dialer_(dialer), to_(std::move(to)), limits_(limits), observer_(observer) {
    if (to_.http3_at && to_.alternatives->is_avoided(*to_.http3_at, http3_protocol, std::chrono::system_clock::now())) {
        start_tcp();  // as of late: who asks now would not be sent there
    } else if (to_.http3_at) {
        has_head_start_ = true;
        start_quic(*to_.http3_at);
        reactor.set_timer_in(patience_, head_start);
    } else {
        start_tcp();
        records_ = names.find_services(to_.host, to_.port, *this);
    }
}

void raced_attempt::on_services(const std::vector<service_binding>& found) {
    const auto answered = std::move(records_);
    const auto now = std::chrono::system_clock::now();
    for (const service_binding& each : found) {
        if (!each.speaks(http3_protocol)) continue;
        const alternative place{each.target.empty() ? to_.host : each.target, each.port == 0 ? to_.port : each.port};
        if (to_.alternatives->is_avoided(place, http3_protocol, now)) continue;
        to_.alternatives->recall({to_.host, to_.port, {{std::string(http3_protocol), place, now + records_hold}}});
        patience_.cancel();
        return start_quic(place);
    }
    fail_if_over();
}

void raced_attempt::start_quic(const alternative& place) {
    place_ = place;
    target there = to_;
    if (there.server_name.empty()) there.server_name = to_.host;
    there.host = place.host;
    there.port = place.port;
    there.over_quic = true;
    if (has_head_start_) there.used_alternative = there.text();
    there.http3_at.reset();
    there.alternatives.reset();
    quic_.under_way = dialer_.dial(there, limits_, quic_);
}

void raced_attempt::start_tcp() {
    if (tcp_.under_way || tcp_failure_) return;
    patience_.cancel();
    target itself = to_;
    itself.http3_at.reset();
    itself.alternatives.reset();
    tcp_.under_way = dialer_.dial(itself, limits_, tcp_);
}

/// TCP has won.
void raced_attempt::drop_quic() {
    if (quic_.under_way && has_head_start_) avoid_place();
    quic_.under_way.reset();
    records_.reset();
}

/// QUIC has won.
void raced_attempt::drop_tcp() {
    patience_.cancel();
    tcp_.under_way.reset();
    to_.alternatives->trust(*place_, http3_protocol);
}

void raced_attempt::tcp_won(transport::transport_ptr connected, const dial_timings& timings) {
    drop_quic();
    observer_.on_dialed(std::move(connected), timings);
}

void raced_attempt::quic_won(std::unique_ptr<connection::http3_link> link, const dial_timings& timings) {
    drop_tcp();
    observer_.on_linked(std::move(link), timings);
}

void raced_attempt::reached(side& winner) {
    &winner == &quic_ ? drop_tcp() : drop_quic();
    observer_.on_reached();
}

void raced_attempt::lost(side& loser, error failure) {
    if (&loser == &quic_) {
        avoid_place();
        start_tcp();
    } else {
        tcp_failure_ = std::move(failure);
    }
    loser.under_way.reset();
    if (tcp_failure_ && records_) return reactor_.set_timer_in(patience_, last_hope);
    fail_if_over();
}

/// QUIC has had its head start, or records do not come.
void raced_attempt::on_patience_over() {
    records_.reset();
    tcp_failure_ ? fail_if_over() : start_tcp();
}

void raced_attempt::fail_if_over() {
    if (tcp_failure_ && !quic_.under_way) observer_.on_dial_failed(std::move(*tcp_failure_));
}

void raced_attempt::avoid_place() {
    to_.alternatives->avoid(*place_, http3_protocol, std::chrono::system_clock::now());
}

}  // namespace pabal::dial
