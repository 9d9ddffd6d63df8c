#pragma once
/// \file
/// The pool's view of one origin: its connections, its waiters, its dials.

#include <memory>
#include <string>

#include "base/intrusive_list.hpp"
#include "connection/client_connection.hpp"
#include "dial/dialer.hpp"
#include "reactor/reactor.hpp"

namespace pabal::pool {

class pool;
class origin;

struct by_age;   ///< tag: the pool's list of idle connections, longest idle first
struct starved;  ///< tag: origins that wait for room under the total limit

/// A connection and its place in the pool.
class pooled final : public base::list_hook<>,
                     public base::list_hook<by_age>,
                     public connection::client_connection_observer {
public:
    pooled(origin& its_origin, transport::transport_ptr transport, std::shared_ptr<const connection_facts> facts);

    void on_idle(connection::client_connection& idle) override;
    void on_closed(connection::client_connection& closed, connection::close_reason reason) override;
    void on_idle_timeout();

    origin& owner;
    std::unique_ptr<connection::client_connection> connection;
    bool is_idle = false;
    reactor::member_timer<pooled, &pooled::on_idle_timeout> idle_timer{*this};
};

/// An exchange that waits for a connection. As its responder it only knows how to give up.
class waiter final : public base::list_hook<>, public responder {
public:
    waiter(origin& its_origin, exchange_ptr waiting) noexcept : owner(its_origin), exchange(std::move(waiting)) {}

    void cancel(pabal::exchange& cancelled) override;
    void resume(pabal::exchange&) override {}
    result<read_outcome> read_response(pabal::exchange&, std::span<char>) override { return read_outcome{}; }
    void request_body_ready(pabal::exchange&) override {}
    void on_pool_timeout();

    origin& owner;
    exchange_ptr exchange;
    reactor::member_timer<waiter, &waiter::on_pool_timeout> timer{*this};
};

/// One dial under way. It belongs to the origin, not to a waiter: whoever waits first gets the connection.
class dialled final : public base::list_hook<>, public dial::dial_observer {
public:
    explicit dialled(origin& its_origin) noexcept : owner(its_origin) {}
    void on_dialed(transport::transport_ptr connected, const dial::dial_timings& timings) override;
    void on_dial_failed(error failure) override;

    origin& owner;
    std::unique_ptr<dial::attempt> attempt;
    dial::dial_limits limits;  ///< of the exchange that waited first when it began
    reactor::time_point began;
};

class origin final : public base::list_hook<starved> {
public:
    origin(pool& owner, dial::target to) : pool_(owner), target_(std::move(to)) {}
    ~origin();

    void submit(exchange_ptr submitted);
    /// Dials as long as more wait than dials are under way and the limits allow it.
    void dial_if_needed();
    void close(connection::close_reason reason);
    /// Nothing is left here; the pool may forget this origin.
    bool unused() const noexcept { return connections_ == 0 && dials_ == 0 && waiting_ == 0; }
    const dial::target& target() const noexcept { return target_; }
    connection::environment& environment() const noexcept;

private:
    friend class pooled;
    friend class waiter;
    friend class dialled;

    void add_waiter(exchange_ptr waiting);
    exchange_ptr take_waiter();
    void forget(waiter& gone);
    void cancel_surplus_dials();
    void limit_waiting_time();
    void released(pooled& connection);
    void closed(pooled& connection, connection::close_reason reason);
    void connected(dialled& dial, transport::transport_ptr transport, const dial::dial_timings& timings);
    void failed(dialled& dial, error failure);
    std::unique_ptr<dialled> end(dialled& dial);

    pool& pool_;
    dial::target target_;
    base::intrusive_list<pooled> idle_;
    base::intrusive_list<pooled> busy_;
    base::intrusive_list<waiter> waiters_;
    base::intrusive_list<dialled> dialling_;
    std::size_t connections_ = 0;
    std::size_t dials_ = 0;
    std::size_t waiting_ = 0;
    bool closing_ = false;
};

}  // namespace pabal::pool
