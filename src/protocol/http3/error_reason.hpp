#pragma once
/// \file
/// Why a stream or a connection of HTTP/3 ended: RFC 9114 section 8.1, RFC 9204 section 6.

#include <cstdint>
#include <string>

namespace pabal::http3 {

enum class error_reason : std::uint64_t {
    no_error = 0x100,
    general_protocol_error = 0x101,
    internal_error = 0x102,
    stream_creation_error = 0x103,
    closed_critical_stream = 0x104,
    frame_unexpected = 0x105,
    frame_error = 0x106,
    excessive_load = 0x107,
    id_error = 0x108,
    settings_error = 0x109,
    missing_settings = 0x10a,
    request_rejected = 0x10b,
    request_cancelled = 0x10c,
    request_incomplete = 0x10d,
    message_error = 0x10e,
    connect_error = 0x10f,
    version_fallback = 0x110,
    qpack_decompression_failed = 0x200,
    qpack_encoder_stream_error = 0x201,
    qpack_decoder_stream_error = 0x202,
};

/// "H3_REQUEST_REJECTED", as the RFC spells it; "0x…" for what it does not know.
std::string name_of(error_reason reason);

}  // namespace pabal::http3
