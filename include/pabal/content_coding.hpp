#pragma once
/// \file
/// The content codings that are understood: RFC 9110 section 8.4.

#include <cstdint>
#include <string_view>

namespace pabal {

enum class content_coding : std::uint8_t { gzip, deflate, br, zstd };

/// The name as registered with IANA.
std::string_view name_of(content_coding coding) noexcept;

}  // namespace pabal
