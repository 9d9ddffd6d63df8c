#pragma once
/// \file
/// Writing heads, chunks and trailers (RFC 9112 sections 3, 4, 5, 7), and deciding how a message we send is framed.
///
/// Decide, then write: `plan_request` and `plan_response` are pure functions from what the caller asked to a `send_plan`;
/// `append_*` carry it out. The caller's fields keep their order and spelling; what the framing needs and the caller left
/// out follows them. Nothing that could corrupt the stream is written: a caller's mistake is an error, and then `out` is
/// as it was.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <pabal/message.hpp>
#include <pabal/result.hpp>

#include "protocol/http1/framing.hpp"

namespace pabal::http1 {

struct send_plan {
    body_kind body = body_kind::none;
    std::uint64_t size = 0;  ///< of a sized body, or as Content-Length of an absent one (HEAD)
    bool adds_content_length = false;
    bool adds_chunked = false;
    bool drops_content_length = false;     ///< the caller's line must not go on the wire
    bool drops_transfer_encoding = false;  ///< likewise
    bool closes = false;                   ///< the connection does not outlive this message
    std::string_view added_connection;     ///< an option for a Connection line of our own, or empty
};

/// What a server knows of the request it answers.
struct answered_request {
    method_kind method = method_kind::other;
    http_version version = http_version::http_1_1;
    bool persists = true;  ///< by its own Connection options; false also when it could not be understood
};

/// `body_size`: 0 none, nullopt unknown. A Content-Length of the caller's stands in for an unknown size and must not
/// contradict a known one; with a known size the caller's `Transfer-Encoding: chunked` yields to Content-Length.
result<send_plan> plan_request(const request_head& head, const head_facts& facts,
                               std::optional<std::uint64_t> body_size);
result<send_plan> plan_response(const response_head& head, const head_facts& facts,
                                std::optional<std::uint64_t> body_size, bool close, const answered_request& answered);

result<void> append_request_head(const request_head& head, const send_plan& plan, std::string& out);
result<void> append_response_head(const response_head& head, const send_plan& plan, std::string& out);
/// The line before `size` bytes of chunk data.
void append_chunk_size(std::uint64_t size, std::string& out);
/// Fields that frame, route, authenticate, modify a request, or say how to read the content cannot be trailers (RFC 9110
/// section 6.5.1): invalid_header, the caller's fault.
result<void> check_trailers(const fields& trailers);
/// The last chunk and what follows it; the trailers are checked.
result<void> append_last_chunk(const fields* trailers, std::string& out);

}  // namespace pabal::http1
