#pragma once
/// \file
/// What stands for a host in a URL: RFC 3986 section 3.2.2, narrowed to what names and addresses can be in practice.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pabal::http {

enum class host_form : std::uint8_t {
    name,             ///< a name, lower-case already
    name_mixed_case,  ///< a name with upper-case letters
    ipv4,             ///< an address in dotted decimal
    not_ascii,        ///< has bytes of 0x80 and above: needs IDNA
    invalid,
};

struct host_verdict {
    host_form form = host_form::invalid;
    const char* fault = nullptr;  ///< what is wrong, for a person, when `form` is invalid
};

/// Classifies a host that is not in brackets. Names: labels of letters, digits, '-' and '_', 63 bytes each, 253 together,
/// with or without a final dot. A host whose last label is a number (decimal or 0x) must be an address in dotted decimal:
/// other software would read `127.1` or `0x7f.1` as one, and disagreement about addresses is how filters are passed.
host_verdict classify_host(std::string_view host) noexcept;

/// The form of RFC 5952 of an IPv6 literal (without brackets); a zone (RFC 6874: "%25eth0", or "%eth0") follows after '%'.
std::optional<std::string> normalise_ipv6(std::string_view literal);

/// A host as other software writes it before a port: a name of ASCII, an IPv4 address, or an IPv6 literal without a zone in brackets,
/// which are taken off. In lower case; nullopt: it is none of them.
std::optional<std::string> read_host(std::string_view text);
/// The other way round: `host` with brackets if it is an IPv6 literal.
std::string write_host(std::string_view host);

}  // namespace pabal::http
