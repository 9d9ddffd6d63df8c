#pragma once
/// \file
/// The public suffix list (https://publicsuffix.org): below which names anybody can register one. Both of its sections
/// count, that of the registries ("co.uk") and the private one ("github.io"): for a cookie they are the same.
///
/// The list is compiled in: a table of read-only data, made when pabal is built. Nothing here allocates.

#include <string_view>

namespace pabal::http {

/// The public suffix of a host name (lower-case, as A-labels): "co.uk" of "www.example.co.uk". A name of which the list
/// says nothing has its last label, so there is always one. A final dot belongs to it.
std::string_view public_suffix(std::string_view host) noexcept;

inline bool is_public_suffix(std::string_view host) noexcept {
    return !host.empty() && public_suffix(host).size() == host.size();
}

/// The public suffix and one label more, "example.co.uk"; empty for a public suffix itself.
std::string_view registrable_domain(std::string_view host) noexcept;

/// Whether two hosts belong to one site: the same host, or the same registrable domain. Not for addresses, which are
/// sites of their own.
bool is_same_site(std::string_view left, std::string_view right) noexcept;

}  // namespace pabal::http
