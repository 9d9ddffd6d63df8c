#include "connection/http2_server_connection.hpp"

#include <utility>

namespace pabal::connection {

namespace {

/// What is made ready for one write at the most: a few full TLS records.
constexpr std::size_t output_at_once = 64 * 1024;
/// How long a closing connection still takes in what the peer had on the way, so that no RST eats our last words.
constexpr std::chrono::milliseconds linger_time{1000};

}  // namespace

http2_server_connection::http2_server_connection(const server_environment& environment,
                                                 transport::transport_ptr accepted, server_protocol_observer& observer)
    : multiplexed_server_connection(environment, observer),
      transport_(std::move(accepted)),
      renewed_(environment.reactor.now()) {
    transport_->observe(this);
}

void http2_server_connection::start(std::string_view first) {
    take_in(first);
    receive();
}

// --- Receiving -------------------------------------------------------------------------------------------------------

void http2_server_connection::on_transport_ready(transport::readiness now) {
    if (now.writable && write_blocked_ && state_ != state::closed) {
        write_blocked_ = false;
        flush();
    }
    if (now.readable && state_ == state::open) receive();
    if (now.readable && state_ == state::lingering) drain();
}

void http2_server_connection::receive() {
    while (state_ == state::open && transport_->maybe_readable()) {
        auto got = transport_->read(environment_.scratch);
        if (!got) return close(server_close_reason::transport_failed);
        if (got->what == transport::io_outcome::kind::would_block) return;
        if (got->what == transport::io_outcome::kind::end) return close(server_close_reason::peer_closed);
        take_in({environment_.scratch.data(), got->size});
    }
}

/// The machine first, then the handlers: they may make other connections use the scratch space that `input` lies in.
void http2_server_connection::take_in(std::string_view input) {
    if (environment_.reactor.now() - renewed_ >= http2::allowance_period) {
        renewed_ = environment_.reactor.now();
        machine_.renew_allowances();
    }
    if (!machine_.receive(input)) return linger(server_close_reason::malformed_request);
    tell_news();
    schedule_flush();
    watch();
}

void http2_server_connection::drain() {
    while (state_ == state::lingering && transport_->maybe_readable()) {
        auto got = transport_->read(environment_.scratch);
        if (!got || got->what == transport::io_outcome::kind::end) return close(linger_reason_);
        if (got->what == transport::io_outcome::kind::would_block) return;
        drained_ += got->size;
        if (drained_ > environment_.limits.linger) return close(linger_reason_);
    }
}

// --- Sending ---------------------------------------------------------------------------------------------------------

void http2_server_connection::run_deferred() {
    if (state_ != state::open) return;
    tell_news();
    flush();
}

void http2_server_connection::flush() {
    while (state_ != state::closed && !write_blocked_) {
        if (output_written_ == output_.size()) {
            output_.clear();
            output_written_ = 0;
            if (!machine_.send(output_, output_at_once)) return close(server_close_reason::malformed_request);
            if (output_.empty()) break;
        }
        const std::string_view piece = std::string_view(output_).substr(output_written_);
        auto written = transport_->write({&piece, 1});
        if (!written) return close(server_close_reason::transport_failed);
        if (written->what != transport::io_outcome::kind::moved) {
            if (!std::exchange(write_blocked_, true)) watch_writing();
            break;
        }
        output_written_ += written->size;
        write_timer_.cancel();
    }
    if (state_ == state::closed) return;
    if (state_ == state::lingering) {
        if (!write_blocked_ && !std::exchange(was_shut_, true)) transport_->shutdown_write();
        return;
    }
    tell_news();
    watch();
    end_if_over();
}

// --- Ending ----------------------------------------------------------------------------------------------------------

void http2_server_connection::end_if_over() {
    if (state_ != state::open || write_blocked_) return;
    if (machine_.failure()) return linger(server_close_reason::malformed_request);
    if (machine_.is_over())
        return linger(finishing_ ? server_close_reason::server_stopped : server_close_reason::keep_alive_ended);
    if (finishing_ && open_streams_ == 0) take_no_more();
}

void http2_server_connection::finish() {
    if (state_ != state::open || std::exchange(finishing_, true)) return;
    if (open_streams_ == 0) take_no_more();
    else machine_.announce_end();
    flush();
}

/// The client has heard that the end is near: whatever it sent before that is here.
void http2_server_connection::on_pong() {
    if (finishing_) take_no_more();
}

/// A client may send again whatever it sent meanwhile (RFC 9113 section 6.8).
void http2_server_connection::take_no_more() {
    if (std::exchange(finished_, true)) return;
    machine_.finish();
    schedule_flush();
}

void http2_server_connection::linger(server_close_reason reason) {
    if (state_ != state::open) return;
    state_ = state::lingering;
    linger_reason_ = reason;
    abandon_streams();
    environment_.reactor.set_timer_in(timer_, linger_time);
    flush();
    drain();
}

void http2_server_connection::close(server_close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    timer_.cancel();
    write_timer_.cancel();
    abandon_streams();
    transport_->observe(nullptr);
    environment_.reactor.retire(std::move(transport_));
    observer_.on_closed(*this, reason);
}

/// It counts from the last time that the peer took something.
void http2_server_connection::watch_writing() {
    if (environment_.limits.write.count() > 0)
        environment_.reactor.set_timer_in(write_timer_, environment_.limits.write);
}

void http2_server_connection::waited_too_long(server_close_reason reason) {
    if (state_ == state::lingering) return close(linger_reason_);
    machine_.go_away();
    linger(reason);
}

}  // namespace pabal::connection
