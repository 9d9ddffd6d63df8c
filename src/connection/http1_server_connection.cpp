#include "connection/http1_server_connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "connection/server_exchange.hpp"
#include "protocol/http/pseudo_fields.hpp"

namespace pabal::connection {

namespace {

/// How long a closing connection still takes in what the peer had on the way, so that no RST eats our response
/// (RFC 9112 section 9.6).
constexpr std::chrono::milliseconds linger_time{1000};

response_head plain_response(int status) {
    response_head head;
    head.status = status;
    head.headers.append_valid("Content-Length", "0");
    return head;
}

}  // namespace

http1_server_connection::http1_server_connection(const server_environment& environment,
                                                 transport::transport_ptr accepted, server_protocol_observer& observer)
    : environment_(environment), transport_(std::move(accepted)), observer_(observer) {
    transport_->observe(this);
}

http1_server_connection::~http1_server_connection() {
    if (exchange_) exchange_->detach();
}

bool http1_server_connection::is_answering() const noexcept { return bool(exchange_); }

void http1_server_connection::start(std::string_view first) {
    input_ = first;
    watch_time(environment_.limits.head);
    process();
    receive();
}

void http1_server_connection::on_transport_ready(transport::readiness now) {
    if (state_ == state::closed) return;
    if (now.writable && !output_.empty()) flush();
    if (now.readable && state_ != state::closed) receive();
}

// --- Receiving -------------------------------------------------------------------------------------------------------

/// Reads as much as the state allows: heads between requests, nothing while a handler answers.
void http1_server_connection::receive() {
    while (state_ != state::closed) {
        if (state_ == state::answering) {
            if (!std::exchange(body_awaited_, false)) return;
            watch();
            if (exchange_ && exchange_->answered_by()) exchange_->answered_by()->request_body_ready(*exchange_);
            return;
        }
        if (state_ == state::draining) return drain();
        if (state_ == state::receiving && stalled_) return;
        if (!fill()) return;
        if (state_ == state::lingering) {
            drained_ += input_.size();
            input_.clear();
            input_used_ = 0;
            if (drained_ > environment_.limits.linger) return close(linger_reason_);
            continue;
        }
        process();
    }
}

/// One read into the buffer. False: nothing came (or the end did, and has been dealt with).
bool http1_server_connection::fill() {
    if (!transport_->maybe_readable()) return false;
    auto got = transport_->read(environment_.scratch);
    if (!got) return close(server_close_reason::transport_failed), false;
    if (got->what == transport::io_outcome::kind::would_block) return false;
    if (got->what == transport::io_outcome::kind::end) {
        peer_ended_ = true;
        // A peer that has only ended its own direction still gets what it is owed (RFC 9112 section 9.6).
        if (state_ == state::receiving) linger(server_close_reason::peer_closed);
        else if (state_ == state::lingering && queued() == 0) close(linger_reason_);
        return false;
    }
    if (body_rest_.empty()) input_.erase(0, std::exchange(input_used_, 0));
    input_.append(environment_.scratch.data(), got->size);
    return true;
}

/// Takes requests out of the buffer until it is used up or a handler has to be waited for.
void http1_server_connection::process() {
    if (std::exchange(in_process_, true)) return;
    while (state_ == state::receiving && !buffered().empty() && peer_takes_responses()) {
        const bool had_started = machine_.receive_started();
        const http1::step step = machine_.receive(buffered());
        input_used_ += step.used;
        if (step.what == http1::step::kind::head) {
            begin_exchange();
        } else if (step.what == http1::step::kind::failed) {
            refuse(machine_.failure_status(), server_close_reason::malformed_request);
        } else if (step.what == http1::step::kind::need_more) {
            if (!had_started && machine_.receive_started()) watch();
            break;
        }
    }
    in_process_ = false;
    // Responses of one turn leave together.
    if (state_ != state::closed && !output_.empty()) flush();
}

/// False when so much of earlier responses is unwritten that no further request may be begun: `flush` goes on with them.
bool http1_server_connection::peer_takes_responses() {
    if (queued() > environment_.limits.write_buffer) flush();
    stalled_ = state_ == state::receiving && queued() > environment_.limits.write_buffer;
    return state_ == state::receiving && !stalled_;
}

void http1_server_connection::begin_exchange() {
    state_ = state::answering;
    response_begun_ = response_ended_ = handler_paused_ = body_awaited_ = body_withheld_ = false;
    drained_ = 0;
    watch();
    exchange_ = base::make_counted<server_exchange>(*this);
    exchange_->request = machine_.take_request();
    exchange_->request_body_size = machine_.announced_body_size();
    if (!exchange_->request_body_size && machine_.received_all()) exchange_->request_body_size = 0;
    if (!exchange_->request_body_size && !exchange_->request.headers.contains(field_id::transfer_encoding))
        exchange_->request_body_size = 0;
    environment_.handler.handle(exchange_ptr(exchange_.get()));
}

void http1_server_connection::refuse(int status, server_close_reason reason) {
    state_ = state::answering;
    response_begun_ = true;
    if (machine_.send_response(plain_response(status), 0, true, output_)) (void)machine_.send_end(nullptr, output_);
    linger(reason);
}

result<read_outcome> http1_server_connection::read_request(std::span<char> buffer) {
    if (machine_.expects_continue() && !response_begun_ && !machine_.received_all() && body_rest_.empty()) {
        response_head go_on;
        go_on.status = 100;
        if (machine_.send_informational(go_on, output_)) flush();
        if (state_ == state::closed) return body_failed();
    }
    while (true) {
        if (body_rest_.empty()) {
            const http1::step step = machine_.receive(buffered());
            input_used_ += step.used;
            if (step.what == http1::step::kind::end) return read_outcome{read_outcome::kind::end, 0};
            if (step.what == http1::step::kind::failed) return body_failed();
            body_rest_ = step.what == http1::step::kind::data ? step.data : std::string_view{};
        }
        if (!body_rest_.empty()) {
            const std::size_t size = std::min(buffer.size(), body_rest_.size());
            std::memcpy(buffer.data(), body_rest_.data(), size);
            body_rest_.remove_prefix(size);
            return read_outcome{read_outcome::kind::data, size};
        }
        if (machine_.received_all()) return read_outcome{read_outcome::kind::end, 0};
        if (!fill()) {
            if (state_ == state::closed || peer_ended_) return body_failed();
            body_awaited_ = true;
            watch();
            return read_outcome{};
        }
    }
}

result<read_outcome> http1_server_connection::body_failed() {
    if (machine_.reusable() == http1::reuse::protocol_error) return machine_.failure();
    return error{error_code::body_incomplete, phase::read, culprit::peer, 0,
                 "the client closed the connection before the request body was complete"};
}

/// The handler has answered without reading the whole request: the rest is read if it is short, for the connection's sake.
void http1_server_connection::drain() {
    while (state_ == state::draining) {
        body_rest_ = {};
        const http1::step step = machine_.receive(buffered());
        input_used_ += step.used;
        drained_ += step.data.size();
        if (step.what == http1::step::kind::end || machine_.received_all()) return next_request();
        if (step.what == http1::step::kind::failed) return linger(server_close_reason::malformed_request);
        if (drained_ > environment_.limits.drain) return linger(server_close_reason::body_unread);
        if (step.what == http1::step::kind::need_more && !fill()) {
            if (peer_ended_) return linger(server_close_reason::peer_closed);
            return watch();
        }
    }
}

// --- Answering -------------------------------------------------------------------------------------------------------

void http1_server_connection::send_informational(response_head&& head) {
    if (response_begun_ || exchange_->request.version == http_version::http_1_0) return;
    if (machine_.send_informational(head, output_)) schedule_flush();
}

void http1_server_connection::send_response(response_head&& head) {
    if (std::exchange(response_begun_, true)) return;
    complete_head(head, environment_);
    const auto announced = http::announced_size(head.headers);
    const auto size = announced ? *announced : std::nullopt;  // what is no number the machine refuses
    // Nobody will ask for the body any more, and whether the client sends it now is a guess (RFC 9110 section 10.1.1).
    body_withheld_ = machine_.expects_continue();
    if (auto sent = machine_.send_response(head, size, finishing_ || body_withheld_, output_); !sent) {
        response_begun_ = false;
        refuse(500, server_close_reason::handler_failed);
    }
}

flow http1_server_connection::send_data(std::string_view data) {
    if (state_ != state::answering || data.empty()) return flow::more;
    if (machine_.sends_body()) {
        if (auto framed = machine_.send_data(data.size(), output_); !framed) {
            linger(server_close_reason::handler_failed);
            return flow::more;
        }
        output_.append(data);
        output_.append(machine_.data_suffix());
    }
    if (queued() > environment_.limits.write_buffer) flush();
    else schedule_flush();
    if (state_ != state::closed && queued() > environment_.limits.write_buffer) {
        handler_paused_ = true;
        return flow::pause;
    }
    return flow::more;
}

void http1_server_connection::send_end(fields&& trailers) {
    if (state_ != state::answering) return;
    if (auto ended = machine_.send_end(trailers.empty() ? nullptr : &trailers, output_); !ended)
        return close(server_close_reason::handler_failed);
    end_of_response();
}

void http1_server_connection::send_failure(error&&) {
    if (state_ != state::answering) return;
    if (response_begun_) {
        // The only honest end of a response that cannot be completed is to break off (RFC 9112 section 8).
        return close(server_close_reason::handler_failed);
    }
    // A body that was malformed is the client's failure, whatever else the handler made of it.
    if (machine_.reusable() == http1::reuse::protocol_error)
        return refuse(machine_.failure_status(), server_close_reason::malformed_request);
    refuse(500, server_close_reason::handler_failed);
}

void http1_server_connection::end_of_response() {
    response_ended_ = true;
    exchange_->detach();
    exchange_->attach(nullptr);
    environment_.reactor.retire(std::move(exchange_));
    if (!machine_.received_all()) {
        if (body_withheld_) return linger(server_close_reason::body_unread);
        state_ = state::draining;
        schedule_flush();
        return drain();
    }
    next_request();
}

void http1_server_connection::next_request() {
    if (finishing_ || peer_ended_ || machine_.reusable() != http1::reuse::yes) {
        return linger(server_close_reason::keep_alive_ended);
    }
    machine_.next_cycle();
    state_ = state::receiving;
    body_rest_ = {};
    if (buffered().empty()) {
        input_.clear();
        input_used_ = 0;
    }
    watch();
    if (in_process_) return;
    schedule_flush();
    process();
    if (state_ == state::receiving) receive();
}

// --- Writing and ending ------------------------------------------------------------------------------------------------

void http1_server_connection::flush() {
    while (state_ != state::closed && queued() > 0) {
        const std::array<std::string_view, 1> pieces{std::string_view(output_).substr(output_written_)};
        auto written = transport_->write(pieces);
        if (!written) return close(server_close_reason::transport_failed);
        if (written->what != transport::io_outcome::kind::moved) return wait_for_room();
        output_written_ += written->size;
        if (write_blocked_) watch_time(environment_.limits.write);
    }
    if (state_ == state::closed) return;
    output_.clear();
    output_written_ = 0;
    if (std::exchange(write_blocked_, false)) watch();
    if (state_ == state::lingering) {
        transport_->shutdown_write();
        if (peer_ended_) return close(linger_reason_);
    }
    if (handler_paused_ && state_ == state::answering && exchange_ && exchange_->answered_by()) {
        handler_paused_ = false;
        exchange_->answered_by()->resume(*exchange_);
    }
    if (state_ == state::receiving && !in_process_ && std::exchange(stalled_, false)) {
        process();
        if (state_ == state::receiving) receive();
    }
}

void http1_server_connection::wait_for_room() {
    if (!std::exchange(write_blocked_, true)) watch_time(environment_.limits.write);
    // A queue that never runs quite empty must not keep what was written for ever.
    if (output_written_ >= queued()) output_.erase(0, std::exchange(output_written_, 0));
}

void http1_server_connection::linger(server_close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::lingering;
    linger_reason_ = reason;
    drained_ = 0;
    body_rest_ = {};
    input_.clear();
    input_used_ = 0;
    if (exchange_) {
        exchange_->detach();
        if (exchange_->answered_by()) exchange_->answered_by()->cancel(*exchange_);
        environment_.reactor.retire(std::move(exchange_));
    }
    watch();
    flush();
    if (state_ == state::lingering && !in_process_) receive();
}

void http1_server_connection::finish() {
    finishing_ = true;
    if (state_ == state::receiving && !machine_.receive_started()) linger(server_close_reason::server_stopped);
}

void http1_server_connection::close(server_close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    timer_.cancel();
    if (exchange_) {
        const auto abandoned = std::exchange(exchange_, nullptr);
        abandoned->detach();
        if (abandoned->answered_by()) abandoned->answered_by()->cancel(*abandoned);
    }
    transport_->observe(nullptr);
    environment_.reactor.retire(std::move(transport_));
    observer_.on_closed(*this, reason);
}

/// There is one timer: it counts for the peer's taking of responses while that is stuck, else for what the state waits for.
void http1_server_connection::watch() {
    if (write_blocked_) return;
    switch (state_) {
    case state::receiving:
        return watch_time(machine_.receive_started() ? environment_.limits.head : environment_.limits.idle);
    case state::answering: return watch_time(body_awaited_ ? environment_.limits.body : std::chrono::milliseconds{0});
    case state::draining: return watch_time(environment_.limits.body);
    case state::lingering: return watch_time(linger_time);
    case state::closed: return;
    }
}

void http1_server_connection::watch_time(std::chrono::milliseconds limit) {
    if (limit.count() == 0) return timer_.cancel();
    environment_.reactor.set_timer_in(timer_, limit);
}

void http1_server_connection::on_timer_expired() {
    if (write_blocked_) return close(server_close_reason::write_timed_out);
    switch (state_) {
    case state::receiving:
        if (!machine_.receive_started() && buffered().empty()) return linger(server_close_reason::idle_timeout);
        return refuse(408, server_close_reason::request_timed_out);
    case state::answering:
        if (!response_begun_) return refuse(408, server_close_reason::request_timed_out);
        return close(server_close_reason::request_timed_out);
    case state::draining: return close(server_close_reason::request_timed_out);
    case state::lingering: return close(linger_reason_);
    case state::closed: return;
    }
}

}  // namespace pabal::connection
