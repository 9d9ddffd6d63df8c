#include "connection/http2_server_connection.hpp"

#include <utility>

namespace pabal::connection {

namespace {

/// What is made ready for one write at the most: a few full TLS records.
constexpr std::size_t output_at_once = 64 * 1024;
/// How long a closing connection still takes in what the peer had on the way, so that no RST eats our last words.
constexpr std::chrono::milliseconds linger_time{1000};

}  // namespace

http2_server_connection::http2_server_connection(reactor::reactor& reactor, std::span<char> scratch,
                                                 transport::transport_ptr accepted, pabal::handler& answers,
                                                 server_protocol_observer& observer, const server_limits& limits)
    : reactor_(reactor),
      scratch_(scratch),
      transport_(std::move(accepted)),
      handler_(answers),
      observer_(observer),
      limits_(limits),
      renewed_(reactor.now()) {
    transport_->observe(this);
}

http2_server_connection::~http2_server_connection() {
    state_ = state::closed;
    while (!streams_.empty()) delete &streams_.pop_front();
}

void http2_server_connection::start(std::string_view first) {
    take_in(first);
    receive();
}

http2::stream* http2_server_connection::on_request_begun() {
    if (state_ != state::open) return nullptr;
    auto* made = new http2_server_stream(*this);
    streams_.push_back(*made);
    ++open_streams_;
    ++begun_;
    return made;
}

void http2_server_connection::note_news(http2_server_stream& with_news) {
    auto& place = static_cast<base::list_hook<stream_with_news>&>(with_news);
    if (!place.is_linked()) news_.push_back(with_news);
    schedule_flush();
}

void http2_server_connection::forget(http2_server_stream& done) {
    auto& place = static_cast<base::list_hook<>&>(done);
    if (!place.is_linked()) return;
    place.unlink();
    static_cast<base::list_hook<stream_with_news>&>(done).unlink();
    --open_streams_;
    reactor_.retire(std::unique_ptr<http2_server_stream>(&done));
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
        auto got = transport_->read(scratch_);
        if (!got) return close(server_close_reason::transport_failed);
        if (got->what == transport::io_outcome::kind::would_block) return;
        if (got->what == transport::io_outcome::kind::end) return close(server_close_reason::peer_closed);
        take_in({scratch_.data(), got->size});
    }
}

/// The machine first, then the handlers: they may make other connections use the scratch space that `input` lies in.
void http2_server_connection::take_in(std::string_view input) {
    if (reactor_.now() - renewed_ >= http2::allowance_period) {
        renewed_ = reactor_.now();
        machine_.renew_allowances();
    }
    if (!machine_.receive(input)) return linger(server_close_reason::malformed_request);
    tell_news();
    schedule_flush();
    watch();
}

void http2_server_connection::tell_news() {
    if (std::exchange(telling_, true)) return;
    while (state_ == state::open && !news_.empty()) news_.pop_front().tell();
    telling_ = false;
}

void http2_server_connection::drain() {
    while (state_ == state::lingering && transport_->maybe_readable()) {
        auto got = transport_->read(scratch_);
        if (!got || got->what == transport::io_outcome::kind::end) return close(linger_reason_);
        if (got->what == transport::io_outcome::kind::would_block) return;
        drained_ += got->size;
        if (drained_ > limits_.linger) return close(linger_reason_);
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
    reactor_.set_timer_in(timer_, linger_time);
    flush();
    drain();
}

void http2_server_connection::abandon_streams() {
    while (!streams_.empty()) {
        http2_server_stream& left = streams_.front();
        left.abandon();
        forget(left);
    }
}

void http2_server_connection::close(server_close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    timer_.cancel();
    write_timer_.cancel();
    abandon_streams();
    transport_->observe(nullptr);
    reactor_.retire(std::move(transport_));
    observer_.on_closed(*this, reason);
}

/// The timer counts for a head that has begun, else for the next request while there is none.
void http2_server_connection::watch() {
    if (state_ != state::open) return;
    waiting now = waiting::nothing;
    if (machine_.is_in_head()) now = waiting::head;
    else if (open_streams_ == 0) now = waiting::request;
    if (now == watched_ && begun_ == begun_watched_) return;
    watched_ = now;
    begun_watched_ = begun_;
    const std::chrono::milliseconds limit = now == waiting::head      ? limits_.head
                                            : now == waiting::request ? limits_.idle
                                                                      : std::chrono::milliseconds{0};
    if (limit.count() == 0) return timer_.cancel();
    reactor_.set_timer_in(timer_, limit);
}

/// It counts from the last time that the peer took something.
void http2_server_connection::watch_writing() {
    if (limits_.write.count() > 0) reactor_.set_timer_in(write_timer_, limits_.write);
}

void http2_server_connection::on_timer_expired() {
    if (state_ == state::lingering) return close(linger_reason_);
    machine_.go_away();
    linger(watched_ == waiting::head ? server_close_reason::request_timed_out : server_close_reason::idle_timeout);
}

}  // namespace pabal::connection
