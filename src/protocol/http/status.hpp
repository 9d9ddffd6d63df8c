#pragma once
/// \file
/// Status codes (RFC 9110 section 15).

#include <string_view>

namespace pabal::http {

/// The reason phrase of RFC 9110 section 15 (and the registered extensions); empty for statuses nobody registered.
std::string_view standard_reason(int status) noexcept;

}  // namespace pabal::http
