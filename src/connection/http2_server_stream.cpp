#include "connection/http2_server_stream.hpp"

#include <utility>

#include "connection/http2_server_connection.hpp"

namespace pabal::connection {

// --- What the machine tells ------------------------------------------------------------------------------------------

void http2_server_stream::on_request(request_head&& head, std::optional<std::uint64_t> body_size) {
    exchange_ = base::make_counted<server_exchange>(*this);
    const auto expectation = head.headers.find(field_id::expect);
    expects_continue_ = expectation && equals_ignoring_case(*expectation, "100-continue");
    exchange_->request = std::move(head);
    exchange_->request_body_size = body_size;
    to_handle_ = true;
    owner_.note_news(*this);
}

void http2_server_stream::on_bad_request(int status) {
    refuse(status);
    owner_.note_news(*this);
}

void http2_server_stream::on_data(std::string_view data) {
    input_.append(data);
    if (body_awaited_) owner_.note_news(*this);
}

void http2_server_stream::on_end(fields&& trailers) {
    request_ended_ = true;
    request_trailers_ = std::move(trailers);
    if (body_awaited_) owner_.note_news(*this);
}

void http2_server_stream::on_reset(error&&, bool) {
    on_machine_ = false;
    reset_ = true;
    owner_.note_news(*this);
}

result<read_outcome> http2_server_stream::read_body(std::span<char> buffer) {
    if (queued() == 0) {
        if (response_ended_) return read_outcome{read_outcome::kind::end, 0};
        source_dry_ = true;
        return read_outcome{};
    }
    const std::size_t size = std::string_view(output_).substr(output_used_).copy(buffer.data(), buffer.size());
    output_used_ += size;
    took_ = true;
    // A queue that never runs quite empty must not keep what was taken for ever.
    if (output_used_ >= queued()) output_.erase(0, std::exchange(output_used_, 0));
    if (queued() == 0) timer_.cancel();
    if (handler_paused_ && queued() <= owner_.limits().write_buffer / 2) owner_.note_news(*this);
    return read_outcome{read_outcome::kind::data, size};
}

/// From here on the machine ends the stream by itself; the client's end of it is no failure any more.
void http2_server_stream::on_sent() {
    let_go();
    owner_.note_news(*this);
}

// --- What the handler hears ------------------------------------------------------------------------------------------

void http2_server_stream::tell() {
    if (reset_) {
        abandon();
        return leave();
    }
    if (std::exchange(to_handle_, false)) {
        owner_.handler().handle(exchange_ptr(exchange_.get()));
    } else if (body_awaited_ && (arrived() > 0 || request_ended_)) {
        body_awaited_ = false;
        timer_.cancel();
        if (exchange_ && exchange_->answered_by()) exchange_->answered_by()->request_body_ready(*exchange_);
    }
    if (handler_paused_ && queued() <= owner_.limits().write_buffer / 2) {
        handler_paused_ = false;
        if (exchange_ && exchange_->answered_by()) exchange_->answered_by()->resume(*exchange_);
    }
    leave_if_over();
}

void http2_server_stream::abandon() {
    const auto abandoned = std::exchange(exchange_, nullptr);
    timer_.cancel();
    if (!abandoned) return;
    abandoned->detach();
    if (abandoned->answered_by()) abandoned->answered_by()->cancel(*abandoned);
}

// --- What the handler does -------------------------------------------------------------------------------------------

result<read_outcome> http2_server_stream::read_request(std::span<char> buffer) {
    if (arrived() > 0) {
        const std::size_t size = std::string_view(input_).substr(input_used_).copy(buffer.data(), buffer.size());
        input_used_ += size;
        if (input_used_ >= arrived()) input_.erase(0, std::exchange(input_used_, 0));
        if (on_machine_) {
            owner_.machine().consume(*this, size);
            owner_.schedule_flush();
        }
        return read_outcome{read_outcome::kind::data, size};
    }
    if (request_ended_) return read_outcome{read_outcome::kind::end, 0};
    if (!on_machine_)
        return error{error_code::body_incomplete, phase::read, culprit::peer, 0,
                     "the exchange ended before the request body was complete"};
    if (std::exchange(expects_continue_, false) && !response_begun_) {
        response_head go_on;
        go_on.status = 100;
        send_informational(std::move(go_on));
    }
    body_awaited_ = true;
    watch(owner_.limits().body);
    return read_outcome{};
}

void http2_server_stream::send_informational(response_head&& head) {
    if (response_begun_ || !on_machine_) return;
    if (owner_.machine().inform(head, *this)) owner_.schedule_flush();
}

void http2_server_stream::send_response(response_head&& head) {
    if (!on_machine_ || std::exchange(response_begun_, true)) return;
    // RFC 9110 section 6.4.1: these have no content, whatever their fields say.
    sends_body_ = exchange_->request.method != "HEAD" && head.status != 204 && head.status != 304;
    if (owner_.machine().respond(head, sends_body_, *this)) return owner_.schedule_flush();
    refuse(500);
}

flow http2_server_stream::send_data(std::string_view data) {
    if (!on_machine_ || !sends_body_ || data.empty()) return flow::more;
    if (queued() == 0) watch(owner_.limits().write);
    output_.append(data);
    if (std::exchange(source_dry_, false)) owner_.machine().resume_sending(*this);
    owner_.schedule_flush();
    handler_paused_ = queued() > owner_.limits().write_buffer;
    return handler_paused_ ? flow::pause : flow::more;
}

void http2_server_stream::send_end(fields&& trailers) {
    response_ended_ = true;
    response_trailers_ = std::move(trailers);
    exchange_->detach();
    exchange_->attach(nullptr);
    owner_.retire(std::move(exchange_));
    exchange_ = nullptr;
    if (on_machine_ && std::exchange(source_dry_, false)) owner_.machine().resume_sending(*this);
    owner_.schedule_flush();
    owner_.note_news(*this);
}

void http2_server_stream::send_failure(error&&) {
    if (response_begun_) give_up(http2::error_reason::internal_error);
    else refuse(500);
    if (exchange_) {
        exchange_->detach();
        exchange_->attach(nullptr);
        owner_.retire(std::move(exchange_));
        exchange_ = nullptr;
    }
    owner_.note_news(*this);
}

// --- Ending ----------------------------------------------------------------------------------------------------------

/// A response of ours, without content; what the handler says is not heard.
void http2_server_stream::refuse(int status) {
    response_begun_ = response_ended_ = true;
    sends_body_ = false;
    response_head head;
    head.status = status;
    head.headers.append_valid("Content-Length", "0");
    if (on_machine_ && !owner_.machine().respond(head, false, *this)) give_up(http2::error_reason::internal_error);
    let_go();
    owner_.schedule_flush();
}

void http2_server_stream::give_up(http2::error_reason why) {
    if (std::exchange(on_machine_, false)) owner_.machine().release(*this, why);
    response_ended_ = true;
    owner_.schedule_flush();
}

void http2_server_stream::let_go() {
    if (std::exchange(on_machine_, false)) owner_.machine().release(*this);
    timer_.cancel();
}

/// Over is what the handler and the machine both have done with.
void http2_server_stream::leave_if_over() {
    if (response_ended_ && on_machine_ && sent_all()) let_go();
    if (!on_machine_ && !exchange_) leave();
}

void http2_server_stream::leave() { owner_.forget(*this); }

void http2_server_stream::watch(std::chrono::milliseconds limit) {
    took_ = false;
    if (limit.count() > 0) owner_.reactor().set_timer_in(timer_, limit);
}

void http2_server_stream::on_timer_expired() {
    if (queued() > 0 && took_) return watch(owner_.limits().write);
    if (queued() == 0 && !response_begun_) refuse(408);
    else give_up(http2::error_reason::cancel);
    abandon();
    owner_.note_news(*this);
    owner_.schedule_flush();
}

}  // namespace pabal::connection
