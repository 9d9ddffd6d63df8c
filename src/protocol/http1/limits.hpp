#pragma once
/// \file
/// Bounds on what a peer may make an HTTP/1.1 machine hold or do.

#include <cstddef>

namespace pabal::http1 {

/// Sizes are bytes. Each bound is cumulative: a head that arrives in tiny pieces meets it just the same.
struct limits {
    std::size_t max_start_line = 16 * 1024;
    std::size_t max_head = 64 * 1024;  ///< start line and all field lines
    std::size_t max_fields = 256;
    std::size_t max_trailers = 16 * 1024;
    std::size_t max_chunk_line = 1024;  ///< chunk size with its extensions (which are ignored)
};

/// How many 1xx responses a client takes before the final one. Servers send one or two; a server that never comes to
/// the point would keep the client busy for ever.
inline constexpr unsigned max_informational_responses = 32;

/// How many empty lines a server skips before a request line (RFC 9112 section 2.2 asks for one: old clients send a
/// CRLF after a body).
inline constexpr unsigned max_leading_empty_lines = 8;

/// Chunk extensions of a whole message may take this much plus one byte for each byte of content, so that nobody makes
/// us read a kilobyte for every byte.
inline constexpr std::size_t free_chunk_extension_bytes = 16 * 1024;

}  // namespace pabal::http1
