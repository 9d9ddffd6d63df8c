#pragma once
/// \file
/// WWW-Authenticate and Proxy-Authenticate: what a server wants to be convinced by (RFC 9110 section 11.6.1).

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pabal/fields.hpp>

namespace pabal::http {

/// One challenge. Names are in lower case; quoted strings are unquoted, their escapes undone.
struct challenge {
    std::string scheme;
    std::string token68;
    std::vector<std::pair<std::string, std::string>> parameters;

    /// The first parameter of that (lower-case) name; null when there is none.
    const std::string* find(std::string_view name) const noexcept;
};

/// Reads "name=value" pairs separated by commas, as Authentication-Info has them; ends at the first that is malformed.
std::vector<std::pair<std::string, std::string>> parse_auth_parameters(std::string_view value);

/// Every challenge of every line of that name, in order. One comma separates parameters as well as challenges: a token that
/// no '=' follows begins a new challenge. A line that is malformed counts up to the challenge before the fault.
std::vector<challenge> parse_challenges(const fields& headers, std::string_view name);

}  // namespace pabal::http
