#include "client/call.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "client/session.hpp"

namespace pabal::client {

namespace {

/// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS" ||
           method == "TRACE";
}

std::string describe(const std::string& method, const url& at) { return method + " " + at.text_without_userinfo(); }

}  // namespace

call::call(call_request asked, call_observer* observer) : asked_(std::move(asked)), observer_(observer) {
    limits = {asked_.limits.pool, asked_.limits.resolve, asked_.limits.connect,
              asked_.limits.tls,  asked_.limits.write,   asked_.limits.read};
}

call_ptr call::answered(call_request asked, response_head response) {
    auto made = base::make_counted<call>(std::move(asked), nullptr);
    made->response_ = std::move(response);
    made->state_ = state::done;
    return made;
}

void call::start(session& carrier) {
    session_ = &carrier;
    const session_limits& bounds = carrier.limits();
    constexpr auto unbounded = std::numeric_limits<std::uint64_t>::max();
    max_body_ = asked_.max_body.value_or(bounds.max_body);
    max_streamed_ = asked_.max_body.value_or(bounds.max_streamed_body.value_or(unbounded));
    if (asked_.continue_wait) continue_wait = *asked_.continue_wait;
    reactor::reactor& reactor = carrier.reactor();
    reactor_ = &reactor;
    reactor.refresh_now();
    started_ = reactor.now();
    if (const auto total = asked_.limits.total; total.count() > 0) reactor.set_timer(total_timer_, started_ + total);
    attempt();
}

call::~call() {
    if (pausing_) leave_pause();
}

void call::attempt() {
    if (session_->rate_limits && !wait_for_turn()) return;
    send();
}

void call::send() {
    state_ = state::waiting;
    request_sent = unprocessed = on_reused_connection = on_coalesced_connection = false;  // said of the exchange before
    connection.reset();
    informational_.clear();
    times = {};
    times.submitted = reactor_->now();
    // Decided anew for every hop: a redirect may lead to where another proxy, or none, is meant (or back).
    if (asked_.proxies || session_->proxies) {
        auto chosen = session_->choose_proxy(asked_);
        if (!chosen) return fail(std::move(chosen).error());
        via_ = std::move(*chosen);
    }
    build_request();
    session_->transmit(*this);
}

// --- The response arrives ---------------------------------------------------------------------------------------------

void call::on_informational(response_head&& head) {
    if (state_ == state::waiting) informational_.push_back(std::move(head));
}

void call::on_alternative_services(std::string_view value) {
    session_->learn_alternatives(asked_.location, via_.get(), value);
}

delivery call::on_response(response_head&& head) {
    if (state_ != state::waiting) return delivery::push;  // over: whoever answers could not be told
    times.head = reactor_->now();
    elapsed_ = times.head - started_;
    if (leave_coalesced_connection(head)) return delivery::push;
    if (!asked_.as_told) session_->cookies->store_from(asked_.location, first_location(), head.headers);
    session_->learn_alternatives(asked_.location, via_.get(), head.headers);
    if (came_too_early(head) || went_astray(head) || stop_expecting(head)) return delivery::push;
    if (credentials_here() && answer_challenge(head)) return delivery::push;
    if (asked_.retries && try_again_after(head)) return delivery::push;
    if (asked_.follow_redirects && is_redirect_status(head.status)) {
        // follow() has failed or cancelled the exchange when it says false.
        if (follow(std::move(head)) || state_ == state::done) return delivery::push;
    } else {
        response_ = std::move(head);
    }
    if (auto prepared = prepare_decoder(); !prepared) {
        give_up(std::move(prepared).error());
        return delivery::push;
    }
    if (auto begun = begin_body(); !begun) {
        give_up(std::move(begun).error());
        return delivery::push;
    }
    if (asked_.streams_response) {
        state_ = state::streaming;
        total_timer_.cancel();
        if (observer_) observer_->on_call_head(*this);
        return delivery::pull;
    }
    state_ = state::collecting;
    return delivery::push;
}

/// Starts following a redirect. True: the response is being skipped and the next attempt comes after it. False: either
/// there is nothing to follow (`response_` holds the head) or the call has failed.
bool call::follow(response_head&& head) {
    auto planned = plan_redirect(asked_.location, asked_.method, head);
    if (planned && !*planned) {
        response_ = std::move(head);
        return false;
    }
    if (!planned) {
        response_ = std::move(head);
        give_up(std::move(planned).error());
        return false;
    }
    redirect& next = **planned;
    if (history_.size() >= static_cast<std::size_t>(std::max(asked_.max_redirects, 0))) {
        response_ = std::move(head);
        give_up({error_code::too_many_redirects, phase::read, culprit::peer, 0,
                 "more than " + std::to_string(asked_.max_redirects) + " redirects, the last one to " +
                     next.location.text_without_userinfo()});
        return false;
    }
    if (!next.drops_body && asked_.streams_body && !rewind_body()) {
        response_ = std::move(head);
        give_up({error_code::body_not_replayable, phase::read, culprit::caller, 0,
                 "the server redirected (" + std::to_string(response_.status) +
                     ") a request whose streamed body was already consumed; give bytes or a seekable file, or "
                     "allow_redirects=False"});
        return false;
    }
    history_.push_back({asked_.location, asked_.method, std::move(head)});
    next_ = std::move(next);
    skip_response();
    return true;
}

/// The response is not for the user, its connection is for the next: what comes of it is read and dropped.
void call::skip_response() {
    skipped_ = 0;
    state_ = state::skipping;
}

/// The exchange before is over: until now it may have been sending what the next one changes.
void call::end_skipping() {
    if (next_) return next_hop();
    if (std::exchange(sends_again_, false)) return attempt();
    pause(*std::exchange(pausing_->wait, std::nullopt));
}

void call::next_hop() {
    redirect next = std::move(*next_);
    next_.reset();
    earlier_.push_back(trace_exchange(history_.back().response.status, nullptr));
    if (next.drops_body) {
        asked_.body = {};
        asked_.streams_body = false;
        asked_.headers.remove(field_id::content_type);
        asked_.headers.remove(field_id::content_length);
        asked_.headers.remove(field_id::content_encoding);
        asked_.headers.remove(field_id::transfer_encoding);
        asked_.headers.remove(field_id::expect);
        asked_.headers.remove(field_id::trailer);
        asked_.trailers.clear();
    }
    asked_.method = std::move(next.method);
    leaves_origin_ = leaves_origin_ || next.leaves_origin;
    asked_.location = std::move(next.location);
    replayed_ = wants_new_connection = wants_own_connection = false;
    answered_challenges_ = 0;
    is_unexpecting_ = waits_for_handshake = false;
    attempt();
}

void call::on_error(error&& failure) {
    if (state_ == state::skipping) return end_skipping();
    if (may_replay(failure) && (!asked_.streams_body || !body_read_ || rewind_body())) {
        // On a connection of its own: a server that closes after every response would close the next reused one as well.
        replayed_ = repeated_ = true;
        wants_new_connection = !unprocessed;
        earlier_.push_back(trace_exchange(0, &failure));
        return send();
    }
    if (state_ == state::collecting && is_end_enough(failure)) return on_end({});
    if (asked_.retries && (state_ == state::waiting || state_ == state::collecting) && try_again_after(failure)) return;
    fail(std::move(failure));
}

/// Whether a connection that broke off may stand for the end of the body: where nothing else marks it, and the caller
/// goes by what servers do (many close TLS without close_notify) rather than by what they should.
bool call::is_end_enough(const error& failure) const noexcept {
    return asked_.as_told && failure.code == error_code::connection_closed &&
           !response_.headers.contains(field_id::content_length) &&
           !response_.headers.contains(field_id::transfer_encoding);
}

/// A kept-alive connection that its peer had already closed says nothing about the request (RFC 9112 section 9.3.1): it is
/// sent again, once, on another connection, if no response byte came and repeating it is safe.
bool call::may_replay(const error& failure) const noexcept {
    if (state_ != state::waiting || replayed_) return false;
    if (unprocessed) return true;
    if (!on_reused_connection) return false;
    const bool lost = failure.code == error_code::connection_closed || failure.code == error_code::connection_reset ||
                      failure.code == error_code::write_failed;
    return lost && (!request_sent || is_idempotent(asked_.method));
}

// --- Challenges ---------------------------------------------------------------------------------------------------------

/// True: the server wants to know who we are, and is told so after the response is skipped. A challenge is answered once, and
/// once more when the server says that only the nonce was too old; beyond that the 401 is the response.
bool call::answer_challenge(const response_head& head) {
    if (head.status != 401) return credentials_here()->note(asked_.location, head), false;
    const auto verdict = credentials_here()->challenge(asked_.location, head);
    const std::uint8_t at_most = verdict == credentials::verdict::renewed ? 2 : 1;
    if (verdict == credentials::verdict::refused || answered_challenges_ >= at_most) return false;
    if (asked_.streams_body && !rewind_body()) return false;
    ++answered_challenges_;
    sends_again_ = true;
    replayed_ = false;
    skip_response();
    return true;
}

/// True: the server has no use for the expectation (RFC 9110 section 15.5.18), and is sent the request without it.
bool call::stop_expecting(const response_head& head) {
    if (head.status != 417 || asked_.as_told || is_unexpecting_) return false;
    if (!request.headers.contains(field_id::expect) || (asked_.streams_body && !rewind_body())) return false;
    is_unexpecting_ = sends_again_ = true;
    replayed_ = false;
    skip_response();
    return true;
}

/// True: the server does not speak for this origin on a connection that was made for another one (RFC 9110 section 15.5.20),
/// and is asked on one of the origin's own.
bool call::leave_coalesced_connection(const response_head& head) {
    if (head.status != 421 || !on_coalesced_connection) return false;
    if (asked_.streams_body && !rewind_body()) return false;
    wants_own_connection = sends_again_ = repeated_ = true;
    replayed_ = false;
    earlier_.push_back(trace_exchange(head.status, nullptr));
    skip_response();
    return true;
}

/// True: the server does not want to answer a request that may be somebody's recording, and is sent it again after the handshake
/// (RFC 8470 section 5.2).
bool call::came_too_early(const response_head& head) {
    if (head.status != 425 || !sent_early) return false;
    waits_for_handshake = sends_again_ = true;
    replayed_ = false;
    skip_response();
    return true;
}

/// True: the alternative of the origin does not answer for it (421, RFC 9110 section 15.5.20), and the origin is asked itself.
bool call::went_astray(const response_head& head) {
    if (head.status != 421 || head.version != http_version::http_3) return false;
    if (asked_.streams_body && !rewind_body()) return false;
    if (!session_->reject_alternative(asked_.location)) return false;
    sends_again_ = true;
    replayed_ = false;
    skip_response();
    return true;
}

// --- The trace ----------------------------------------------------------------------------------------------------------

exchange_trace call::trace_exchange(int status, const error* failure) const {
    exchange_trace out;
    out.method = asked_.method;
    out.url = asked_.location.text();
    out.status = status;
    if (failure) {
        out.failure = failure->code;
        out.failed_in = failure->where;
    }
    out.reused_connection = on_reused_connection;
    out.times = times;
    if (session_ && !exchange_times::reached(out.times.ended) && (failure || state_ == state::skipping))
        out.times.ended = reactor_->now();
    out.connection = connection;
    return out;
}

pabal::trace call::trace() const {
    return {earlier_, trace_exchange(response_.status, failure_ ? &*failure_ : nullptr)};
}

// --- Ending -------------------------------------------------------------------------------------------------------------

void call::settle() {
    state_ = state::done;
    if (pausing_) leave_pause();
    if (reactor_ && !exchange_times::reached(times.ended)) times.ended = reactor_->now();
    total_timer_.cancel();
    decoder_.reset();
}

void call::finish() {
    const call_ptr alive(this);
    settle();
    if (observer_) std::exchange(observer_, nullptr)->on_call_done(*this);
}

void call::fail(error failure) {
    if (state_ == state::done) return;
    const call_ptr alive(this);
    settle();
    if (const auto before = attempts().size(); before > 0)
        failure.message += " (" + std::to_string(before + 1) + " attempts)";
    if (body_is_gone_) failure.message += "; not repeated, because its streamed body was already consumed";
    failure.message += " [" + describe(asked_.method, asked_.location) + "]";
    failure_ = std::move(failure);
    if (observer_) std::exchange(observer_, nullptr)->on_call_done(*this);
}

/// Ends an exchange that is still under way because of our own verdict.
void call::give_up(error failure) {
    if (responder* answering = answered_by()) answering->cancel(*this);
    fail(std::move(failure));
}

void call::cancel() {
    if (state_ == state::done) return;
    const call_ptr alive(this);
    observer_ = nullptr;
    if (responder* answering = answered_by()) answering->cancel(*this);
    settle();
    failure_ = error{error_code::cancelled, phase::none, culprit::caller, 0, "the request was cancelled"};
}

void call::on_total_timeout() {
    give_up({error_code::timed_out, phase::total, culprit::peer, 0,
             "the request took longer than its total of " + std::to_string(asked_.limits.total.count()) + " ms"});
}

}  // namespace pabal::client
