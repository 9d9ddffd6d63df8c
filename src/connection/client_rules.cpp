#include "connection/client_rules.hpp"

#include <string>

namespace pabal::connection {

bool asks_for_continue(const request_head& head) noexcept {
    const auto expect = head.headers.find(field_id::expect);
    return expect && equals_ignoring_case(*expect, "100-continue");
}

error inactivity(bool reading, std::chrono::milliseconds limit) {
    return {error_code::timed_out, reading ? phase::read : phase::write, culprit::peer, 0,
            reading ? "the server sent nothing for " + std::to_string(limit.count()) + " ms (read timeout)"
                    : "the server accepted nothing of the request for " + std::to_string(limit.count()) +
                          " ms (write timeout)"};
}

error closed_by_us(close_reason reason) {
    const bool by_session = reason == close_reason::session_closed;
    return {by_session ? error_code::session_closed : error_code::cancelled, phase::none, culprit::caller, 0,
            by_session ? "the session was closed while the request ran"
                       : "the connection was closed: " + std::string(name_of(reason))};
}

}  // namespace pabal::connection
