#pragma once
/// \file
/// Alt-Svc: where else an origin can be had, and by which protocol (RFC 7838 section 3). What is read here is only what was said;
/// whether to believe it depends on who said it (section 2.1).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/fields.hpp>

namespace pabal::http {

struct alternative_service {
    std::string protocol;  ///< the ALPN identifier, percent-encoding undone: "h3", "h2"
    std::string host;      ///< lower case; an IPv6 literal without brackets; empty: the origin's own
    std::uint16_t port = 0;
    std::chrono::seconds max_age{86400};  ///< from the moment of the response, its Age taken off
    bool persists = false;                ///< also when this machine's network changes

    bool operator==(const alternative_service&) const = default;
};

/// What a response says of its origin. No services: everything that was known before is void ("clear").
using alternative_services = std::vector<alternative_service>;

/// What `alternative_service::protocol` is for HTTP/3 (RFC 9114 section 3.1).
inline constexpr std::string_view http3_protocol = "h3";

/// Services that are read of one response.
inline constexpr std::size_t max_alternative_services = 16;

/// The Alt-Svc fields of a response, in the order of the server's preference; nullopt: there are none, or they are malformed,
/// and nothing is to be done. Alternatives with a port of 0, or a host that is none, are left out. `age` is what the response's
/// Age says.
std::optional<alternative_services> parse_alternative_services(const fields& headers,
                                                               std::chrono::seconds age = std::chrono::seconds{0});
/// The value of one field.
std::optional<alternative_services> parse_alternative_services(std::string_view value,
                                                               std::chrono::seconds age = std::chrono::seconds{0});

}  // namespace pabal::http
