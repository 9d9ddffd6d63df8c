#include "pool/origin.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "connection/http1_client_connection.hpp"
#include "connection/http2_client_connection.hpp"
#include "connection/http3_client_connection.hpp"
#include "pool/pool.hpp"
#include "protocol/http/alternative_services.hpp"

namespace pabal::pool {

namespace {

dial::dial_limits dial_limits_of(const exchange& waiting) noexcept {
    return {waiting.limits.resolve, waiting.limits.connect, waiting.limits.tls};
}

std::shared_ptr<const connection_facts> facts_of(transport::transport_description described,
                                                 reactor::time_point dialled, const dial::dial_timings& timings) {
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
    facts->encrypted_client_hello = described.encrypted_client_hello;
    return facts;
}

constexpr std::string_view http2_protocol = "h2";  // RFC 9113 section 3.1

std::unique_ptr<connection::client_connection> make_connection(connection::environment& environment,
                                                               transport::transport_ptr transport, bool is_http2,
                                                               std::size_t usual_capacity,
                                                               std::chrono::milliseconds ping_interval,
                                                               connection::client_connection_observer& observer) {
    if (is_http2) {
        http2::limits limits;
        if (usual_capacity > 0) limits.assumed_concurrent_streams = static_cast<std::uint32_t>(usual_capacity);
        return std::make_unique<connection::http2_client_connection>(environment, std::move(transport), observer,
                                                                     limits, ping_interval);
    }
    return std::make_unique<connection::http1_client_connection>(environment, std::move(transport), observer);
}

/// Whether one connection may take many exchanges at once.
bool may_be_shared(const dial::target& to) {
    if (to.over_quic) return true;
    if (!to.tls) return to.only_http2;
    const std::vector<std::string>& offered = to.tls->application_protocols();
    return std::ranges::find(offered, http2_protocol) != offered.end();
}

}  // namespace

// --- pooled, waiter, dialled: each forwards to its origin -----------------------------------------------------------

pooled::pooled(origin& its_origin, transport::transport_ptr transport, std::shared_ptr<const connection_facts> facts)
    : owner(its_origin),
      connection(make_connection(its_origin.environment(), std::move(transport),
                                 facts->application_protocol == http2_protocol || its_origin.target().only_http2,
                                 its_origin.usual_capacity(), its_origin.ping_interval(), *this)) {
    connection->facts = std::move(facts);
}

pooled::pooled(origin& its_origin, std::unique_ptr<connection::http3_link> link,
               std::shared_ptr<const connection_facts> facts)
    : owner(its_origin),
      connection(
          std::make_unique<connection::http3_client_connection>(its_origin.environment(), std::move(link), *this)) {
    connection->facts = std::move(facts);
}

void pooled::on_room(connection::client_connection&) { owner.released(*this); }
void pooled::on_alternative_services(std::string_view of, std::string_view value) {
    owner.learn_alternatives(of, value);
}
void pooled::on_closed(connection::client_connection&, connection::close_reason reason) { owner.closed(*this, reason); }
void pooled::on_idle_timeout() { connection->close(connection::close_reason::idle_timeout); }

void waiter::cancel(pabal::exchange&) {
    origin& its_origin = *owner;
    its_origin.forget(*this);
    its_origin.cancel_surplus_dials();
}

void waiter::on_pool_timeout() {
    const exchange_ptr timed_out = exchange;
    const auto limit = timed_out->limits.pool;
    error failure{error_code::timed_out, phase::pool, culprit::local, 0,
                  "no connection to " + owner->target().text() + " became free within " +
                      std::to_string(limit.count()) +
                      " ms (pool timeout): raise Limits(max_connections_per_host=) or the pool timeout"};
    origin& its_origin = *owner;
    its_origin.forget(*this);
    its_origin.cancel_surplus_dials();
    timed_out->on_error(std::move(failure));
}

void dialled::on_dialed(transport::transport_ptr connected, const dial::dial_timings& timings) {
    owner.connected(*this, std::move(connected), timings);
}
void dialled::on_linked(std::unique_ptr<connection::http3_link> link, const dial::dial_timings& timings) {
    owner.linked(*this, std::move(link), timings);
}
bool dialled::is_reached(const dial::address& peer, bool over_quic) {
    whereabouts where{peer.to_string(), owner.target().tls.get(), over_quic};
    if (!owner.host_at(where)) return false;
    reached = std::move(where);
    return true;
}
void dialled::on_reached() { owner.reached(*this); }
void dialled::on_dial_failed(error failure) { owner.failed(*this, std::move(failure)); }

// --- origin -----------------------------------------------------------------------------------------------------------

connection::environment& origin::environment() const noexcept { return pool_.environment_; }

std::chrono::milliseconds origin::ping_interval() const noexcept { return pool_.limits_.ping_interval; }

origin::~origin() { close(connection::close_reason::session_closed); }

void origin::submit(exchange_ptr submitted) {
    if (submitted->wants_own_connection) stay_alone();
    const bool wants_new = submitted->wants_new_connection;
    while (!wants_new && !(shared_.empty() && idle_.empty())) {
        pooled& candidate = shared_.empty() ? idle_.back() : shared_.front();
        take_out(candidate);
        if (candidate.connection->usable()) return use(candidate, std::move(submitted));
        busy_.push_back(candidate);
        if (candidate.connection->exchanges() == 0)
            candidate.connection->close(connection::close_reason::peer_closed_idle);
    }
    if (!wants_new && host_ && host_->connection->usable()) return host_->owner.lend(*host_, std::move(submitted));
    add_waiter(std::move(submitted));
    if (wants_new && is_full() && !idle_.empty()) idle_.front().connection->close(connection::close_reason::evicted);
    dial_if_needed();
    if (!suffice(dials_)) limit_waiting_time(waiters_.back());
}

/// Starts an exchange on a connection that is in no list and has room for it.
void origin::use(pooled& connection, exchange_ptr started) {
    ++pool_.statistics_.reused;
    busy_.push_back(connection);
    connection.connection->start(std::move(started));
    // It may have ended, and with it its place here, before `start` returned.
    if (connection.connection->exchanges() > 0 && connection.connection->usable()) place(connection);
}

void origin::add_waiter(exchange_ptr waiting) {
    auto* added = new waiter(*this, std::move(waiting), pool_.environment_.reactor.now());
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
    while (dials_ > 0 && suffice(dials_ - 1) && !closing_) end(dialling_.back());
    pool_.serve_starved();
}

bool origin::is_full() const noexcept { return connections_ + dials_ >= pool_.limits_.max_connections_per_host; }

/// A waiter found every place taken: the pool timeout counts for it.
void origin::limit_waiting_time(waiter& late) {
    const auto limit = late.exchange->limits.pool;
    if (limit.count() > 0 && !late.timer.is_set()) pool_.environment_.reactor.set_timer_in(late.timer, limit);
}

/// How many exchanges a new connection will take, as far as is known.
std::size_t origin::exchanges_per_dial() const noexcept {
    if (usual_capacity_ > 0) return usual_capacity_;
    return may_be_shared(target_) ? std::numeric_limits<std::size_t>::max() : 1;
}

/// Whether that many new connections would serve all who wait.
bool origin::suffice(std::size_t dials) const noexcept {
    return dials == 0 ? waiting_ == 0 : (waiting_ + dials - 1) / dials <= exchanges_per_dial();
}

/// Who counted on another kind of connection gets dials of his own, or waits for a place like everybody.
void origin::learn(const connection::client_connection& made) {
    const std::size_t before = std::exchange(usual_capacity_, std::max<std::size_t>(made.capacity(), 1));
    if (before != 0 || suffice(dials_)) return;
    dial_if_needed();
    std::size_t place = 0;
    waiters_.for_each([&](waiter& each) {
        if (++place > dials_) limit_waiting_time(each);
    });
}

/// What its server says of other origins is not believed: the connection was not verified for them.
void origin::learn_alternatives(std::string_view of, std::string_view value) const {
    if (!target_.alternatives) return;
    constexpr std::string_view scheme = "https://";
    if (!of.starts_with(scheme)) return;
    const std::string itself = target_.text();
    const bool is_default_port = target_.port == 443 && itself.substr(0, itself.rfind(':')) == of.substr(scheme.size());
    if (!is_default_port && itself != of.substr(scheme.size())) return;
    if (const auto said = http::parse_alternative_services(value))
        target_.alternatives->learn(target_.host, target_.port, *said, std::chrono::system_clock::now());
}

void origin::dial_if_needed() {
    while (!suffice(dials_) && !closing_) {
        if (is_full()) return;
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

/// The connection has room, unless it was closed meanwhile: for whoever waits, or to wait itself.
void origin::released(pooled& connection) {
    usual_capacity_ = std::max<std::size_t>(connection.connection->capacity(), 1);
    connection::client_connection& it = *connection.connection;
    while (waiting_ > 0 && !closing_ && (it.exchanges() == 0 || it.usable())) {
        if (waiters_.front().exchange->wants_new_connection) {
            // The first in line cannot use it, and if nobody dials for him, he is given its place.
            if (it.exchanges() == 0 && !suffice(dials_)) return it.close(connection::close_reason::evicted);
            dial_if_needed();
            break;
        }
        take_out(connection);
        use(connection, take_waiter());
        if (it.exchanges() == 0 || !it.usable()) return;
    }
    place(connection);
}

/// Out of whatever list it is in; whoever calls this puts it into another.
void origin::take_out(pooled& connection) noexcept {
    static_cast<base::list_hook<>&>(connection).unlink();
    static_cast<base::list_hook<by_age>&>(connection).unlink();
    connection.idle_timer.cancel();
    if (std::exchange(connection.is_idle, false)) --pool_.idle_;
}

void origin::place(pooled& connection) {
    take_out(connection);
    connection::client_connection& it = *connection.connection;
    if (it.exchanges() > 0) return it.usable() ? shared_.push_front(connection) : busy_.push_back(connection);
    if (closing_ || pool_.idle_ >= pool_.limits_.max_idle_connections) {
        busy_.push_back(connection);
        return it.close(closing_ ? connection::close_reason::session_closed : connection::close_reason::pool_full);
    }
    idle_.push_back(connection);
    pool_.idle_by_age_.push_back(connection);
    connection.is_idle = true;
    ++pool_.idle_;
    pool_.environment_.reactor.set_timer_in(connection.idle_timer, pool_.limits_.idle_timeout);
    pool_.serve_starved();
}

void origin::closed(pooled& connection, connection::close_reason reason) {
    take_out(connection);
    pool_.shareable_.remove(connection);
    while (!connection.guests.empty()) connection.guests.pop_front().host_ = nullptr;
    --connections_;
    --pool_.open_;
    ++pool_.statistics_.closed;
    pool_.statistics_.last_close_reason = reason;
    note_broken_alternative(reason);
    pool_.environment_.reactor.retire(std::unique_ptr<pooled>(&connection));
    if (closing_) return;
    // Origins that stand in line come first: whoever keeps losing its connections would else keep its place for ever.
    pool_.serve_starved();
    dial_if_needed();
}

/// What broke over QUIC, or never came to anything, is asked for over TCP for a while (RFC 7838 section 2.4).
void origin::note_broken_alternative(connection::close_reason reason) const {
    if (!target_.http3_at || !target_.alternatives) return;
    if (reason != connection::close_reason::timed_out && reason != connection::close_reason::transport_failed) return;
    target_.alternatives->avoid(*target_.http3_at, http::http3_protocol, std::chrono::system_clock::now());
}

void origin::connected(dialled& dial, transport::transport_ptr transport, const dial::dial_timings& timings) {
    auto facts = facts_of(transport->describe(), dial.began, timings);
    if (target_.only_http2 && target_.tls && facts->application_protocol != http2_protocol) {
        return failed(dial, {error_code::unsupported, phase::tls, culprit::peer, 0,
                             target_.text() + " does not speak HTTP/2, and no other version is allowed"});
    }
    origin& its_home = home();
    pool_.environment_.reactor.retire(end(dial));
    const bool is_http2 = facts->application_protocol == http2_protocol;
    if (&its_home != this) {
        if (its_home.is_full()) return send_waiters(its_home);
        move_waiters(its_home, is_http2);
        if (is_http2) cancel_surplus_dials();
    }
    const whereabouts where{facts->peer_address, target_.tls.get(), false};
    auto* made = new pooled(its_home, std::move(transport), std::move(facts));
    if (is_http2) its_home.offer(*made, where);
    its_home.admit(*made);
}

void origin::linked(dialled& dial, std::unique_ptr<connection::http3_link> link, const dial::dial_timings& timings) {
    auto facts = facts_of(link->describe(), dial.began, timings);
    pool_.environment_.reactor.retire(end(dial));
    const whereabouts where{facts->peer_address, target_.tls.get(), true};
    auto* made = new pooled(*this, std::move(link), std::move(facts));
    offer(*made, where);
    admit(*made);
}

/// Where a connection over TCP belongs: it was raced with QUIC to a place that is avoided from now on, so that those who come
/// later ask for the origin without it.
origin& origin::home() {
    if (!target_.http3_at) return *this;
    dial::target plain = target_;
    plain.http3_at.reset();
    return pool_.origin_of(plain);
}

/// Whoever waits here waits there from now on: all, or as many as no dial of ours is under way for.
void origin::move_waiters(origin& to, bool all) {
    while (waiting_ > 0 && (all || waiting_ > dials_)) {
        waiter& first = waiters_.pop_front();
        --waiting_;
        first.owner = &to;
        to.waiters_.push_back(first);
        ++to.waiting_;
    }
}

/// A connection of ours found no place there: those for whom no dial of ours is under way wait for one of its connections.
void origin::send_waiters(origin& to) {
    while (waiting_ > dials_) to.submit(take_waiter());
    pool_.serve_starved();
}

/// A new connection: for all who wait and whom it takes.
void origin::admit(pooled& made) {
    busy_.push_back(made);
    ++connections_;
    ++pool_.open_;
    connection::client_connection& it = *made.connection;
    if (waiting_ == 0) {
        learn(it);
        return released(made);
    }
    // To all of them it is new, whatever became of the one they had.
    do it.start(take_waiter());
    while (waiting_ > 0 && it.exchanges() > 0 && it.usable());
    learn(it);
    if (it.exchanges() > 0) {
        if (it.usable()) place(made);
        if (usual_capacity_ > 1) cancel_surplus_dials();
    }
    dial_if_needed();
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
    std::vector<exchange_ptr> unlucky = take_unlucky(dial, failure);
    pool_.serve_starved();
    dial_if_needed();
    for (const exchange_ptr& each : unlucky) each->on_error(error(failure));
}

/// For whom the dial went ahead: the first in line; all who would have shared the connection, if what happened would have
/// happened to them as well.
std::vector<exchange_ptr> origin::take_unlucky(const dialled& dial, const error& failure) {
    std::vector<exchange_ptr> taken{take_waiter()};
    if (exchanges_per_dial() == 1 || dials_ > 0) return taken;
    const bool ran_out_of_time = failure.code == error_code::timed_out;
    while (waiting_ > 0) {
        const waiter& next = waiters_.front();
        if (ran_out_of_time && (next.since > dial.began || dial_limits_of(*next.exchange) != dial.limits)) break;
        taken.push_back(take_waiter());
    }
    return taken;
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
    while (!shared_.empty()) shared_.front().connection->close(reason);
    while (!busy_.empty()) busy_.front().connection->close(reason);
}

}  // namespace pabal::pool
