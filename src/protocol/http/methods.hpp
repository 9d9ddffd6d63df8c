#pragma once
/// \file
/// What methods promise (RFC 9110 section 9.2).

#include <string_view>

namespace pabal::http {

/// Asks for nothing to be changed (RFC 9110 section 9.2.1): who sends it twice has done no harm.
constexpr bool is_safe(std::string_view method) noexcept {
    return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace pabal::http
