#pragma once
/// \file
/// Dates as HTTP writes them: RFC 9110 section 5.6.7, and the lenient reading of cookies, RFC 6265bis section 5.1.1.
/// Seconds are as fine as they get; years reach from 1601 to 9999, so they do not fit a clock that counts nanoseconds.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pabal::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate).
std::string format_http_date(std::chrono::sys_seconds when);

/// Reads an HTTP-date: IMF-fixdate, and the two obsolete forms a recipient must accept (RFC 850 and asctime). A
/// two-digit year is in the century that puts it at most 50 years ahead of `now`. Exact: case and spacing matter.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text, std::chrono::sys_seconds now);

/// Reads the Expires attribute of a cookie by the algorithm that accepts nearly anything.
std::optional<std::chrono::sys_seconds> parse_cookie_date(std::string_view text);

}  // namespace pabal::http
