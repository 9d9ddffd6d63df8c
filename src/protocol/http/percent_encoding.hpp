#pragma once
/// \file
/// Percent-encoding (RFC 3986 section 2.1) and application/x-www-form-urlencoded.

#include <string>
#include <string_view>

namespace pabal::http {

/// Appends the bytes of `text`; all but the unreserved ones of RFC 3986 (letters, digits, `-._~`) as %XX.
void append_percent_encoded(std::string& out, std::string_view text);

/// Decodes every valid %XX; a '%' that begins none stays as it is.
std::string percent_decode(std::string_view text);

/// Appends "name=value", after '&' when `out` is not empty, in application/x-www-form-urlencoded. Space becomes '+', the
/// unreserved bytes stay and all others become %XX. (The WHATWG serialiser treats `*` and `~` the other way round; Python's
/// urlencode does it as here. Every decoder reads both.)
void append_form_pair(std::string& out, std::string_view name, std::string_view value);

}  // namespace pabal::http
