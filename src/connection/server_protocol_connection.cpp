#include "connection/server_protocol_connection.hpp"

namespace pabal::connection {

std::string_view name_of(server_close_reason reason) noexcept {
    switch (reason) {
    case server_close_reason::peer_closed: return "peer_closed";
    case server_close_reason::keep_alive_ended: return "keep_alive_ended";
    case server_close_reason::malformed_request: return "malformed_request";
    case server_close_reason::request_timed_out: return "request_timed_out";
    case server_close_reason::idle_timeout: return "idle_timeout";
    case server_close_reason::write_timed_out: return "write_timed_out";
    case server_close_reason::handler_failed: return "handler_failed";
    case server_close_reason::body_unread: return "body_unread";
    case server_close_reason::transport_failed: return "transport_failed";
    case server_close_reason::server_stopped: return "server_stopped";
    }
    return "unknown";
}

void complete_head(response_head& head, const server_environment& environment) {
    if (environment.alternatives.empty() || head.headers.contains("Alt-Svc")) return;
    head.headers.append_valid("Alt-Svc", environment.alternatives);
}

}  // namespace pabal::connection
