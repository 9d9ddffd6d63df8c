#pragma once
/// \file
/// What a session and a single request can be told: timeouts, limits, redirects.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pabal {

/// How long a request may take, phase by phase. Every phase is finite by default; zero switches a limit off.
/// A failure names the phase whose limit ran out (`error::where`).
struct timeouts {
    /// From the start of the request to the last byte of the response, redirects and replays included; of a streamed
    /// response to its head (after that the read limit bounds every wait).
    std::chrono::milliseconds total{300'000};
    std::chrono::milliseconds pool{300'000};    ///< waiting because a connection limit was reached
    std::chrono::milliseconds resolve{10'000};  ///< name resolution
    std::chrono::milliseconds connect{10'000};  ///< TCP, all addresses together; and again, a tunnel through a proxy
    std::chrono::milliseconds tls{10'000};      ///< TLS handshake
    std::chrono::milliseconds write{60'000};    ///< the peer takes nothing
    std::chrono::milliseconds read{60'000};     ///< the peer sends nothing

    bool operator==(const timeouts&) const = default;
};

/// The versions of HTTP that a session may speak; at least one. Of HTTP/1.1 and HTTP/2 a server chooses when TLS begins (ALPN, RFC
/// 7301), and without TLS it is HTTP/1.1. Where HTTP/1.1 may not be, it is spoken without asking when there is no TLS (RFC 9113
/// section 3.3), and a TLS server that does not agree to it is `unsupported`.
struct http_versions {
    bool http_1_1 = true;
    bool http_2 = true;
    /// With others: used where an origin says that it can be had so (Alt-Svc, RFC 7838; HTTPS records, RFC 9460), raced with TCP.
    /// Alone: every request goes over QUIC to the origin's UDP port of the same number (RFC 9114 section 3.3.1). It is for https
    /// only, and goes through no proxy: alone, what asks for another way fails as `unsupported`.
    bool http_3 = true;

    bool operator==(const http_versions&) const = default;
};

/// Bounds of a session. All finite.
struct session_limits {
    std::size_t max_connections = 1000;
    std::size_t max_connections_per_host = 100;
    std::size_t max_idle_connections = 1000;
    std::chrono::milliseconds idle_timeout{60'000};
    /// Of silence on an HTTP/2 connection, after which its server is asked for a sign of life (PING); zero: only after an exchange
    /// ran out of time. Whoever gives none within 5 seconds is taken for dead.
    std::chrono::milliseconds ping_interval{0};
    /// Whether an HTTP/2 or HTTP/3 connection may serve other https origins as well, whose names lead to the same address and
    /// which its certificate covers (RFC 9113 section 9.1.1).
    bool coalesce = true;
    /// Bytes of one response body, after content codings are removed, that may be held in memory. What exceeds it fails with
    /// `body_too_large`, as soon as that is known: no more than one piece beyond it is decoded.
    std::uint64_t max_body = std::uint64_t{1} << 30;
    /// The same for bodies that are read as streams, which cost no memory of their own; unset: no bound.
    std::optional<std::uint64_t> max_streamed_body;
};

}  // namespace pabal
