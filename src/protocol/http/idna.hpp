#pragma once
/// \file
/// Internationalised host names (UTS #46, as in the WHATWG URL standard).

#include <optional>
#include <string>
#include <string_view>

namespace pabal::http {

/// The A-label form ("xn--…") of a host name in UTF-8; nullopt when it is not valid UTF-8 or not a valid name.
/// The result is ASCII but not yet checked as a host: full-width digits, for one, come out as digits.
std::optional<std::string> host_to_ascii(std::string_view utf8);

}  // namespace pabal::http
