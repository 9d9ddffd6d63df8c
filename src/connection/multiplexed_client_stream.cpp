#include "connection/multiplexed_client_stream.hpp"

#include <algorithm>
#include <utility>

#include "connection/client_rules.hpp"
#include "connection/multiplexed_client_connection.hpp"
#include "protocol/http2/machine.hpp"
#include "protocol/http3/machine.hpp"

namespace pabal::connection {

namespace {

/// How many bytes may be unread before the peer has to wait for their reader. What a reader who keeps up takes in the next turn
/// is less.
constexpr std::size_t read_ahead = 256 * 1024;

}  // namespace

template <class Machine>
multiplexed_client_stream<Machine>::multiplexed_client_stream(multiplexed_client_connection<Machine>& owner,
                                                              exchange_ptr started)
    : owner_(owner), exchange_(std::move(started)), body_left_(exchange_->request_body) {
    exchange& x = *exchange_;
    x.attach(this);
    x.request_sent = x.unprocessed = x.sent_early = false;
    if constexpr (Machine::stream_type::can_be_early) {
        if (x.waits_for_handshake) this->wait_for_handshake();
    }
    x.times.started = owner_.reactor().now();
    awaiting_continue_ = x.request_body_size != 0 && asks_for_continue(x.request);
}

template <class Machine>
result<void> multiplexed_client_stream<Machine>::open() {
    auto opened = owner_.machine().request(exchange_->request, exchange_->request_body_size, *this);
    if (!opened) return opened;
    on_wire_ = true;
    expect_progress();
    if (awaiting_continue_) watch_until(progress_ + exchange_->continue_wait);
    return {};
}

template <class Machine>
void multiplexed_client_stream<Machine>::note_written() {
    exchange_->request_sent = true;
    if (this->sent_all()) exchange_->times.sent = owner_.reactor().now();
}

// --- The request body ------------------------------------------------------------------------------------------------

template <class Machine>
result<read_outcome> multiplexed_client_stream<Machine>::read_body(std::span<char> buffer) {
    if (awaiting_continue_) return read_outcome{};
    progress_ = owner_.reactor().now();
    if (!exchange_->request_body.empty()) {
        const std::size_t size = body_left_.copy(buffer.data(), buffer.size());
        body_left_.remove_prefix(size);
        if (body_left_.empty()) exchange_->times.sent = progress_;
        return size > 0 ? read_outcome{read_outcome::kind::data, size} : read_outcome{read_outcome::kind::end, 0};
    }
    const exchange_ptr asked = exchange_;
    auto got = asked->read_request_body(buffer);
    if (!exchange_) return read_outcome{read_outcome::kind::end, 0};  // it gave up; the machine knows
    if (!got) {
        if (std::exchange(on_wire_, false)) owner_.stream_left();
        error failure = got.error();
        fail(std::move(failure));
        return got;
    }
    source_dry_ = got->what == read_outcome::kind::would_block;
    if (got->what == read_outcome::kind::end) exchange_->times.sent = progress_;
    return got;
}

template <class Machine>
const fields* multiplexed_client_stream<Machine>::trailers() {
    return exchange_ ? exchange_->request_trailers() : nullptr;
}

template <class Machine>
void multiplexed_client_stream<Machine>::request_body_ready(exchange& waiting) {
    if (exchange_.get() != &waiting || !source_dry_ || !on_wire_) return;
    source_dry_ = false;
    owner_.machine().resume_sending(*this);
    owner_.schedule_flush();
}

// --- The response ----------------------------------------------------------------------------------------------------

template <class Machine>
void multiplexed_client_stream<Machine>::on_informational(response_head&& head) {
    progress_ = owner_.reactor().now();
    if (head.status == 100 && std::exchange(awaiting_continue_, false)) owner_.machine().resume_sending(*this);
    const exchange_ptr informed = exchange_;
    informed->on_informational(std::move(head));
}

template <class Machine>
void multiplexed_client_stream<Machine>::on_response(response_head&& head) {
    head_received_ = true;
    if constexpr (Machine::stream_type::can_be_early) {
        exchange_->sent_early = this->was_early();
        owner_.confirm_facts();
        exchange_->connection = owner_.facts;
    }
    // A final response ends the wait for 100 (Continue): without it the body is not sent (RFC 9110 section 10.1.1).
    expect_progress();
    const exchange_ptr answered = exchange_;
    if (answered->on_response(std::move(head)) == delivery::pull && exchange_) receiving_ = receiving::pull;
}

template <class Machine>
void multiplexed_client_stream<Machine>::on_data(std::string_view data) {
    progress_ = owner_.reactor().now();
    received_ += data.size();
    if (wanted_) return hand_over(data);
    if (receiving_ == receiving::pull) {
        if constexpr (Machine::stream_type::lends_data) unread_.add_in_place(data);
        else unread_.add_copy(data);
        return invite_later();
    }
    if (receiving_ == receiving::paused) unread_.add_copy(data);
    else push(data);
    open_window();
}

template <class Machine>
void multiplexed_client_stream<Machine>::push(std::string_view data) {
    const exchange_ptr receiver = exchange_;
    if (receiver->on_data(data) == flow::pause && exchange_) receiving_ = receiving::paused;
}

/// The peer may send as much again as was taken, or is little enough to lie here.
template <class Machine>
void multiplexed_client_stream<Machine>::open_window() {
    if (!on_wire_) return;
    const std::size_t held_back = unread_.size() > read_ahead ? unread_.size() - read_ahead : 0;
    const std::uint64_t earned = received_ - held_back;
    if (earned <= credited_) return;
    owner_.machine().consume(*this, static_cast<std::size_t>(earned - credited_));
    credited_ = earned;
    owner_.schedule_flush();
}

template <class Machine>
void multiplexed_client_stream<Machine>::on_end(fields&& trailers) {
    trailers_ = std::move(trailers);
    ended_ = true;
    leave_wire();
    if (receiving_ == receiving::push) return complete();
    if (receiving_ == receiving::pull) invite_later();
}

template <class Machine>
void multiplexed_client_stream<Machine>::on_reset(error&& failure, bool unprocessed) {
    if (std::exchange(on_wire_, false)) owner_.stream_left();
    if (unprocessed) note_unprocessed();
    if (receiving_ == receiving::push) return fail(std::move(failure));
    failure_ = std::move(failure);
    if (receiving_ == receiving::pull) invite_later();
}

template <class Machine>
void multiplexed_client_stream<Machine>::note_unprocessed() {
    exchange_->unprocessed = true;
    exchange_->request_sent = false;
}

/// A reader who stands here sees for himself.
template <class Machine>
void multiplexed_client_stream<Machine>::invite_later() {
    if (!wanted_) owner_.invite_later(*this);
}

template <class Machine>
void multiplexed_client_stream<Machine>::invite() {
    consumer_waits_ = false;
    const exchange_ptr invited = exchange_;
    invited->on_readable();
    if (!exchange_) return;
    unread_.keep();
    open_window();
}

template <class Machine>
void multiplexed_client_stream<Machine>::resume(exchange& paused) {
    if (exchange_.get() != &paused || receiving_ != receiving::paused) return;
    receiving_ = receiving::push;
    expect_progress();
    const base::byte_buffer taken = unread_.take_all();
    if (!taken.empty()) {
        push(taken.view());
        open_window();
    }
    if (!exchange_ || receiving_ != receiving::push) return;
    if (failure_) return fail(std::move(*failure_));
    if (ended_) complete();
}

template <class Machine>
result<read_outcome> multiplexed_client_stream<Machine>::read_response(exchange& pulled, std::span<char> buffer) {
    if (exchange_.get() != &pulled) return read_outcome{read_outcome::kind::end, 0};
    if (receiving_ != receiving::pull || buffer.empty()) return read_outcome{};
    consumer_waits_ = false;
    std::size_t size = unread_.take(buffer);
    if (size == 0 && !ended_ && !failure_) size = receive_into(buffer);
    if (size > 0) {
        open_window();
        // The last byte ends the exchange at once: the caller may never come back to see the end.
        if (ended_ && unread_.empty()) complete();
        return read_outcome{read_outcome::kind::data, size};
    }
    if (failure_) {
        error failure = std::move(*failure_);
        detach();
        return failure;
    }
    if (ended_) {
        complete();
        return read_outcome{read_outcome::kind::end, 0};
    }
    consumer_waits_ = true;
    expect_progress();
    return read_outcome{};
}

/// What comes right now goes straight to the reader who asks.
template <class Machine>
std::size_t multiplexed_client_stream<Machine>::receive_into(std::span<char> buffer) {
    wanted_ = buffer;
    owner_.receive_more();
    return buffer.size() - std::exchange(wanted_, std::nullopt)->size();
}

template <class Machine>
void multiplexed_client_stream<Machine>::hand_over(std::string_view data) {
    const std::size_t size = data.copy(wanted_->data(), wanted_->size());
    wanted_ = wanted_->subspan(size);
    unread_.add_copy(data.substr(size));
}

// --- Ending ----------------------------------------------------------------------------------------------------------

/// Both sides are done with the stream, or we are: its place on the connection is free.
template <class Machine>
void multiplexed_client_stream<Machine>::leave_wire() {
    if (!std::exchange(on_wire_, false)) return;
    owner_.machine().release(*this);
    owner_.schedule_flush();
    owner_.stream_left();
}

/// The exchange is over; this object is gone at the end of the turn.
template <class Machine>
exchange_ptr multiplexed_client_stream<Machine>::detach() {
    exchange_ptr released = std::exchange(exchange_, nullptr);
    released->attach(nullptr);
    timer_.cancel();
    leave_wire();
    owner_.forget(*this);
    return released;
}

/// The connection goes back first, so that whoever hears of the end can use it at once.
template <class Machine>
void multiplexed_client_stream<Machine>::complete() {
    fields trailers = std::move(trailers_);
    detach()->on_end(std::move(trailers));
}

template <class Machine>
void multiplexed_client_stream<Machine>::fail(error failure) {
    detach()->on_error(std::move(failure));
}

template <class Machine>
void multiplexed_client_stream<Machine>::lose(const error& failure, bool unprocessed) {
    if (std::exchange(on_wire_, false)) owner_.stream_left();
    if (ended_) return;
    if (unprocessed) note_unprocessed();
    error told = failure;
    if (head_received_ && failure.code == error_code::connection_closed) {
        told.code = error_code::body_incomplete;
        told.message = failure.whose == culprit::network
                           ? "the response body is not complete: " + failure.message
                           : "the server closed the connection before the response body was complete";
    }
    if (receiving_ == receiving::push) return fail(std::move(told));
    failure_ = std::move(told);
    if (receiving_ == receiving::pull) invite_later();
}

template <class Machine>
void multiplexed_client_stream<Machine>::cancel(exchange& cancelled) {
    if (exchange_.get() == &cancelled) detach();
}

// --- Time ------------------------------------------------------------------------------------------------------------

/// The peer's clock starts (again). As with HTTP/1.1 the timer is not moved for every piece of data: it looks at `progress_`
/// when it fires.
template <class Machine>
void multiplexed_client_stream<Machine>::expect_progress() {
    progress_ = owner_.reactor().now();
    const auto limit = owes_response() ? exchange_->limits.read : exchange_->limits.write;
    if (limit.count() > 0) watch_until(progress_ + limit);
}

template <class Machine>
void multiplexed_client_stream<Machine>::watch_until(reactor::time_point deadline) {
    if (timer_.is_set() && timer_due_ <= deadline) return;
    timer_due_ = deadline;
    owner_.reactor().set_timer(timer_, deadline);
}

template <class Machine>
void multiplexed_client_stream<Machine>::on_timer_expired() {
    if (awaiting_continue_ && !head_received_) {
        const auto patient_until = progress_ + exchange_->continue_wait;
        if (patient_until > owner_.reactor().now()) return watch_until(patient_until);
        awaiting_continue_ = false;
        expect_progress();
        owner_.machine().resume_sending(*this);
        return owner_.schedule_flush();
    }
    if (receiving_ == receiving::paused || (receiving_ == receiving::pull && !consumer_waits_)) return;
    // A body source that is slow to produce is the caller's affair; the total limit bounds it.
    if (!this->sent_all() && source_dry_) return;
    const bool reading = owes_response();
    const auto limit = reading ? exchange_->limits.read : exchange_->limits.write;
    if (limit.count() == 0) return;
    if (progress_ + limit > owner_.reactor().now()) return watch_until(progress_ + limit);
    owner_.doubt_peer();
    fail(inactivity(reading, limit));
}

template class multiplexed_client_stream<http2::machine>;
template class multiplexed_client_stream<http3::machine>;

}  // namespace pabal::connection
