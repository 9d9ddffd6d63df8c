#pragma once
/// \file
/// Bounds on what a QUIC peer may make us hold, and for how long (RFC 9000 sections 4 and 10.1).

#include <chrono>
#include <cstdint>

namespace pabal::quic {

struct limits {
    /// Bytes of one stream that may be on the way or unread, at first; ngtcp2 lets it grow to `max_stream_window` for a reader
    /// who keeps up with a fast path.
    std::uint64_t stream_window = 1024 * 1024;
    std::uint64_t max_stream_window = 8 * 1024 * 1024;
    /// Of all streams together.
    std::uint64_t connection_window = 16 * 1024 * 1024;
    std::uint64_t max_connection_window = 32 * 1024 * 1024;
    /// Streams that the peer may have open at once. A client's: none, HTTP/3 has none that servers open (RFC 9114 section 6.1).
    std::uint64_t peer_streams = 0;
    /// Of one direction: HTTP/3 needs three, and extensions may use others (RFC 9114 section 6.2).
    std::uint64_t peer_one_way_streams = 16;
    /// Silence after which the connection is gone; the peer may want less.
    std::chrono::milliseconds idle{30'000};
    /// Time for the handshake; zero: whoever made the machine watches it.
    std::chrono::milliseconds handshake{0};
};

/// A server's, unless told otherwise: with all its streams a client makes it hold no more than 32 MiB of unread bodies. No window
/// grows there.
inline constexpr limits server_limits{.stream_window = 256 * 1024,
                                      .max_stream_window = 256 * 1024,
                                      .peer_streams = 128,
                                      .handshake = std::chrono::seconds(10)};

}  // namespace pabal::quic
