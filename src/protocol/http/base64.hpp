#pragma once
/// \file
/// base64 with padding, RFC 4648 section 4.

#include <optional>
#include <string>
#include <string_view>

namespace pabal::http {

std::string base64_encode(std::string_view bytes);

/// Strict: no white space, padding required, unused bits zero.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace pabal::http
