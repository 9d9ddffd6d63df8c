#pragma once
/// \file
/// What both halves of the machine say to nghttp2 in its own terms.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <nghttp2/nghttp2.h>

#include <pabal/error.hpp>
#include <pabal/fields.hpp>

#include "protocol/http/field_lines.hpp"

namespace pabal::http2 {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

using field_lines = http::field_lines<nghttp2_nv>;

inline error callers(error_code code, std::string message) {
    return {code, phase::prepare, culprit::caller, 0, std::move(message)};
}

/// nghttp2 sends no header block that might come to more than 64 KiB; it would leave the stream without a word.
inline bool fits_a_header_block(const fields& headers) noexcept {
    constexpr std::size_t most = 60 * 1024;
    constexpr std::size_t overhead = 12;  // of one field, at the worst (RFC 7541 section 6.2)
    return headers.byte_size() + headers.size() * overhead <= most;
}

/// Asks the stream's owner for the body of our message.
nghttp2_data_provider2 body_source() noexcept;

}  // namespace pabal::http2
