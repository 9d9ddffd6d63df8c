#include <algorithm>
#include <random>
#include <utility>

#include "base/fork.hpp"
#include "client/call.hpp"
#include "client/rate_limit.hpp"
#include "client/session.hpp"

namespace pabal::client {

namespace {

/// Uniform in [0, 1): spreads the waits of clients that failed together, and is no secret.
double random_fraction() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    thread_local base::birthplace seeded;
    if (seeded.is_elsewhere()) {  // forked: not the same waits as its parent and its siblings
        generator.seed(std::random_device{}());
        seeded = {};
    }
    return std::uniform_real_distribution<double>{}(generator);
}

}  // namespace

// --- Retries ------------------------------------------------------------------------------------------------------------

/// True: the response is being skipped, and the next attempt comes some time after it.
bool call::try_again_after(const response_head& head) {
    if (!plan_again({.method = asked_.method, .response = &head})) return false;
    skip_response();
    return true;
}

/// True: the next attempt comes some time from now.
bool call::try_again_after(const error& failure) {
    if (!plan_again({.method = asked_.method, .failure = &failure, .request_sent = request_sent})) return false;
    pause(*std::exchange(pausing_->wait, std::nullopt));
    return true;
}

/// Asks the policy. A body that is gone is never sent again empty: then what happened is final.
bool call::plan_again(retry_question asked) {
    asked.elapsed = reactor_->now() - started_;
    if (const auto total = asked_.limits.total; total.count() > 0) asked.left = total - asked.elapsed;
    asked.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    asked.random = random_fraction();
    const auto planned = plan_retry(*asked_.retries, attempts(), asked);
    if (!planned) return false;
    if (asked_.streams_body && !rewind_body()) {
        body_is_gone_ = true;
        return false;
    }
    repeated_ = true;
    earlier_.push_back(trace_exchange(asked.response ? asked.response->status : 0, asked.failure));
    pauses().history.push_back({planned->cause, asked.response ? asked.response->status : 0,
                                asked.failure ? asked.failure->code : error_code{}, planned->wait});
    pausing_->wait = planned->wait;
    return true;
}

// --- Pauses -------------------------------------------------------------------------------------------------------------

call::pausing& call::pauses() {
    if (!pausing_) pausing_ = std::make_unique<pausing>(*this);
    return *pausing_;
}

/// No exchange is under way until the time is over; the session knows of the call, so that closing it ends the pause.
void call::pause(std::chrono::milliseconds wait) {
    state_ = state::pausing;
    replayed_ = false;
    body_.clear();
    response_ = {};
    decoder_.reset();
    session_->hold(*this);
    reactor_->set_timer_in(*pausing_, wait);
}

/// The rate limiter of the place that is asked. False: the call is in line there, or has failed.
bool call::wait_for_turn() {
    limits.pool = asked_.limits.pool;
    rate_queue* queue = session_->queue_at(asked_.location);
    if (!queue) return true;
    switch (queue->admit(*this)) {
    case rate_queue::admission::go: return true;
    case rate_queue::admission::wait: break;
    case rate_queue::admission::full:
        fail({error_code::rate_limited, phase::pool, culprit::caller, 0,
              std::to_string(queue->size()) + " requests wait for the rate limiter, which takes no more"});
        return false;
    }
    state_ = state::pausing;
    pausing& it = pauses();
    it.in_line = queue;
    it.since = reactor_->now();
    if (limits.pool.count() > 0) reactor_->set_timer_in(it, limits.pool);
    return false;
}

void call::on_pause_over() {
    if (!pausing_->in_line) {
        const call_ptr alive(this);
        leave_pause();
        return attempt();
    }
    fail({error_code::timed_out, phase::pool, culprit::caller, 0,
          "the rate limiter let the request wait longer than its pool limit of " +
              std::to_string(asked_.limits.pool.count()) + " ms"});
}

/// What a turn was waited for counts as waiting for a connection.
void call::end_pause() {
    const call_ptr alive(this);
    const auto waited = reactor_->now() - pausing_->since;
    leave_pause();
    if (limits.pool.count() > 0) {
        limits.pool -= std::chrono::floor<std::chrono::milliseconds>(waited);
        limits.pool = std::max(limits.pool, std::chrono::milliseconds{1});
    }
    send();
}

void call::leave_pause() noexcept {
    if (!pausing_) return;
    pausing_->cancel();
    if (rate_queue* queue = std::exchange(pausing_->in_line, nullptr)) queue->forget(*this);
    else static_cast<base::list_hook<paused>&>(*this).unlink();
}

}  // namespace pabal::client
