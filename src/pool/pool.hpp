#pragma once
/// \file
/// Which connection serves which exchange: O(1) per exchange, whatever the number of connections.
///
///   submit ──▶ idle connection of that origin? (last in, first out) ──▶ start
///      │ none
///      ▼
///   waiters of that origin (first in, first out) ◀── a released connection is handed to the first of them directly
///      │ limits allow?
///      ▼
///   dial ──▶ connected: handed to the first waiter, or idle if nobody waits any more
///        ──▶ failed: the first waiter gets the error
///
/// Nothing is scanned and no idle connection is checked before use: one that its peer closes announces itself, because the
/// reactor watches it. An origin that could not dial because the *total* limit was reached stands in a queue of origins
/// and is served when any connection closes; an idle connection of another origin is evicted for it.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include <pabal/handler.hpp>

#include "connection/client_connection.hpp"
#include "dial/dialer.hpp"
#include "pool/coalescing.hpp"
#include "pool/origin.hpp"

namespace pabal::pool {

/// Bounds of one pool. All finite.
struct limits {
    std::size_t max_connections = 1000;
    std::size_t max_connections_per_host = 100;
    std::size_t max_idle_connections = 1000;
    std::chrono::milliseconds idle_timeout{60'000};
    std::chrono::milliseconds ping_interval{0};  ///< as in session_limits
    bool coalesce = true;                        ///< as in session_limits
};

/// What happened so far; for tests, traces and people.
struct statistics {
    std::uint64_t dialled = 0;
    std::uint64_t dial_failures = 0;
    std::uint64_t reused = 0;
    std::uint64_t coalesced = 0;  ///< origins that found a connection of another one
    std::uint64_t closed = 0;
    connection::close_reason last_close_reason{};
};

class pool {
public:
    /// The environment and the dialer must outlive the pool.
    pool(connection::environment& environment, dial::dialer& dialer, const limits& limits);
    /// Closes everything; exchanges under way end with `session_closed`.
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    /// Sends `submitted` over a connection to `to`; waits for one in the order of submission. `submitted->limits.pool`
    /// bounds the time spent waiting because a limit was reached (timed_out, phase pool).
    void submit(exchange_ptr submitted, const dial::target& to);

    /// Closes idle connections and fails waiters and exchanges under way; the pool takes no more submissions.
    void close();
    void close_idle(connection::close_reason reason);

    std::size_t open_connections() const noexcept { return open_; }
    std::size_t idle_connections() const noexcept { return idle_; }
    std::size_t dialling() const noexcept { return dialling_; }
    std::size_t waiting() const noexcept { return waiting_; }
    /// Origins it knows: those in use, and some of the others.
    std::size_t origins() const noexcept { return origins_.size(); }
    const statistics& counters() const noexcept { return statistics_; }

private:
    friend class origin;
    static constexpr std::size_t origins_to_remember = 256;
    struct target_hash {
        std::size_t operator()(const dial::target& of) const noexcept;
    };

    origin& origin_of(const dial::target& to);
    bool has_room() const noexcept { return open_ + dialling_ < limits_.max_connections; }
    /// Makes room for another origin's connection by closing the longest idle one. False: none is idle.
    bool evict_idle();
    /// A place became free: lets the origin that waits longest dial.
    void serve_starved();

    connection::environment& environment_;
    dial::dialer& dialer_;
    limits limits_;
    std::size_t open_ = 0;  ///< connections, busy or idle
    std::size_t idle_ = 0;
    std::size_t dialling_ = 0;
    std::size_t waiting_ = 0;
    bool closed_ = false;
    bool evicting_ = false;  ///< the place that becomes free is taken already
    statistics statistics_;
    shareable_connections shareable_;
    std::unordered_map<dial::target, std::unique_ptr<origin>, target_hash> origins_;
    /// At this many, origins without connections are forgotten: a crawl over millions of hosts stays bounded, and as the mark
    /// is then twice what is in use, forgetting costs O(1) for each new origin.
    std::size_t sweep_at_ = origins_to_remember;
    base::intrusive_list<pooled, by_age> idle_by_age_;
    base::intrusive_list<origin, starved> starved_;
};

}  // namespace pabal::pool
