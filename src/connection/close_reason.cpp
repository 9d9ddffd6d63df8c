#include "connection/client_connection.hpp"

namespace pabal::connection {

std::string_view name_of(close_reason reason) noexcept {
    switch (reason) {
    case close_reason::peer_said_close: return "peer_said_close";
    case close_reason::we_said_close: return "we_said_close";
    case close_reason::body_until_close: return "body_until_close";
    case close_reason::peer_closed_idle: return "peer_closed_idle";
    case close_reason::unexpected_bytes: return "unexpected_bytes";
    case close_reason::response_unread: return "response_unread";
    case close_reason::request_unfinished: return "request_unfinished";
    case close_reason::cancelled: return "cancelled";
    case close_reason::timed_out: return "timed_out";
    case close_reason::transport_failed: return "transport_failed";
    case close_reason::protocol_error: return "protocol_error";
    case close_reason::idle_timeout: return "idle_timeout";
    case close_reason::pool_full: return "pool_full";
    case close_reason::evicted: return "evicted";
    case close_reason::upgraded: return "upgraded";
    case close_reason::session_closed: return "session_closed";
    }
    return "unknown";
}

}  // namespace pabal::connection
