#pragma once
/// \file
/// Reading a Set-Cookie field: RFC 6265bis section 5.6, and the comparisons of section 5.1.

#include <optional>
#include <string_view>

#include <pabal/cookies.hpp>

namespace pabal::http {

/// A Set-Cookie value as it reads, before anyone asked whether this host may set it. Domain and path are the attributes'.
struct set_cookie {
    cookie parsed;  ///< `domain` is the attribute's (may be empty); `path` the attribute's or empty
    bool has_path_attribute = false;
};

/// Nothing: the whole line is to be ignored.
std::optional<set_cookie> parse_set_cookie(std::string_view text, cookie::time_point now);

/// Section 5.1.3. `host_is_address`: then only equality counts.
bool domain_matches(std::string_view host, std::string_view domain, bool host_is_address) noexcept;

/// Section 5.1.4, both halves.
bool path_matches(std::string_view request_path, std::string_view cookie_path) noexcept;
std::string_view default_path(std::string_view request_path) noexcept;

/// The path of a URL as the server sees it.
std::string_view request_path(const url& of) noexcept;

}  // namespace pabal::http
