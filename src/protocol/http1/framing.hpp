#pragma once
/// \file
/// How long is the body? RFC 9112 section 6.3 as two pure functions, and the connection options beside it (section 9.3).
///
///     head_facts facts;                       one pass over the fields of a head
///     for (field) facts.note(field);
///     framing = frame_request(facts, version, method)  |  frame_response(facts, version, status, method)
///
/// Two parsers that answer the question differently are request smuggling, therefore nothing ambiguous is resolved:
/// every conflict is a fault with a name, also where RFC 9112 would permit a guess (identical repeated Content-Length,
/// Content-Length beside Transfer-Encoding). The only transfer coding is chunked.

#include <cstdint>
#include <optional>
#include <string_view>

#include <pabal/fields.hpp>
#include <pabal/message.hpp>

namespace pabal::http1 {

/// The methods that change how messages are framed.
enum class method_kind : std::uint8_t { other, head, connect };
method_kind kind_of_method(std::string_view method) noexcept;

/// What the fields of one head say about framing and the connection. Views point into the noted fields.
struct head_facts {
    unsigned content_length_lines = 0;
    unsigned transfer_encoding_lines = 0;
    unsigned host_lines = 0;
    std::string_view content_length;
    std::string_view transfer_encoding;
    std::string_view host;
    bool says_close = false;       ///< Connection: close
    bool says_keep_alive = false;  ///< Connection: keep-alive, which means something in HTTP/1.0 only
    bool has_upgrade = false;
    bool expects_continue = false;  ///< Expect: 100-continue

    void note(const fields::field& line) noexcept {
        switch (line.id) {
        case field_id::content_length: ++content_length_lines, content_length = line.value; break;
        case field_id::transfer_encoding: ++transfer_encoding_lines, transfer_encoding = line.value; break;
        case field_id::host: ++host_lines, host = line.value; break;
        case field_id::connection: note_connection_options(line.value); break;
        case field_id::upgrade: has_upgrade = true; break;
        case field_id::expect: note_expectations(line.value); break;
        default: break;
        }
    }

    /// Whether the connection outlives a message of that version (RFC 9112 section 9.3).
    bool persists(http_version version) const noexcept {
        return !says_close && (version != http_version::http_1_0 || says_keep_alive);
    }

private:
    void note_connection_options(std::string_view list) noexcept;
    void note_expectations(std::string_view list) noexcept;
};

enum class body_kind : std::uint8_t {
    none,         ///< no body whatever the fields say, or a request without framing fields
    sized,        ///< `size` bytes (may be 0)
    chunked,      ///< RFC 9112 section 7.1
    until_close,  ///< a response that ends with the connection
    tunnel,       ///< 2xx to CONNECT: what follows is not HTTP
};

enum class framing_fault : std::uint8_t {
    none,
    content_length_malformed,
    content_length_too_large,
    content_length_repeated,
    content_length_with_transfer_encoding,
    transfer_encoding_malformed,
    transfer_encoding_repeated,
    transfer_encoding_in_http_1_0,
    transfer_encoding_not_ending_in_chunked,
    chunked_repeated,
    chunked_with_parameters,
    transfer_coding_unsupported,
    body_in_connect,
};

struct framing {
    body_kind body = body_kind::none;
    framing_fault fault = framing_fault::none;
    std::uint64_t size = 0;
};

framing frame_request(const head_facts& facts, http_version version, method_kind method) noexcept;
framing frame_response(const head_facts& facts, http_version version, int status, method_kind request_method) noexcept;

/// True if a response of that status never has a body (RFC 9110 sections 15.2, 15.3.5, 15.4.5).
constexpr bool is_bodyless(int status) noexcept { return status < 200 || status == 204 || status == 304; }

/// 1*DIGIT up to 2^63 - 1. No sign, no white space, no separators.
std::optional<std::uint64_t> parse_content_length(std::string_view text) noexcept;

/// What is wrong, as the end of a sentence that begins with "the request" or "the response".
std::string_view explain(framing_fault fault) noexcept;
/// The status with which a server answers it (400, 413, 501).
int status_for(framing_fault fault) noexcept;

}  // namespace pabal::http1
