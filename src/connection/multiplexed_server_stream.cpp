#include "connection/multiplexed_server_stream.hpp"

#include <utility>

#include "connection/multiplexed_server_connection.hpp"
#include "protocol/http/methods.hpp"
#include "protocol/http2/machine.hpp"
#include "protocol/http3/machine.hpp"

namespace pabal::connection {

template <class Machine>
multiplexed_server_stream<Machine>::~multiplexed_server_stream() {
    if (exchange_) exchange_->detach();
}

// --- What the machine tells ------------------------------------------------------------------------------------------

template <class Machine>
void multiplexed_server_stream<Machine>::on_request(request_head&& head, std::optional<std::uint64_t> body_size) {
    // RFC 8470 section 5.2: who may act twice on what is replayed says that it was too early.
    if (owner_.machine().may_be_replayed() && !http::is_safe(head.method)) {
        refuse(425);
        return owner_.note_news(*this);
    }
    exchange_ = base::make_counted<server_exchange>(*this);
    const auto expectation = head.headers.find(field_id::expect);
    expects_continue_ = expectation && equals_ignoring_case(*expectation, "100-continue");
    exchange_->request = std::move(head);
    exchange_->request_body_size = body_size;
    at_work_ = to_handle_ = true;
    owner_.note_news(*this);
}

template <class Machine>
void multiplexed_server_stream<Machine>::on_request_too_large() {
    refuse(431);
    owner_.note_news(*this);
}

template <class Machine>
void multiplexed_server_stream<Machine>::on_data(std::string_view data) {
    input_.append(data);
    if (draining_) return drain();
    if (body_awaited_) owner_.note_news(*this);
}

template <class Machine>
void multiplexed_server_stream<Machine>::on_end(fields&& trailers) {
    request_ended_ = true;
    request_trailers_ = std::move(trailers);
    if (body_awaited_) owner_.note_news(*this);
    end_if_answered();
}

template <class Machine>
void multiplexed_server_stream<Machine>::on_reset(error&&, bool) {
    on_machine_ = false;
    was_reset_ = true;
    owner_.note_news(*this);
}

template <class Machine>
result<read_outcome> multiplexed_server_stream<Machine>::read_body(std::span<char> buffer) {
    if (queued() == 0) {
        if (response_ended_) return read_outcome{read_outcome::kind::end, 0};
        source_dry_ = true;
        return read_outcome{};
    }
    const std::size_t size = std::string_view(output_).substr(output_used_).copy(buffer.data(), buffer.size());
    output_used_ += size;
    was_taken_from_ = true;
    // A queue that never runs quite empty must not keep what was taken for ever.
    if (output_used_ >= queued()) output_.erase(0, std::exchange(output_used_, 0));
    if (queued() == 0) output_timer_.cancel();
    if (may_resume()) owner_.note_news(*this);
    return read_outcome{read_outcome::kind::data, size};
}

template <class Machine>
void multiplexed_server_stream<Machine>::on_sent() {
    end_if_answered();
}

// --- What the handler hears ------------------------------------------------------------------------------------------

/// Whatever the handler is told, it may end this stream, or the connection, before it returns.
template <class Machine>
void multiplexed_server_stream<Machine>::tell() {
    if (was_reset_) cancel_handler();
    if (at_work_ && std::exchange(to_handle_, false))
        owner_.environment().handler.handle(exchange_ptr(exchange_.get()));
    if (body_awaited_ && (arrived() > 0 || request_ended_)) {
        body_awaited_ = false;
        body_timer_.cancel();
        if (responder* const waiting = listener()) waiting->request_body_ready(*exchange_);
    }
    if (may_resume()) {
        handler_paused_ = false;
        if (responder* const paused = listener()) paused->resume(*exchange_);
    }
    if (!on_machine_ && !at_work_) owner_.forget(*this);
}

template <class Machine>
bool multiplexed_server_stream<Machine>::may_resume() const noexcept {
    return handler_paused_ && queued() <= owner_.environment().limits.write_buffer / 2;
}

template <class Machine>
void multiplexed_server_stream<Machine>::abandon() {
    leave_machine();
    cancel_handler();
}

template <class Machine>
void multiplexed_server_stream<Machine>::cancel_handler() {
    if (!at_work_) return;
    responder* const abandoned = exchange_->answered_by();
    leave_handler();
    if (abandoned) abandoned->cancel(*exchange_);
}

/// The exchange itself stays until the end of the turn, as the handler's frames are still on the stack.
template <class Machine>
void multiplexed_server_stream<Machine>::leave_handler() {
    at_work_ = to_handle_ = body_awaited_ = handler_paused_ = false;
    body_timer_.cancel();
    exchange_->detach();
    exchange_->attach(nullptr);
    owner_.note_news(*this);
    end_if_answered();
}

// --- What the handler does -------------------------------------------------------------------------------------------

template <class Machine>
result<read_outcome> multiplexed_server_stream<Machine>::read_request(std::span<char> buffer) {
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
    watch_body();
    return read_outcome{};
}

template <class Machine>
void multiplexed_server_stream<Machine>::send_informational(response_head&& head) {
    if (response_begun_ || !on_machine_) return;
    if (owner_.machine().inform(head, *this)) owner_.schedule_flush();
}

template <class Machine>
void multiplexed_server_stream<Machine>::send_response(response_head&& head) {
    if (!on_machine_ || std::exchange(response_begun_, true)) return;
    complete_head(head, owner_.environment());
    // RFC 9110 section 6.4.1: these have no content, whatever their fields say.
    const bool has_body = exchange_->request.method != "HEAD" && head.status != 204 && head.status != 304;
    if (!owner_.machine().respond(head, has_body, *this)) {
        refuse(500);
        return cancel_handler();
    }
    end_if_answered();
    owner_.schedule_flush();
}

template <class Machine>
flow multiplexed_server_stream<Machine>::send_data(std::string_view data) {
    if (!on_machine_ || !response_begun_ || this->sent_all() || data.empty()) return flow::more;
    if (queued() == 0) watch_output();
    output_.append(data);
    if (std::exchange(source_dry_, false)) owner_.machine().resume_sending(*this);
    owner_.schedule_flush();
    handler_paused_ = queued() > owner_.environment().limits.write_buffer;
    return handler_paused_ ? flow::pause : flow::more;
}

template <class Machine>
void multiplexed_server_stream<Machine>::send_end(fields&& trailers) {
    if (!response_begun_) refuse(500);
    response_ended_ = true;
    response_trailers_ = std::move(trailers);
    leave_handler();
    if (on_machine_ && std::exchange(source_dry_, false)) owner_.machine().resume_sending(*this);
}

template <class Machine>
void multiplexed_server_stream<Machine>::send_failure(error&&) {
    if (response_begun_) leave_machine(Machine::broke);
    else refuse(500);
    leave_handler();
}

// --- Ending ----------------------------------------------------------------------------------------------------------

/// A response of ours, without content. The handler, if there is one, is not heard any more.
template <class Machine>
void multiplexed_server_stream<Machine>::refuse(int status) {
    response_begun_ = response_ended_ = true;
    response_head head;
    head.status = status;
    head.headers.append_valid("Content-Length", "0");
    if (on_machine_ && !owner_.machine().respond(head, false, *this)) leave_machine(Machine::broke);
    end_if_answered();
    owner_.schedule_flush();
}

/// The response is complete, as far as the handler and this stream are concerned.
template <class Machine>
void multiplexed_server_stream<Machine>::end_if_answered() {
    if (!on_machine_ || !this->sent_all() || at_work_) return;
    owner_.note_news(*this);
    // A client that waits for 100 (Continue) and got its response instead may never send the rest.
    if (request_ended_ || expects_continue_) return leave_machine();
    if (std::exchange(draining_, true)) return;
    watch_body();
    drain();
}

template <class Machine>
void multiplexed_server_stream<Machine>::drain() {
    const std::size_t size = arrived();
    input_.clear();
    input_used_ = 0;
    drained_ += size;
    if (drained_ > owner_.environment().limits.drain) {
        owner_.note_news(*this);
        return leave_machine();
    }
    if (size == 0) return;
    owner_.machine().consume(*this, size);
    owner_.schedule_flush();
}

/// `why` is what the client is told if our response is not complete.
template <class Machine>
void multiplexed_server_stream<Machine>::leave_machine(typename Machine::reason_type why) {
    output_timer_.cancel();
    if (draining_) body_timer_.cancel();
    if (!std::exchange(on_machine_, false)) return;
    owner_.machine().release(*this, why);
    owner_.schedule_flush();
}

template <class Machine>
void multiplexed_server_stream<Machine>::watch_body() {
    if (owner_.environment().limits.body.count() > 0)
        owner_.environment().reactor.set_timer_in(body_timer_, owner_.environment().limits.body);
}

template <class Machine>
void multiplexed_server_stream<Machine>::watch_output() {
    was_taken_from_ = false;
    if (owner_.environment().limits.write.count() > 0)
        owner_.environment().reactor.set_timer_in(output_timer_, owner_.environment().limits.write);
}

/// The handler waits for content, or nobody does any more, and the client is silent.
template <class Machine>
void multiplexed_server_stream<Machine>::on_body_late() {
    if (!response_begun_) refuse(408);
    leave_machine();
    cancel_handler();
    owner_.note_news(*this);
}

/// The client opens no window for what there is to send.
template <class Machine>
void multiplexed_server_stream<Machine>::on_output_stuck() {
    if (was_taken_from_) return watch_output();
    leave_machine();
    cancel_handler();
    owner_.note_news(*this);
}

template class multiplexed_server_stream<http2::machine>;
template class multiplexed_server_stream<http3::machine>;

}  // namespace pabal::connection
