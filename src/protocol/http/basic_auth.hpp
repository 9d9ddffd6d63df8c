#pragma once
/// \file
/// The Basic authentication scheme, RFC 7617, in UTF-8.

#include <optional>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

namespace pabal::http {

/// Value of Authorization or Proxy-Authorization. Fails with invalid_argument, the caller's fault, when the user name
/// holds a ':' (it could not be told from the password) or either a control character; the message shows neither.
result<std::string> basic_credentials(std::string_view user, std::string_view password);

struct user_and_password {
    std::string user;
    std::string password;
};

/// Server: reads a credentials value back. Nothing when it is of another scheme or malformed.
std::optional<user_and_password> parse_basic_credentials(std::string_view value);

}  // namespace pabal::http
