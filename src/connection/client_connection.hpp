#pragma once
/// \file
/// A connection that a client sends exchanges over, whatever the HTTP version: what the pool knows of it.
///
///        start()                 on_room
///   idle ───────▶ busy ─────────────────────▶ idle          HTTP/1.1: one exchange; HTTP/2: as many as the peer takes, and
///     │             │ peer's fault, time, cancel, no reuse   on_room whenever one more can start
///     ▼             ▼
///   closed ◀──── closed          every transition to `closed` carries a close_reason; the pool retires the object
///
/// Lifetime: owned by the pool. After `on_closed` the object stays alive until the end of the turn, so that frames of it
/// that are still on the stack may look at themselves.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include <pabal/handler.hpp>

#include "base/intrusive_list.hpp"
#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::connection {

/// Why a connection was closed or not kept. The names reach logs and traces.
enum class close_reason : std::uint8_t {
    peer_said_close,  ///< Connection: close, or HTTP/1.0 without keep-alive
    we_said_close,
    body_until_close,    ///< the end of the connection was the end of the body
    peer_closed_idle,    ///< the peer closed it while it was idle
    unexpected_bytes,    ///< bytes after a complete response
    response_unread,     ///< the caller gave up on the body
    request_unfinished,  ///< the response came before the request was sent completely
    cancelled,
    timed_out,
    transport_failed,
    protocol_error,
    idle_timeout,
    pool_full,  ///< more idle connections than the limits allow
    evicted,    ///< closed to make room for another origin
    upgraded,
    session_closed,
};
std::string_view name_of(close_reason reason) noexcept;

class client_connection;

/// The pool, as a connection sees it.
class client_connection_observer {
public:
    /// An exchange is over, or the peer takes more at once than before: another can start, as far as `usable` knows.
    virtual void on_room(client_connection& with_room) = 0;
    /// The peer says where else `of`, an origin ("https://example.com"), is to be had (RFC 7838 section 4).
    virtual void on_alternative_services(std::string_view of, std::string_view value) { (void)of, (void)value; }
    /// The connection will serve no more. Called exactly once.
    virtual void on_closed(client_connection& closed, close_reason reason) = 0;

protected:
    ~client_connection_observer() = default;
};

class client_connection : public base::list_hook<> {
public:
    virtual ~client_connection() = default;

    /// Begins an exchange; only while `usable()`.
    virtual void start(exchange_ptr started) = 0;
    /// Whether another exchange can start now, as far as can be told without a system call.
    virtual bool usable() const noexcept = 0;
    /// How many are under way.
    virtual std::size_t exchanges() const noexcept = 0;
    /// How many can be, at once.
    virtual std::size_t capacity() const noexcept = 0;
    /// Closes it now. An exchange under way ends with `session_closed` if that is the reason, else with `cancelled`.
    virtual void close(close_reason reason) = 0;
    virtual transport::transport_description describe() const = 0;

    /// Set by whoever made it; every exchange it serves gets a share.
    std::shared_ptr<const connection_facts> facts;
};

/// What connections of one engine share.
struct environment {
    reactor::reactor& reactor;
    std::span<char> scratch;  ///< bytes in either direction pass through here; taken only by a scratch_lease
    bool scratch_taken = false;
};

/// The scratch buffer, for one call. Callbacks may send and receive on any connection while bytes in the buffer are still
/// being looked at: whoever finds it taken gets one of his own.
class scratch_lease {
public:
    explicit scratch_lease(environment& lender)
        : lender_(lender), was_taken_(std::exchange(lender.scratch_taken, true)), space_(lender.scratch) {
        if (!was_taken_) return;
        own_ = std::make_unique_for_overwrite<char[]>(space_.size());
        space_ = {own_.get(), space_.size()};
    }
    ~scratch_lease() { lender_.scratch_taken = was_taken_; }
    scratch_lease(const scratch_lease&) = delete;
    scratch_lease& operator=(const scratch_lease&) = delete;

    std::span<char> space() const noexcept { return space_; }

private:
    environment& lender_;
    bool was_taken_;
    std::span<char> space_;
    std::unique_ptr<char[]> own_;
};

}  // namespace pabal::connection
