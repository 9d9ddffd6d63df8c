#include "dial/raced_attempt.hpp"

namespace pabal::dial {

namespace {

constexpr std::string_view http3_protocol = "h3";  // RFC 9114 section 3.1

}  // namespace

raced_attempt::raced_attempt(reactor::reactor& reactor, dialer& dialer, target to, const dial_limits& limits,
                             dial_observer& observer)
    : dialer_(dialer), to_(std::move(to)), limits_(limits), observer_(observer) {
    target there = to_;
    if (there.server_name.empty()) there.server_name = to_.host;
    there.host = to_.http3_at->host;
    there.port = to_.http3_at->port;
    there.over_quic = true;
    there.http3_at.reset();
    there.alternatives.reset();
    quic_.under_way = dialer_.dial(there, limits_, quic_);
    reactor.set_timer_in(patience_, head_start);
}

void raced_attempt::start_tcp() {
    if (tcp_.under_way || tcp_failure_) return;
    patience_.cancel();
    target itself = to_;
    itself.http3_at.reset();
    itself.alternatives.reset();
    tcp_.under_way = dialer_.dial(itself, limits_, tcp_);
}

void raced_attempt::tcp_won(transport::transport_ptr connected, const dial_timings& timings) {
    if (quic_.under_way) avoid_place();
    quic_.under_way.reset();
    observer_.on_dialed(std::move(connected), timings);
}

void raced_attempt::quic_won(std::unique_ptr<connection::http3_link> link, const dial_timings& timings) {
    patience_.cancel();
    tcp_.under_way.reset();
    to_.alternatives->trust(*to_.http3_at, http3_protocol);
    observer_.on_linked(std::move(link), timings);
}

void raced_attempt::lost(side& loser, error failure) {
    if (&loser == &quic_) {
        avoid_place();
        start_tcp();
    } else {
        tcp_failure_ = std::move(failure);
    }
    loser.under_way.reset();
    if (tcp_failure_ && !quic_.under_way) observer_.on_dial_failed(std::move(*tcp_failure_));
}

void raced_attempt::avoid_place() {
    to_.alternatives->avoid(*to_.http3_at, http3_protocol, std::chrono::system_clock::now());
}

}  // namespace pabal::dial
