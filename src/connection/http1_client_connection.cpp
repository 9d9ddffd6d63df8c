#include "connection/http1_client_connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "connection/client_rules.hpp"

namespace pabal::connection {

namespace {

/// Below this, receiving into the shared scratch buffer and copying is cheaper than a system call of its own.
constexpr std::uint64_t direct_receive_threshold = 16 * 1024;

close_reason reason_for(http1::reuse verdict) noexcept {
    switch (verdict) {
    case http1::reuse::peer_said_close: return close_reason::peer_said_close;
    case http1::reuse::body_until_close: return close_reason::body_until_close;
    case http1::reuse::unexpected_bytes: return close_reason::unexpected_bytes;
    case http1::reuse::protocol_error: return close_reason::protocol_error;
    case http1::reuse::upgraded: return close_reason::upgraded;
    case http1::reuse::not_finished: return close_reason::request_unfinished;
    case http1::reuse::we_said_close:
    case http1::reuse::yes: break;
    }
    return close_reason::we_said_close;
}

}  // namespace

http1_client_connection::http1_client_connection(environment& environment, transport::transport_ptr transport,
                                                 client_connection_observer& observer, const http1::limits& limits)
    : environment_(environment),
      transport_(std::move(transport)),
      observer_(observer),
      machine_(http1::role::client, limits),
      moderation_(environment.reactor) {
    transport_->observe(this);
}

http1_client_connection::~http1_client_connection() = default;

bool http1_client_connection::usable() const noexcept { return state_ == state::idle && !transport_->maybe_readable(); }

transport::transport_description http1_client_connection::describe() const {
    return transport_ ? transport_->describe() : transport::transport_description{};
}

void http1_client_connection::start(exchange_ptr started) {
    exchange& x = *started;
    output_.clear();
    output_written_ = 0;
    if (auto framed = machine_.send_request(x.request, x.request_body_size, output_); !framed) {
        observer_.on_room(*this);
        x.on_error(std::move(framed).error());
        return;
    }
    state_ = state::busy;
    exchange_ = std::move(started);
    x.attach(this);
    x.on_reused_connection = std::exchange(served_before_, true);
    x.request_sent = false;
    x.connection = facts;
    x.times.started = environment_.reactor.now();
    receiving_ = receiving::push;
    head_received_ = request_complete_ = body_source_dry_ = consumer_waits_ = false;
    awaiting_continue_ = x.request_body_size != 0 && asks_for_continue(x.request);
    body_streams_ = x.request_body_size != 0 && x.request_body.empty();
    body_left_ = x.request_body;
    if (!body_left_.empty()) {
        if (auto announced = machine_.send_data(body_left_.size(), output_); !announced)
            return fail(std::move(announced).error(), close_reason::request_unfinished);
    }
    if (!body_streams_) {
        if (auto ended = machine_.send_end(nullptr, output_); !ended)
            return fail(std::move(ended).error(), close_reason::request_unfinished);
    }
    expect_progress();
    if (awaiting_continue_) watch_until(progress_ + x.continue_wait);
    flush();
}

// --- Sending ---------------------------------------------------------------------------------------------------------

void http1_client_connection::flush() {
    while (state_ == state::busy && !write_failure_) {
        auto moved = write_pending();
        if (!moved) return on_write_failure(std::move(moved.error()));
        if (!*moved) return expect_progress();
        if (awaiting_continue_ || request_complete_) return;
        if (!body_streams_ || (!tunnelled_ && machine_.sent_all())) return request_written();
        if (body_source_dry_) return;
        pump_request_body();
    }
}

/// True when nothing is left to write for now, false when the transport takes no more.
result<bool> http1_client_connection::write_pending() {
    while (true) {
        const std::string_view framing = std::string_view(output_).substr(output_written_);
        const std::string_view body = awaiting_continue_ ? std::string_view{} : body_left_;
        if (framing.empty() && body.empty()) {
            output_.clear();
            output_written_ = 0;
            return true;
        }
        const std::array<std::string_view, 2> pieces{framing, body};
        auto written = transport_->write(pieces);
        if (!written) return std::move(written).error();
        if (written->what != transport::io_outcome::kind::moved) return false;
        exchange_->request_sent = true;
        const std::size_t of_framing = std::min(written->size, framing.size());
        output_written_ += of_framing;
        body_left_.remove_prefix(written->size - of_framing);
        progress_ = environment_.reactor.now();
    }
}

/// Moves one piece of a streamed body: from the exchange through the scratch buffer to the transport.
void http1_client_connection::pump_request_body() {
    const exchange_ptr pumped = exchange_;
    const scratch_lease scratch(environment_);
    auto got = pumped->read_request_body(scratch.space());
    if (state_ != state::busy || exchange_ != pumped) return;
    if (!got) return fail(std::move(got).error(), close_reason::request_unfinished);
    if (got->what == read_outcome::kind::would_block) {
        body_source_dry_ = true;
        return;
    }
    if (got->what == read_outcome::kind::end) {
        if (tunnelled_) {
            body_streams_ = false;
            return transport_->shutdown_write();
        }
        if (auto ended = machine_.send_end(pumped->request_trailers(), output_); !ended)
            fail(std::move(ended).error(), close_reason::request_unfinished);
        return;
    }
    const std::string_view data{scratch.space().data(), got->size};
    std::string_view suffix;
    if (!tunnelled_) {
        if (auto framed = machine_.send_data(data.size(), output_); !framed)
            return fail(std::move(framed).error(), close_reason::request_unfinished);
        suffix = machine_.data_suffix();
    }
    const std::array<std::string_view, 3> pieces{output_, data, suffix};
    auto written = transport_->write(pieces);
    if (!written) return on_write_failure(std::move(written).error());
    std::size_t taken = written->size;
    if (taken > 0) pumped->request_sent = true;
    // What the transport did not take is kept; the scratch buffer is somebody else's after this call.
    std::string rest;
    for (const std::string_view piece : pieces) {
        const std::size_t skipped = std::min(taken, piece.size());
        taken -= skipped;
        rest.append(piece.substr(skipped));
    }
    output_ = std::move(rest);
    output_written_ = 0;
    progress_ = environment_.reactor.now();
}

void http1_client_connection::request_written() {
    request_complete_ = true;
    exchange_->times.sent = environment_.reactor.now();
    expect_progress();
}

/// The peer may have answered before it stopped reading (RFC 9112 section 9.5): its response is worth more than our error.
void http1_client_connection::on_write_failure(error failure) {
    write_failure_ = std::move(failure);
    // What is being processed now may hold the response; the rest is received after it.
    if (head_received_ || receiving_ != receiving::push || processing_) return;
    receive();
    if (state_ == state::busy && write_failure_ && !transport_->maybe_readable() && !machine_.receive_started())
        fail(std::move(*write_failure_), close_reason::transport_failed);
}

void http1_client_connection::request_body_ready(exchange& waiting) {
    if (exchange_.get() != &waiting || !body_source_dry_) return;
    body_source_dry_ = false;
    flush();
}

// --- Receiving -------------------------------------------------------------------------------------------------------

void http1_client_connection::on_transport_ready(transport::readiness now) {
    if (now.writable && state_ == state::busy) flush();
    if (now.readable && state_ != state::closed) receive();
}

void http1_client_connection::receive() {
    while (state_ != state::closed && transport_->maybe_readable()) {
        if (state_ == state::busy) {
            if (receiving_ == receiving::paused) return;
            if (receiving_ == receiving::pull) return invite_consumer();
            if (receive_directly()) continue;
        }
        const scratch_lease scratch(environment_);
        auto got = transport_->read(scratch.space());
        if (state_ == state::idle) {
            if (got && got->what == transport::io_outcome::kind::would_block) return;
            const bool data = got && got->what == transport::io_outcome::kind::moved;
            return close_now(data ? close_reason::unexpected_bytes : close_reason::peer_closed_idle);
        }
        if (!got) {
            error failure = write_failure_ ? std::move(*write_failure_) : std::move(got).error();
            return fail(std::move(failure), close_reason::transport_failed);
        }
        if (got->what == transport::io_outcome::kind::would_block) break;
        if (got->what == transport::io_outcome::kind::end) return receive_end();
        progress_ = environment_.reactor.now();
        moderation_.received(got->size);
        const std::string_view received{scratch.space().data(), got->size};
        if (input_.empty()) {
            process(received);
        } else {
            input_.erase(0, std::exchange(input_used_, 0));
            input_.append(received);
            process_buffered();
        }
    }
    if (state_ == state::busy && receiving_ == receiving::push) moderation_.wait(*transport_, certain_to_come());
}

/// From here on it is the consumer who is waited for.
void http1_client_connection::invite_consumer() {
    consumer_waits_ = false;
    exchange_->on_readable();
}

/// How many bytes of content the peer has promised, when nothing but content comes next.
std::uint64_t http1_client_connection::certain_to_come() const noexcept {
    return !tunnelled_ && buffered().empty() ? machine_.contiguous_body_remaining() : 0;
}

/// A long run of content goes straight to where the requester wants it. False: nothing of the kind, read as usual.
bool http1_client_connection::receive_directly() {
    const std::uint64_t remaining = machine_.contiguous_body_remaining();
    if (remaining < direct_receive_threshold || !head_received_ || !buffered().empty()) return false;
    std::span<char> space = exchange_->body_space(static_cast<std::size_t>(remaining));
    if (space.empty()) return false;
    if (space.size() > remaining) space = space.first(static_cast<std::size_t>(remaining));
    auto got = transport_->read(space);
    if (!got) return fail(std::move(got).error(), close_reason::transport_failed), true;
    if (got->what == transport::io_outcome::kind::would_block) return true;
    if (got->what == transport::io_outcome::kind::end) return receive_end(), true;
    progress_ = environment_.reactor.now();
    moderation_.received(got->size);
    machine_.received_directly(got->size);
    if (on_step_data({space.data(), got->size}) && machine_.contiguous_body_remaining() == 0) process({});
    return true;
}

void http1_client_connection::process_buffered() {
    // The buffer is set aside so that nothing a callback does can move it under our feet.
    std::string taken = std::exchange(input_, {});
    const std::size_t used = std::exchange(input_used_, 0);
    process(std::string_view(taken).substr(used));
}

void http1_client_connection::process(std::string_view input) {
    processing_ = true;
    while (state_ == state::busy && receiving_ == receiving::push) {
        if (tunnelled_) {
            if (!input.empty()) on_step_data(std::exchange(input, {}));
            break;
        }
        const http1::step step = machine_.receive(input);
        input.remove_prefix(step.used);
        switch (step.what) {
        case http1::step::kind::data: on_step_data(step.data); break;
        case http1::step::kind::head: on_step_head(); break;
        case http1::step::kind::informational: {
            response_head head = machine_.take_response();
            const bool go_on = head.status == 100 && std::exchange(awaiting_continue_, false);
            const exchange_ptr informed = exchange_;
            informed->on_informational(std::move(head));
            if (go_on && exchange_ == informed) flush();
            break;
        }
        case http1::step::kind::end: processing_ = false; return complete(!input.empty());
        case http1::step::kind::upgraded: begin_tunnel(); break;
        case http1::step::kind::failed:
            processing_ = false;
            return fail(std::move(machine_.failure()), close_reason::protocol_error);
        case http1::step::kind::need_more:
            processing_ = false;
            if (!input.empty()) input_.assign(input), input_used_ = 0;
            return;
        }
    }
    if (state_ == state::busy && receiving_ == receiving::pull && machine_.reusable() == http1::reuse::upgraded)
        begin_tunnel();
    processing_ = false;
    if (state_ == state::busy && !input.empty()) {
        input_.assign(input);
        input_used_ = 0;
    }
    if (state_ == state::busy && receiving_ == receiving::pull) invite_consumer();
}

/// Both directions are raw bytes from here on: the exchange's source is asked (again) for what goes out.
void http1_client_connection::begin_tunnel() {
    tunnelled_ = body_streams_ = true;
    body_source_dry_ = request_complete_ = false;
    flush();
}

void http1_client_connection::on_step_head() {
    head_received_ = true;
    // A final response ends the wait for 100 (Continue): without it the body is not sent (RFC 9110 section 10.1.1).
    if (awaiting_continue_) expect_progress();
    const exchange_ptr answered = exchange_;
    const delivery chosen = answered->on_response(machine_.take_response());
    if (state_ == state::busy && exchange_ == answered && chosen == delivery::pull) receiving_ = receiving::pull;
}

/// False when the exchange is over, paused or on another connection.
bool http1_client_connection::on_step_data(std::string_view data) {
    const exchange_ptr receiver = exchange_;
    const flow wanted = receiver->on_data(data);
    if (state_ != state::busy || exchange_ != receiver) return false;
    if (wanted == flow::pause) receiving_ = receiving::paused;
    return wanted == flow::more;
}

void http1_client_connection::resume(exchange& paused) {
    if (exchange_.get() != &paused || receiving_ != receiving::paused) return;
    receiving_ = receiving::push;
    expect_progress();
    if (processing_) return;
    process_buffered();
    if (state_ == state::busy && receiving_ == receiving::push) receive();
}

result<read_outcome> http1_client_connection::read_response(exchange& pulled, std::span<char> buffer) {
    if (exchange_.get() != &pulled) return read_outcome{read_outcome::kind::end, 0};
    if (processing_ || receiving_ != receiving::pull || buffer.empty()) return read_outcome{};
    consumer_waits_ = false;
    while (true) {
        auto got = buffered().empty() && pulled_rest_.empty() ? pull_from_transport(buffer) : pull_buffered(buffer);
        if (!got || got->what != read_outcome::kind::data || got->size > 0) return got;
    }
}

/// Data of size 0 in the outcome of these two means: look again.
result<read_outcome> http1_client_connection::pull_buffered(std::span<char> buffer) {
    if (pulled_rest_.empty()) {
        if (tunnelled_) {
            pulled_rest_ = buffered();
            input_used_ = input_.size();
        } else {
            const http1::step step = machine_.receive(buffered());
            input_used_ += step.used;
            switch (step.what) {
            case http1::step::kind::data: pulled_rest_ = step.data; break;
            case http1::step::kind::end: return end_of_pull();
            case http1::step::kind::need_more: return pull_from_transport(buffer);
            default: {
                error failure = std::move(machine_.failure());
                exchange_->attach(nullptr);
                exchange_.reset();
                close_now(close_reason::protocol_error);
                return failure;
            }
            }
        }
    }
    const std::size_t size = std::min(buffer.size(), pulled_rest_.size());
    std::memcpy(buffer.data(), pulled_rest_.data(), size);
    pulled_rest_.remove_prefix(size);
    if (pulled_rest_.empty() && buffered().empty()) {
        input_.clear();
        input_used_ = 0;
        if (response_ends_here()) complete(false);
    }
    return read_outcome{read_outcome::kind::data, size};
}

result<read_outcome> http1_client_connection::pull_from_transport(std::span<char> buffer) {
    const std::uint64_t remaining = tunnelled_ ? buffer.size() : machine_.contiguous_body_remaining();
    const bool directly = remaining > 0 && buffered().empty();
    if (!directly && buffered().empty() && response_ends_here()) return end_of_pull();
    std::optional<scratch_lease> scratch;
    if (!directly) scratch.emplace(environment_);
    const std::span<char> space =
        directly ? buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(remaining, buffer.size())))
                 : scratch->space();
    auto got = transport_->read(space);
    if (!got) {
        exchange_->attach(nullptr);
        exchange_.reset();
        close_now(close_reason::transport_failed);
        return std::move(got).error();
    }
    switch (got->what) {
    case transport::io_outcome::kind::would_block:
        consumer_waits_ = true;
        expect_progress();
        moderation_.wait(*transport_, certain_to_come());
        return read_outcome{};
    case transport::io_outcome::kind::end: {
        error failure = closed_early();  // which looks at what was missing: the machine forgets it when it fails
        if (tunnelled_ || machine_.receive_end().what == http1::step::kind::end) return end_of_pull();
        exchange_->attach(nullptr);
        exchange_.reset();
        close_now(close_reason::transport_failed);
        return failure;
    }
    case transport::io_outcome::kind::moved: break;
    }
    progress_ = environment_.reactor.now();
    moderation_.received(got->size);
    if (!directly) {
        input_.erase(0, std::exchange(input_used_, 0));
        input_.append(space.data(), got->size);
        return read_outcome{read_outcome::kind::data, 0};
    }
    if (!tunnelled_) {
        machine_.received_directly(got->size);
        if (machine_.contiguous_body_remaining() == 0 && response_ends_here()) complete(false);
    }
    return read_outcome{read_outcome::kind::data, got->size};
}

/// The last byte of a pulled body frees the connection at once: the caller may never come back to see the end.
bool http1_client_connection::response_ends_here() {
    return !tunnelled_ && machine_.receive({}).what == http1::step::kind::end;
}

result<read_outcome> http1_client_connection::end_of_pull() {
    complete(!buffered().empty());
    return read_outcome{read_outcome::kind::end, 0};
}

void http1_client_connection::receive_end() {
    if (tunnelled_) return complete(false);
    error early = closed_early();
    if (machine_.receive_end().what == http1::step::kind::end) return complete(false);
    fail(write_failure_ && !head_received_ ? std::move(*write_failure_) : std::move(early),
         close_reason::transport_failed);
}

/// The response is complete. The connection goes back first, so that whoever hears of the end can use it at once.
void http1_client_connection::complete(bool bytes_left) {
    const http1::reuse verdict = tunnelled_       ? http1::reuse::upgraded
                                 : bytes_left     ? http1::reuse::unexpected_bytes
                                 : write_failure_ ? http1::reuse::not_finished
                                                  : machine_.reusable();
    fields trailers = machine_.take_trailers();
    const exchange_ptr done = std::exchange(exchange_, nullptr);
    done->attach(nullptr);
    pulled_rest_ = {};
    moderation_.end();
    if (verdict == http1::reuse::yes && request_complete_ && nothing_follows()) {
        machine_.next_cycle();
        input_.clear();
        input_used_ = 0;
        state_ = state::idle;
        observer_.on_room(*this);
    } else {
        const bool ended_idle = verdict == http1::reuse::yes && request_complete_;
        close_now(ended_idle                     ? close_reason::peer_closed_idle
                  : verdict == http1::reuse::yes ? close_reason::request_unfinished
                                                 : reason_for(verdict));
    }
    done->on_end(std::move(trailers));
}

/// Whoever receives a pushed response goes on and meets what comes behind it. Behind a pulled one the news may be old, and
/// nobody would hear of it again: it is looked for here, so that a connection that has ended serves nobody.
bool http1_client_connection::nothing_follows() {
    if (receiving_ != receiving::pull || !transport_->maybe_readable()) return true;
    const scratch_lease scratch(environment_);
    const auto got = transport_->read(scratch.space());
    return got && got->what == transport::io_outcome::kind::would_block;
}

// --- Ending ----------------------------------------------------------------------------------------------------------

void http1_client_connection::cancel(exchange& cancelled) {
    if (exchange_.get() != &cancelled) return;
    const exchange_ptr released = std::exchange(exchange_, nullptr);
    released->attach(nullptr);
    close_now(head_received_ ? close_reason::response_unread : close_reason::cancelled);
}

void http1_client_connection::close(close_reason reason) {
    if (state_ == state::closed) return;
    if (!exchange_) return close_now(reason);
    fail(closed_by_us(reason), reason);
}

void http1_client_connection::close_now(close_reason reason) {
    if (state_ == state::closed) return;
    state_ = state::closed;
    timer_.cancel();
    moderation_.forget();
    // Frames of the transport may be below us on the stack: it is closed now and freed when the turn is over.
    transport_->observe(nullptr);
    environment_.reactor.retire(std::move(transport_));
    observer_.on_closed(*this, reason);
}

void http1_client_connection::fail(error failure, close_reason reason) {
    const exchange_ptr failed = std::exchange(exchange_, nullptr);
    close_now(reason);
    if (!failed) return;
    failed->attach(nullptr);
    failed->on_error(std::move(failure));
}

error http1_client_connection::closed_early() const {
    if (!head_received_ && !machine_.receive_started())
        return {error_code::connection_closed, phase::read, culprit::peer, 0,
                "the server closed the connection without sending a response"};
    if (!head_received_)
        return {error_code::body_incomplete, phase::read, culprit::peer, 0,
                "the server closed the connection in the middle of the response head"};
    std::string message = "the server closed the connection before the response body was complete";
    const std::uint64_t missing = machine_.contiguous_body_remaining();
    if (const auto announced = machine_.announced_body_size())
        message +=
            ": received " + std::to_string(*announced - missing) + " of " + std::to_string(*announced) + " bytes";
    return {error_code::body_incomplete, phase::read, culprit::peer, 0, std::move(message)};
}

/// The peer's clock starts (again). A timer that fires no later than needed is left where it is and looks at `progress_` then:
/// moving it for every piece of data would cost more than the rare early wake-up.
void http1_client_connection::expect_progress() {
    progress_ = environment_.reactor.now();
    if (!exchange_) return;
    const auto limit = owes_response() ? exchange_->limits.read : exchange_->limits.write;
    if (limit.count() > 0) watch_until(progress_ + limit);
}

/// The peer has all it needs: the whole request, or as much of it as it wanted.
bool http1_client_connection::owes_response() const noexcept {
    return request_complete_ || (awaiting_continue_ && head_received_);
}

void http1_client_connection::watch_until(reactor::time_point deadline) {
    if (timer_.is_set() && timer_due_ <= deadline) return;
    timer_due_ = deadline;
    environment_.reactor.set_timer(timer_, deadline);
}

void http1_client_connection::on_timer_expired() {
    if (state_ != state::busy) return;
    if (awaiting_continue_ && !head_received_) {
        const auto patient_until = progress_ + exchange_->continue_wait;
        if (patient_until > environment_.reactor.now()) return watch_until(patient_until);
        awaiting_continue_ = false;
        expect_progress();
        return flush();
    }
    if (receiving_ == receiving::paused || (receiving_ == receiving::pull && !consumer_waits_)) return;
    // A body source that is slow to produce is the caller's affair; the total limit bounds it.
    if (!request_complete_ && body_source_dry_) return;
    const bool reading = owes_response();
    const auto limit = reading ? exchange_->limits.read : exchange_->limits.write;
    if (limit.count() == 0) return;
    if (progress_ + limit > environment_.reactor.now()) return watch_until(progress_ + limit);
    fail(inactivity(reading, limit), close_reason::timed_out);
}

}  // namespace pabal::connection
