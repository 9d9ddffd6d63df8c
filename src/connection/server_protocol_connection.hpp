#pragma once
/// \file
/// What the versions of HTTP have in common where they are served: limits, reasons, and the shape of a connection whose version
/// is known.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <pabal/handler.hpp>

#include "reactor/reactor.hpp"

namespace pabal::connection {

/// Limits of time (zero: none) and of memory.
struct server_limits {
    std::chrono::milliseconds head{30'000};   ///< from the first byte of a request to the end of its head
    std::chrono::milliseconds idle{75'000};   ///< between requests
    std::chrono::milliseconds body{60'000};   ///< silence while a handler waits for the request body
    std::chrono::milliseconds write{60'000};  ///< the peer takes nothing of the response
    std::size_t write_buffer = 256 * 1024;    ///< queued response bytes beyond which a handler is told to pause
    std::size_t drain = 64 * 1024;            ///< of an unread request body, to keep the connection
    std::size_t linger = 1024 * 1024;         ///< read from a peer that does not stop sending, after our last word
};

/// What all connections of a server share; it must outlive them.
struct server_environment {
    reactor::reactor& reactor;
    std::span<char> scratch;  ///< for what is read at once; nothing in it lasts
    pabal::handler& handler;
    server_limits limits;
    std::string
        alternatives;  ///< Alt-Svc of the responses (RFC 7838): how the server can be had as well; empty: nothing is said
};

/// Why a server's connection ended. The names reach logs.
enum class server_close_reason : std::uint8_t {
    peer_closed,
    keep_alive_ended,  ///< Connection: close, HTTP/1.0, or the server is stopping
    malformed_request,
    request_timed_out,
    idle_timeout,
    write_timed_out,
    handler_failed,
    body_unread,  ///< more request body than is worth draining
    transport_failed,
    server_stopped,
};
std::string_view name_of(server_close_reason reason) noexcept;

/// Adds to the final response's head what the server says with all of them, and the handler did not.
void complete_head(response_head& head, const server_environment& environment);

class server_protocol_connection;

class server_protocol_observer {
public:
    /// Called exactly once, by a connection that has closed its transport. It must stay until the end of the turn.
    virtual void on_closed(server_protocol_connection& closed, server_close_reason reason) = 0;

protected:
    ~server_protocol_observer() = default;
};

/// Serves one version of HTTP over one transport.
class server_protocol_connection {
public:
    virtual ~server_protocol_connection() = default;

    /// Begins to serve: first what was read already, then what the transport has.
    virtual void start(std::string_view first) = 0;
    /// Finishes the requests under way, if any, then closes.
    virtual void finish() = 0;
    /// Closes now; a handler at work is not called any more.
    virtual void close(server_close_reason reason) = 0;
    /// A handler is at work.
    virtual bool is_answering() const noexcept = 0;
};

}  // namespace pabal::connection
