#pragma once
/// \file
/// A block of addresses, as CIDR notation writes it (RFC 4632 section 3.1, RFC 4291 section 2.3). A plain value.

#include <string>
#include <string_view>

#include <pabal/result.hpp>

#include "dial/address.hpp"

namespace pabal::dial {

struct network {
    address base;
    unsigned prefix = 0;  ///< bits, at most 32 or 128

    /// "10.0.0.0/8", "fc00::/7", or an address for that one alone. invalid_argument, the caller's fault: anything else, also
    /// a base with bits beyond the prefix, for it is unclear what is meant then.
    static result<network> parse(std::string_view text);

    /// Never across the families: forms of IPv4 addresses inside IPv6 are the caller's to look into.
    bool contains(const address& tested) const noexcept;
    std::string to_string() const;
};

}  // namespace pabal::dial
