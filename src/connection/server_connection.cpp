#include "connection/server_connection.hpp"

#include <utility>

#include "connection/http1_server_connection.hpp"
#include "connection/http2_server_connection.hpp"

namespace pabal::connection {

namespace {

/// RFC 9113 section 3.4.
constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

server_connection::server_connection(const server_environment& environment, transport::transport_ptr accepted,
                                     server_connection_observer& observer)
    : environment_(environment), transport_(std::move(accepted)), observer_(observer) {
    transport_->observe(this);
}

void server_connection::start() {
    if (environment_.limits.head.count() > 0) environment_.reactor.set_timer_in(timer_, environment_.limits.head);
    choose();
}

void server_connection::on_transport_ready(transport::readiness now) {
    if (now.readable) choose();
}

/// Reads until it is clear what the client speaks: mostly the first bytes say so.
void server_connection::choose() {
    while (transport_ && transport_->maybe_readable()) {
        auto got = transport_->read(environment_.scratch);
        if (!got) return close(server_close_reason::transport_failed);
        if (got->what == transport::io_outcome::kind::would_block) return;
        if (got->what == transport::io_outcome::kind::end) return close(server_close_reason::peer_closed);
        first_.append(environment_.scratch.data(), got->size);
        const std::string agreed = transport_->describe().application_protocol;
        if (agreed == "h2") return serve_http2();
        if (!agreed.empty() || !http2_preface.starts_with(first_.substr(0, http2_preface.size())))
            return void(serve_http1());
        if (first_.size() >= http2_preface.size()) return serve_http2();
    }
}

http1_server_connection& server_connection::serve_http1() {
    server_protocol_observer& told = *this;
    auto made = std::make_unique<http1_server_connection>(environment_, std::move(transport_), told);
    http1_server_connection& chosen = *made;
    begin(std::move(made));
    return chosen;
}

void server_connection::serve_http2() {
    server_protocol_observer& told = *this;
    begin(std::make_unique<http2_server_connection>(environment_, std::move(transport_), told));
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
    environment_.reactor.retire(std::move(transport_));
    observer_.on_closed(*this, reason);
}

void server_connection::on_closed(server_protocol_connection&, server_close_reason reason) {
    observer_.on_closed(*this, reason);
}

/// A client that has not said what it speaks is told so, and let go, as HTTP/1.1 does it.
void server_connection::on_timer_expired() { serve_http1().time_out(); }

}  // namespace pabal::connection
