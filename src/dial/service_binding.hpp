#pragma once
/// \file
/// What an HTTPS record of the DNS says: where and how an origin is served (RFC 9460 sections 2.2, 7 and 9). Plain values.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dial/address.hpp"

namespace pabal::dial {

struct service_binding {
    std::uint16_t priority = 0;          ///< the smaller, the better; 0: an alias, everything stands at `target`
    std::string target;                  ///< a host's name; empty: the record's own
    std::vector<std::string> protocols;  ///< ALPN identifiers, as the record names them
    bool only_these = false;             ///< http/1.1 is not spoken unless `protocols` says so (no-default-alpn)
    std::uint16_t port = 0;              ///< 0: the origin's
    std::vector<address> hints;          ///< addresses of `target`, of port 0: until it is resolved
    std::string ech;                     ///< ECHConfigList, to encrypt the ClientHello with (RFC 9849); or empty

    bool speaks(std::string_view protocol) const noexcept;
};

/// A parameter as it came over the wire: RFC 9460 section 14.3.2 has the keys.
struct service_parameter {
    std::uint16_t key = 0;
    std::string_view value;
};

/// nullopt: the record is malformed, or asks for something that is not known here (section 8), and is as good as none.
std::optional<service_binding> read_service_binding(std::uint16_t priority, std::string_view target,
                                                    std::span<const service_parameter> parameters);

/// By priority, in stable order; if there is an alias among them, only the first of those (section 2.4.1).
void sort_by_priority(std::vector<service_binding>& bindings);

/// The name to ask for: that of the host, or with the port in front of it where that is not 443 (section 9.1).
std::string name_of_service(std::string_view host, std::uint16_t port);

}  // namespace pabal::dial
