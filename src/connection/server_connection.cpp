#include "connection/server_connection.hpp"

#include <utility>

#include "connection/http1_server_connection.hpp"
#include "connection/http2_server_connection.hpp"

namespace pabal::connection {

namespace {

/// RFC 9113 section 3.4.
constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

std::string_view name_of(server_close_reason reason) noexcept {
    switch (reason) {
    case server_close_reason::peer_closed: return "peer_closed";
    case server_close_reason::keep_alive_ended: return "keep_alive_ended";
    case server_close_reason::malformed_request: return "malformed_request";
    case server_close_reason::request_timed_out: return "request_timed_out";
    case server_close_reason::idle_timeout: return "idle_timeout";
    case server_close_reason::write_timed_out: return "write_timed_out";
    case server_close_reason::handler_failed: return "handler_failed";
    case server_close_reason::body_unread: return "body_unread";
    case server_close_reason::transport_failed: return "transport_failed";
    case server_close_reason::server_stopped: return "server_stopped";
    }
    return "unknown";
}

server_connection::server_connection(reactor::reactor& reactor, std::span<char> scratch,
                                     transport::transport_ptr accepted, handler& answers,
                                     server_connection_observer& observer, const server_limits& limits)
    : reactor_(reactor),
      scratch_(scratch),
      transport_(std::move(accepted)),
      handler_(answers),
      observer_(observer),
      limits_(limits) {
    transport_->observe(this);
}

void server_connection::start() {
    if (limits_.head.count() > 0) reactor_.set_timer_in(timer_, limits_.head);
    choose();
}

void server_connection::on_transport_ready(transport::readiness now) {
    if (now.readable) choose();
}

/// Reads until it is clear what the client speaks: mostly the first bytes say so.
void server_connection::choose() {
    while (transport_ && transport_->maybe_readable()) {
        auto got = transport_->read(scratch_);
        if (!got) return close(server_close_reason::transport_failed);
        if (got->what == transport::io_outcome::kind::would_block) return;
        if (got->what == transport::io_outcome::kind::end) return close(server_close_reason::peer_closed);
        first_.append(scratch_.data(), got->size);
        const std::string agreed = transport_->describe().application_protocol;
        if (agreed == "h2") return serve_http2();
        if (!agreed.empty() || !http2_preface.starts_with(first_.substr(0, http2_preface.size())))
            return void(serve_http1());
        if (first_.size() >= http2_preface.size()) return serve_http2();
    }
}

http1_server_connection& server_connection::serve_http1() {
    server_protocol_observer& told = *this;
    auto made =
        std::make_unique<http1_server_connection>(reactor_, scratch_, std::move(transport_), handler_, told, limits_);
    http1_server_connection& chosen = *made;
    begin(std::move(made));
    return chosen;
}

void server_connection::serve_http2() {
    server_protocol_observer& told = *this;
    begin(
        std::make_unique<http2_server_connection>(reactor_, scratch_, std::move(transport_), handler_, told, limits_));
}

void server_connection::begin(std::unique_ptr<server_protocol_connection> chosen) {
    timer_.cancel();
    chosen_ = std::move(chosen);
    chosen_->start(std::exchange(first_, {}));
}

void server_connection::finish() {
    if (transport_) serve_http1();
    if (chosen_) chosen_->finish();
}

void server_connection::close(server_close_reason reason) {
    if (chosen_) return chosen_->close(reason);
    if (!transport_) return;
    timer_.cancel();
    transport_->observe(nullptr);
    reactor_.retire(std::move(transport_));
    observer_.on_closed(*this, reason);
}

void server_connection::on_closed(server_protocol_connection&, server_close_reason reason) {
    observer_.on_closed(*this, reason);
}

/// A client that has not said what it speaks is told so, and let go, as HTTP/1.1 does it.
void server_connection::on_timer_expired() { serve_http1().time_out(); }

}  // namespace pabal::connection
