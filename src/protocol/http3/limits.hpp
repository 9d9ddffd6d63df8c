#pragma once
/// \file
/// Bounds on what a peer may make an HTTP/3 machine hold or do. Those of QUIC, windows among them, are in protocol/quic/limits.hpp.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pabal::http3 {

struct limits {
    std::size_t max_head = 64 * 1024;  ///< names and values of one header or trailer section, decompressed
    std::size_t max_fields = 256;
    /// What QPACK may remember for the peer (RFC 9204 section 3.2.3). Streams never wait for it (blocked streams: none): what
    /// a complete response refers to is then always there when it comes.
    std::size_t qpack_table = 4096;
    /// Bytes of one request's body that may be kept until the peer acknowledges them.
    std::size_t max_unacknowledged = 4 * 1024 * 1024;

    // --- What a server bears from one client ---

    /// Whether a client may ask for another protocol on a stream (SETTINGS_ENABLE_CONNECT_PROTOCOL, RFC 9220).
    bool extended_connect = false;
    /// A head that is this many times larger than `max_head` is no accident: it ends the connection.
    std::size_t bomb_factor = 4;
    /// Streams that the client gave up before they were answered (CVE-2023-44487), or made us do it by breaking the rules
    /// (CVE-2025-8671), in one allowance_period. Each response that is sent to its end makes good for one.
    unsigned max_resets = 500;
};

// What nghttp3 counts by itself, in either role: frames and streams that come to nothing (unknown ones, empty DATA, …), at once and
// then in a second. Beyond that the connection ends with H3_EXCESSIVE_LOAD.
inline constexpr std::uint64_t idle_frame_burst = 1000;
inline constexpr std::uint64_t idle_frames_per_second = 33;

/// How often `machine::renew_allowances` is to be called.
inline constexpr std::chrono::seconds allowance_period{10};

/// How many 1xx responses a client takes before the final one.
inline constexpr unsigned max_informational_responses = 32;

}  // namespace pabal::http3
