#pragma once
/// \file
/// The pool's view of one origin: its connections, its waiters, its dials.
///
/// A connection is idle, at work with room for more (HTTP/2, HTTP/3), or busy. As long as it is not known whether an origin
/// speaks HTTP/2, one dial goes ahead for all who wait: a hundred requests must not open a hundred connections of which ninety-nine
/// are in vain. When it turns out to be HTTP/1.1, the others are dialled at once.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/intrusive_list.hpp"
#include "connection/client_connection.hpp"
#include "dial/dialer.hpp"
#include "pool/coalescing.hpp"
#include "reactor/reactor.hpp"

namespace pabal::pool {

class pool;
class origin;

struct by_age;   ///< tag: the pool's list of idle connections, longest idle first
struct guest;    ///< tag: origins that use a connection which was made for another one
struct starved;  ///< tag: origins that wait for room under the total limit

/// A connection and its place in the pool.
class pooled final : public base::list_hook<>,
                     public base::list_hook<by_age>,
                     public base::list_hook<by_place>,
                     public connection::client_connection_observer {
public:
    /// Speaks what ALPN agreed on (RFC 7301): HTTP/2, or else HTTP/1.1.
    pooled(origin& its_origin, transport::transport_ptr transport, std::shared_ptr<const connection_facts> facts);
    /// Speaks HTTP/3.
    pooled(origin& its_origin, std::unique_ptr<connection::http3_link> link,
           std::shared_ptr<const connection_facts> facts);

    void on_room(connection::client_connection& with_room) override;
    void on_alternative_services(std::string_view of, std::string_view value) override;
    void on_closed(connection::client_connection& closed, connection::close_reason reason) override;
    void on_idle_timeout();

    origin& owner;
    std::unique_ptr<connection::client_connection> connection;
    bool is_idle = false;
    std::optional<whereabouts> shareable_at;  ///< where others find it
    base::intrusive_list<origin, guest> guests;
    reactor::member_timer<pooled, &pooled::on_idle_timeout> idle_timer{*this};
};

/// An exchange that waits for a connection. As its responder it only knows how to give up.
class waiter final : public base::list_hook<>, public responder {
public:
    waiter(origin& its_origin, exchange_ptr waiting, reactor::time_point began) noexcept
        : owner(&its_origin), exchange(std::move(waiting)), since(began) {}

    void cancel(pabal::exchange& cancelled) override;
    void resume(pabal::exchange&) override {}
    result<read_outcome> read_response(pabal::exchange&, std::span<char>) override { return read_outcome{}; }
    void request_body_ready(pabal::exchange&) override {}
    void on_pool_timeout();

    origin* owner;  ///< another one, once it waits for the connection of that one
    exchange_ptr exchange;
    reactor::time_point since;
    reactor::member_timer<waiter, &waiter::on_pool_timeout> timer{*this};
};

/// One dial under way. It belongs to the origin, not to a waiter: whoever waits first gets the connection.
class dialled final : public base::list_hook<>, public dial::dial_observer {
public:
    explicit dialled(origin& its_origin) noexcept : owner(its_origin) {}
    void on_dialed(transport::transport_ptr connected, const dial::dial_timings& timings) override;
    void on_linked(std::unique_ptr<connection::http3_link> link, const dial::dial_timings& timings) override;
    bool is_reached(const dial::address& peer, bool over_quic) override;
    void on_reached() override;
    void on_dial_failed(error failure) override;

    origin& owner;
    std::unique_ptr<dial::attempt> attempt;
    dial::dial_limits limits;  ///< of the exchange that waited first when it began
    reactor::time_point began;
    std::optional<whereabouts> reached;  ///< where a connection was seen that serves this origin as well
};

class origin final : public base::list_hook<starved>, public base::list_hook<guest> {
public:
    origin(pool& owner, dial::target to) : pool_(owner), target_(std::move(to)) {}
    ~origin();

    void submit(exchange_ptr submitted);
    /// Dials as long as more wait than dials are under way and the limits allow it.
    void dial_if_needed();
    void close(connection::close_reason reason);
    /// Nothing is left here; the pool may forget this origin.
    bool unused() const noexcept { return connections_ == 0 && dials_ == 0 && waiting_ == 0 && !in_reached_; }
    const dial::target& target() const noexcept { return target_; }
    /// How many exchanges a connection to here takes at once, as the last one said; 0: none was made yet.
    std::size_t usual_capacity() const noexcept { return usual_capacity_; }
    connection::environment& environment() const noexcept;
    std::chrono::milliseconds ping_interval() const noexcept;

private:
    friend class pooled;
    friend class waiter;
    friend class dialled;

    void add_waiter(exchange_ptr waiting);
    exchange_ptr take_waiter();
    void forget(waiter& gone);
    void cancel_surplus_dials();
    bool suffice(std::size_t dials) const noexcept;
    /// Every place that the origin may take is taken.
    bool is_full() const noexcept;
    std::size_t exchanges_per_dial() const noexcept;
    void learn(const connection::client_connection& made);
    void learn_alternatives(std::string_view of, std::string_view value) const;
    void note_broken_alternative(connection::close_reason reason) const;
    void limit_waiting_time(waiter& late);
    void use(pooled& connection, exchange_ptr started);
    void released(pooled& connection);
    void place(pooled& connection);
    void take_out(pooled& connection) noexcept;
    void closed(pooled& connection, connection::close_reason reason);
    void connected(dialled& dial, transport::transport_ptr transport, const dial::dial_timings& timings);
    void linked(dialled& dial, std::unique_ptr<connection::http3_link> link, const dial::dial_timings& timings);
    origin& home();
    void move_waiters(origin& to, bool all);
    void send_waiters(origin& to);
    void admit(pooled& made);
    void offer(pooled& made, const whereabouts& where);
    pooled* host_at(const whereabouts& where);
    void reached(dialled& dial);
    void stay_alone() noexcept;
    void lend(pooled& own, exchange_ptr started);
    void failed(dialled& dial, error failure);
    std::vector<exchange_ptr> take_unlucky(const dialled& dial, const error& failure);
    std::unique_ptr<dialled> end(dialled& dial);

    pool& pool_;
    dial::target target_;
    base::intrusive_list<pooled> idle_;
    base::intrusive_list<pooled> shared_;  ///< at work, and with room for more
    base::intrusive_list<pooled> busy_;
    base::intrusive_list<waiter> waiters_;
    base::intrusive_list<dialled> dialling_;
    std::size_t connections_ = 0;
    std::size_t dials_ = 0;
    std::size_t waiting_ = 0;
    std::size_t usual_capacity_ = 0;
    pooled* host_ = nullptr;   ///< a connection of another origin that serves this one, too
    bool is_alone_ = false;    ///< it uses no connection of others: a server has said 421 on one
    bool in_reached_ = false;  ///< inside `reached`
    bool closing_ = false;
};

}  // namespace pabal::pool
