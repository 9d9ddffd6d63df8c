#include "pool/origin.hpp"

#include <utility>

#include "connection/http1_client_connection.hpp"
#include "pool/pool.hpp"

namespace pabal::pool {

namespace {

dial::dial_limits dial_limits_of(const exchange& waiting) noexcept {
    return {waiting.limits.resolve, waiting.limits.connect, waiting.limits.tls};
}

std::shared_ptr<const connection_facts> facts_of(const transport::transport& made, reactor::time_point dialled,
                                                 const dial::dial_timings& timings) {
    transport::transport_description described = made.describe();
    auto facts = std::make_shared<connection_facts>();
    facts->dialled = dialled;
    facts->resolve = timings.resolve;
    facts->connect = timings.connect;
    facts->tls = timings.tls;
    facts->peer_address = std::move(described.peer_address);
    facts->local_address = std::move(described.local_address);
    facts->application_protocol = std::move(described.application_protocol);
    facts->tls_version = std::move(described.tls_version);
    facts->cipher = std::move(described.cipher);
    facts->tls_session_resumed = described.tls_session_resumed;
    return facts;
}

}  // namespace

// --- pooled, waiter, dialled: each forwards to its origin -----------------------------------------------------------

pooled::pooled(origin& its_origin, transport::transport_ptr transport, std::shared_ptr<const connection_facts> facts)
    : owner(its_origin),
      connection(std::make_unique<connection::http1_client_connection>(its_origin.environment(), std::move(transport),
                                                                       *this)) {
    connection->facts = std::move(facts);
}

void pooled::on_idle(connection::client_connection&) { owner.released(*this); }
void pooled::on_closed(connection::client_connection&, connection::close_reason reason) { owner.closed(*this, reason); }
void pooled::on_idle_timeout() { connection->close(connection::close_reason::idle_timeout); }

void waiter::cancel(pabal::exchange&) {
    origin& its_origin = owner;
    its_origin.forget(*this);
    its_origin.cancel_surplus_dials();
}

void waiter::on_pool_timeout() {
    const exchange_ptr timed_out = exchange;
    const auto limit = timed_out->limits.pool;
    error failure{error_code::timed_out, phase::pool, culprit::local, 0,
                  "no connection to " + owner.target().text() + " became free within " + std::to_string(limit.count()) +
                      " ms (pool timeout): raise Limits(max_connections_per_host=) or the pool timeout"};
    origin& its_origin = owner;
    its_origin.forget(*this);
    its_origin.cancel_surplus_dials();
    timed_out->on_error(std::move(failure));
}

void dialled::on_dialed(transport::transport_ptr connected, const dial::dial_timings& timings) {
    owner.connected(*this, std::move(connected), timings);
}
void dialled::on_dial_failed(error failure) { owner.failed(*this, std::move(failure)); }

// --- origin -----------------------------------------------------------------------------------------------------------

connection::environment& origin::environment() const noexcept { return pool_.environment_; }

origin::~origin() { close(connection::close_reason::session_closed); }

void origin::submit(exchange_ptr submitted) {
    const bool wants_new = submitted->wants_new_connection;
    while (!idle_.empty() && !wants_new) {
        pooled& last = idle_.pop_back();
        static_cast<base::list_hook<by_age>&>(last).unlink();
        last.idle_timer.cancel();
        last.is_idle = false;
        --pool_.idle_;
        busy_.push_back(last);
        if (last.connection->usable()) {
            ++pool_.statistics_.reused;
            return last.connection->start(std::move(submitted));
        }
        last.connection->close(connection::close_reason::peer_closed_idle);
    }
    add_waiter(std::move(submitted));
    const bool is_full = connections_ + dials_ >= pool_.limits_.max_connections_per_host;
    if (wants_new && is_full && !idle_.empty()) idle_.front().connection->close(connection::close_reason::evicted);
    dial_if_needed();
    if (waiting_ > dials_) limit_waiting_time();
}

void origin::add_waiter(exchange_ptr waiting) {
    auto* added = new waiter(*this, std::move(waiting));
    added->exchange->attach(added);
    waiters_.push_back(*added);
    ++waiting_;
    ++pool_.waiting_;
}

exchange_ptr origin::take_waiter() {
    waiter& first = waiters_.front();
    exchange_ptr taken = first.exchange;
    forget(first);
    return taken;
}

void origin::forget(waiter& gone) {
    gone.exchange->attach(nullptr);
    --waiting_;
    --pool_.waiting_;
    delete &gone;
}

/// After a cancellation fewer wait than dials are under way: the youngest dials are given up, so that cancelling leaves
/// nothing behind. (A waiter that was served by a released connection leaves its dial alone: the next burst will want it.)
void origin::cancel_surplus_dials() {
    while (dials_ > waiting_ && !closing_) end(dialling_.back());
    pool_.serve_starved();
}

/// The newest waiter found every place taken: the pool timeout counts for it.
void origin::limit_waiting_time() {
    waiter& newest = waiters_.back();
    const auto limit = newest.exchange->limits.pool;
    if (limit.count() > 0) pool_.environment_.reactor.set_timer_in(newest.timer, limit);
}

void origin::dial_if_needed() {
    while (waiting_ > dials_ && !closing_) {
        if (connections_ + dials_ >= pool_.limits_.max_connections_per_host) return;
        if (!pool_.has_room() && !pool_.evict_idle()) {
            auto& place = static_cast<base::list_hook<starved>&>(*this);
            if (!place.is_linked()) pool_.starved_.push_back(*this);
            return;
        }
        auto* started = new dialled(*this);
        dialling_.push_back(*started);
        ++dials_;
        ++pool_.dialling_;
        ++pool_.statistics_.dialled;
        started->limits = dial_limits_of(*waiters_.front().exchange);
        started->began = pool_.environment_.reactor.now();
        started->attempt = pool_.dialer_.dial(target_, started->limits, *started);
    }
}

void origin::released(pooled& connection) {
    if (waiting_ > 0 && !closing_) {
        if (!waiters_.front().exchange->wants_new_connection) {
            ++pool_.statistics_.reused;
            return connection.connection->start(take_waiter());
        }
        // The first in line cannot use it, and nobody dials for him: he is given its place.
        if (waiting_ > dials_) return connection.connection->close(connection::close_reason::evicted);
    }
    static_cast<base::list_hook<>&>(connection).unlink();
    if (closing_ || pool_.idle_ >= pool_.limits_.max_idle_connections) {
        busy_.push_back(connection);
        return connection.connection->close(closing_ ? connection::close_reason::session_closed
                                                     : connection::close_reason::pool_full);
    }
    idle_.push_back(connection);
    pool_.idle_by_age_.push_back(connection);
    connection.is_idle = true;
    ++pool_.idle_;
    pool_.environment_.reactor.set_timer_in(connection.idle_timer, pool_.limits_.idle_timeout);
    pool_.serve_starved();
}

void origin::closed(pooled& connection, connection::close_reason reason) {
    static_cast<base::list_hook<>&>(connection).unlink();
    static_cast<base::list_hook<by_age>&>(connection).unlink();
    connection.idle_timer.cancel();
    if (connection.is_idle) --pool_.idle_;
    --connections_;
    --pool_.open_;
    ++pool_.statistics_.closed;
    pool_.statistics_.last_close_reason = reason;
    pool_.environment_.reactor.retire(std::unique_ptr<pooled>(&connection));
    if (closing_) return;
    // Origins that stand in line come first: whoever keeps losing its connections would else keep its place for ever.
    pool_.serve_starved();
    dial_if_needed();
}

void origin::connected(dialled& dial, transport::transport_ptr transport, const dial::dial_timings& timings) {
    auto facts = facts_of(*transport, dial.began, timings);
    pool_.environment_.reactor.retire(end(dial));
    auto* connection = new pooled(*this, std::move(transport), std::move(facts));
    busy_.push_back(*connection);
    ++connections_;
    ++pool_.open_;
    if (waiting_ > 0) return connection->connection->start(take_waiter());
    released(*connection);
}

void origin::failed(dialled& dial, error failure) {
    pool_.environment_.reactor.retire(end(dial));
    ++pool_.statistics_.dial_failures;
    if (waiting_ == 0) return pool_.serve_starved();
    // Another exchange's patience says nothing about this one's: it gets a dial with its own limits.
    if (failure.code == error_code::timed_out && dial.limits != dial_limits_of(*waiters_.front().exchange)) {
        dial_if_needed();
        return pool_.serve_starved();
    }
    const exchange_ptr unlucky = take_waiter();
    pool_.serve_starved();
    dial_if_needed();
    unlucky->on_error(std::move(failure));
}

/// Takes the dial out of the books. Who gives it up drops it, and its attempt with it, at once: nothing may hear of it any
/// more. Only inside its own callback, when its frames are below us, it lives on to the end of the turn.
std::unique_ptr<dialled> origin::end(dialled& dial) {
    static_cast<base::list_hook<>&>(dial).unlink();
    --dials_;
    --pool_.dialling_;
    return std::unique_ptr<dialled>(&dial);
}

void origin::close(connection::close_reason reason) {
    closing_ = true;
    while (!dialling_.empty()) end(dialling_.front());
    while (!waiters_.empty()) {
        const exchange_ptr refused = take_waiter();
        refused->on_error({error_code::session_closed, phase::pool, culprit::caller, 0,
                           "the session was closed while the request waited for a connection"});
    }
    while (!idle_.empty()) idle_.front().connection->close(reason);
    while (!busy_.empty()) busy_.front().connection->close(reason);
}

}  // namespace pabal::pool
