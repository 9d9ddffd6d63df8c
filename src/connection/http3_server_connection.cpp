#include "connection/http3_server_connection.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/fork.hpp"
#include "connection/http3_endpoint.hpp"

namespace pabal::connection {

namespace {

/// Between saying that the end is near and which request was the last: at least.
constexpr std::chrono::milliseconds shortest_notice{10};

/// Early data goes by what a client remembers of transport parameters and SETTINGS, which must not shrink meanwhile: to be changed
/// with either.
constexpr std::string_view early_data_context = "pabal 1";

transport::socket_address address_of(std::string_view bytes) noexcept {
    transport::socket_address made;
    made.size = static_cast<socklen_t>(std::min(bytes.size(), sizeof made.storage));
    std::memcpy(&made.storage, bytes.data(), made.size);
    return made;
}

/// Why a connection is gone that QUIC gave up.
server_close_reason reason_of(const error& failure) noexcept {
    if (failure.code == error_code::malformed_message) return server_close_reason::malformed_request;
    return failure.whose == culprit::network ? server_close_reason::idle_timeout : server_close_reason::peer_closed;
}

}  // namespace

http3_server_connection::http3_server_connection(http3_endpoint& endpoint)
    : multiplexed_server_connection(endpoint.environment(), endpoint),
      endpoint_(endpoint),
      renewed_(endpoint.environment().reactor.now()) {}

result<std::unique_ptr<http3_server_connection>>
http3_server_connection::accept(http3_endpoint& endpoint, const quic::initial& first, quic::path path) {
    const base::no_fork whole;
    std::unique_ptr<http3_server_connection> made(new http3_server_connection(endpoint));
    auto tls = transport::quic_tls::accept(endpoint.tls(), endpoint.takes_early_data() ? early_data_context : "");
    if (!tls) return std::move(tls).error();
    made->tls_ = std::move(*tls);
    auto quic = quic::machine::server(made->tls_->native(), std::move(path), first, endpoint.stateless(), *made,
                                      made->http_.user(), quic::server_limits, endpoint.environment().reactor.now(),
                                      endpoint.conduct());
    if (!quic) return std::move(quic).error();
    made->quic_ = std::move(*quic);
    made->http_.ride(*made->quic_);
    made->on_new_id(first.destination);
    return made;
}

http3_server_connection::~http3_server_connection() {
    const base::no_fork whole;
    quic_.reset();
}

void http3_server_connection::on_new_id(std::string_view id) {
    ids_.emplace_back(id);
    endpoint_.route(id, *this);
}

void http3_server_connection::on_retired_id(std::string_view id) {
    endpoint_.unroute(id);
    std::erase(ids_, id);
}

// --- Receiving -------------------------------------------------------------------------------------------------------

void http3_server_connection::receive(const transport::datagram_arrival& arrived) {
    if (state_ != state::open) return;
    const reactor::time_point now = environment_.reactor.now();
    if (now - renewed_ >= http3::allowance_period) {
        renewed_ = now;
        http_.renew_allowances();
    }
    assign_bytes(over_.local, *arrived.to);
    assign_bytes(over_.remote, *arrived.from);
    (void)quic_->receive(arrived.bytes, arrived.mark, now, &over_);
    schedule_flush();
}

void http3_server_connection::on_deadline() {
    (void)quic_->on_deadline(environment_.reactor.now());
    run_deferred();
}

// --- Sending ---------------------------------------------------------------------------------------------------------

void http3_server_connection::run_deferred() {
    if (state_ != state::open) return;
    if (!proven_ && quic_->is_established()) {
        proven_ = true;
        endpoint_.note_proven();
    }
    tell_news();
    if (state_ == state::open) flush();
}

void http3_server_connection::flush() {
    send_all();
    tell_news();
    if (state_ != state::open) return;
    if (quic_->failure()) return close(reason_of(*quic_->failure()));
    if (finished_ && open_streams_ == 0 && http_.is_idle()) return close(server_close_reason::server_stopped);
    watch();
    if (const auto due = sender_.due(*quic_, environment_.reactor.now()))
        environment_.reactor.set_timer(deadline_timer_, *due);
    else deadline_timer_.cancel();
}

void http3_server_connection::send_all() {
    sender_.flush(http_, environment_.reactor.now(),
                  [this](std::string_view bytes, std::size_t segment, transport::ecn_mark mark) {
                      const transport::socket_address to = address_of(quic_->sent_over().remote);
                      const transport::socket_address from = address_of(quic_->sent_over().local);
                      return endpoint_.send(bytes, segment, mark, {&to, &from});
                  });
}

// --- Ending ----------------------------------------------------------------------------------------------------------

void http3_server_connection::finish() {
    if (state_ != state::open || std::exchange(finishing_, true)) return;
    if (open_streams_ == 0 && http_.is_idle()) return close(server_close_reason::server_stopped);
    http_.announce_end();
    environment_.reactor.set_timer_in(announced_timer_,
                                      std::max<std::chrono::nanoseconds>(shortest_notice, 2 * quic_->round_trip()));
    schedule_flush();
}

/// The client has heard that the end is near: whatever it sent before that is here.
void http3_server_connection::on_announced() {
    finished_ = true;
    http_.finish();
    schedule_flush();
}

void http3_server_connection::close(server_close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    for (reactor::timer* each : {static_cast<reactor::timer*>(&timer_), static_cast<reactor::timer*>(&deadline_timer_),
                                 static_cast<reactor::timer*>(&announced_timer_)})
        each->cancel();
    abandon_streams();
    http_.go_away();
    send_all();
    for (const std::string& id : ids_) endpoint_.unroute(id);
    if (!proven_) endpoint_.note_proven();
    observer_.on_closed(*this, reason);
}

}  // namespace pabal::connection
