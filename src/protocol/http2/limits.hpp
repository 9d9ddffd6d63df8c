#pragma once
/// \file
/// Bounds on what a peer may make an HTTP/2 machine hold or do.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace pabal::http2 {

struct limits {
    std::size_t max_head = 64 * 1024;  ///< names and values of one header or trailer section, decompressed
    std::size_t max_fields = 256;
    /// Body bytes of one stream that may be on the way or unread (RFC 9113 section 5.2).
    std::uint32_t stream_window = 1024 * 1024;
    /// To which the window of a stream may grow whose path holds more than it (window_growth.hpp).
    std::uint32_t largest_stream_window = 16 * 1024 * 1024;
    /// By how much all windows of open streams together may have grown.
    std::uint64_t most_growth = std::numeric_limits<std::uint64_t>::max();
    /// Of all streams together. What arrived counts as read here at once: one reader who takes his time must not stop the
    /// others, and each stream's own window bounds what it may leave lying.
    std::uint32_t connection_window = 32 * 1024 * 1024;
    /// How many streams a server is taken to allow at once until its SETTINGS say so (RFC 9113 section 6.5.2 advises it to allow
    /// no fewer than 100). More would be refused, and sent again.
    std::uint32_t assumed_concurrent_streams = 100;

    // --- What a server bears from one client ---

    /// Streams open at once; more are refused (RFC 9113 section 5.1.2).
    std::uint32_t concurrent_streams = 128;
    /// Whether a client may ask for another protocol on a stream (SETTINGS_ENABLE_CONNECT_PROTOCOL, RFC 8441).
    bool extended_connect = false;
    /// A head that is this many times larger than `max_head` is no accident: it ends the connection.
    std::size_t bomb_factor = 4;
    /// Streams that ended before they were answered, because the client reset them (CVE-2023-44487) or made us do it by breaking
    /// the rules (CVE-2025-8671), in one allowance_period. Each response that is sent to its end makes good for one: who waits
    /// for most of what he asks may give up the rest.
    unsigned max_resets = 500;
    /// Frames that ask for work and bring nothing, in one allowance_period: PING, SETTINGS, PRIORITY, RST_STREAM, DATA
    /// without content (CVE-2019-9512, -9515, -9513, -9514, -9518), and windows so small that a response leaves in crumbs
    /// (CVE-2019-9511).
    unsigned max_idle_frames = 1000;
    /// Frames that wait to be sent because the client does not read, beyond one for each stream (CVE-2019-9517).
    std::size_t max_queued_frames = 1000;
};

/// A server's, unless told otherwise: with all its streams a client makes it hold no more than 48 MiB of unread bodies, 16 of them
/// in windows that grew because their handlers kept up with a path that holds as much.
inline constexpr limits server_limits{
    .stream_window = 256 * 1024, .largest_stream_window = 8 * 1024 * 1024, .most_growth = 16 * 1024 * 1024};

/// How often `machine::renew_allowances` is to be called.
inline constexpr std::chrono::seconds allowance_period{10};
/// DATA frames from this size on, in either direction, each make good for one idle frame: who measures the path by PING while
/// much is moving floods nobody.
inline constexpr std::size_t worthwhile_size = 1024;
/// DATA frames that a client's window makes smaller than this are crumbs.
inline constexpr std::size_t crumb_size = 64;

// --- What nghttp2 counts by itself, in either role ---

/// How many frames that only answer the peer's (SETTINGS and PING acknowledgements) may wait to be sent.
inline constexpr std::size_t max_outbound_acknowledgements = 1000;
/// Frames that come to nothing, at once and then in a second. Most are the rest of bodies that were given up: of one it may be
/// as much as its window holds, a thousand frames, and a program may give up many.
inline constexpr std::uint64_t glitch_burst = 1'000'000;
inline constexpr std::uint64_t glitches_per_second = 100'000;
/// CONTINUATION frames of one header section (CVE-2024-27316). nghttp2 counts one whose header comes in pieces several times.
inline constexpr std::size_t max_continuations = 64;
/// Settings in one frame.
inline constexpr std::size_t max_settings = 32;

/// How many 1xx responses a client takes before the final one.
inline constexpr unsigned max_informational_responses = 32;

}  // namespace pabal::http2
