#pragma once
/// \file
/// Bounds on what a peer may make an HTTP/2 machine hold or do. What nghttp2 bounds by itself (frames that ask for an answer,
/// CONTINUATION frames, settings in a frame, streams reset in a row) is set in machine.cpp.

#include <cstddef>
#include <cstdint>

namespace pabal::http2 {

struct limits {
    std::size_t max_head = 64 * 1024;  ///< names and values of one header or trailer section, decompressed
    std::size_t max_fields = 256;
    /// Body bytes of one stream that may be on the way or unread (RFC 9113 section 5.2).
    std::uint32_t stream_window = 1024 * 1024;
    /// To which the window of a stream may grow whose path holds more than it (window_growth.hpp).
    std::uint32_t largest_stream_window = 16 * 1024 * 1024;
    /// Of all streams together. What arrived counts as read here at once: one reader who takes his time must not stop the
    /// others, and each stream's own window bounds what it may leave lying.
    std::uint32_t connection_window = 32 * 1024 * 1024;
    /// How many streams a server is taken to allow at once until its SETTINGS say so (RFC 9113 section 6.5.2 advises it to allow
    /// no fewer than 100). More would be refused, and sent again.
    std::uint32_t assumed_concurrent_streams = 100;
};

/// How many 1xx responses a client takes before the final one.
inline constexpr unsigned max_informational_responses = 32;

}  // namespace pabal::http2
