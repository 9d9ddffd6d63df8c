#pragma once
/// \file
/// What both halves of the machine say to nghttp2 in its own terms.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nghttp2/nghttp2.h>

#include <pabal/error.hpp>
#include <pabal/fields.hpp>
#include <pabal/result.hpp>

namespace pabal::http2 {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

inline nghttp2_nv field_of(std::string_view name, std::string_view value) noexcept {
    const auto bytes = [](std::string_view text) {
        return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

inline error callers(error_code code, std::string message) {
    return {code, phase::prepare, culprit::caller, 0, std::move(message)};
}

/// What RFC 9113 section 8.2.2 keeps from the wire, and what says the same in another way.
inline bool is_left_out(const fields::field& line) noexcept {
    switch (line.id) {
    case field_id::host:  // as :authority
    case field_id::connection:
    case field_id::keep_alive:
    case field_id::proxy_connection:
    case field_id::transfer_encoding:
    case field_id::upgrade: return true;
    case field_id::te: return !equals_ignoring_case(line.value, "trailers");
    default: return false;
    }
}

/// nghttp2 sends no header block that might come to more than 64 KiB; it would leave the stream without a word.
inline bool fits_a_header_block(const fields& headers) noexcept {
    constexpr std::size_t most = 60 * 1024;
    constexpr std::size_t overhead = 12;  // of one field, at the worst (RFC 7541 section 6.2)
    return headers.byte_size() + headers.size() * overhead <= most;
}

/// The value of Content-Length. Invalid, or several that differ: the caller's error.
inline result<std::optional<std::uint64_t>> announced_size(const fields& headers) {
    std::optional<std::uint64_t> size;
    for (const fields::field line : headers) {
        if (line.id != field_id::content_length) continue;
        std::uint64_t value = 0;
        const char* const end = line.value.data() + line.value.size();
        const auto [stopped, failed] = std::from_chars(line.value.data(), end, value);
        if (failed != std::errc{} || stopped != end || (size && *size != value))
            return callers(error_code::invalid_header, "invalid Content-Length");
        size = value;
    }
    return size;
}

/// Asks the stream's owner for the body of our message.
nghttp2_data_provider2 body_source() noexcept;

}  // namespace pabal::http2
