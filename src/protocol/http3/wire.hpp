#pragma once
/// \file
/// Between pabal's shapes and nghttp3's.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nghttp3/nghttp3.h>

#include "protocol/http/field_lines.hpp"

namespace pabal::http3 {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

inline std::string_view text_of(nghttp3_rcbuf* held) noexcept {
    const nghttp3_vec bytes = nghttp3_rcbuf_get_buf(held);
    return text_of(bytes.base, bytes.len);
}

inline const std::uint8_t* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const std::uint8_t*>(text.data());
}

using field_lines = http::field_lines<nghttp3_nv>;

}  // namespace pabal::http3
