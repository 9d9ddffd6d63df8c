#pragma once
/// \file
/// Bounds on what a peer may make an HTTP/3 machine hold or do. Those of QUIC, windows among them, are in protocol/quic/limits.hpp.

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
};

/// How many 1xx responses a client takes before the final one.
inline constexpr unsigned max_informational_responses = 32;

}  // namespace pabal::http3
