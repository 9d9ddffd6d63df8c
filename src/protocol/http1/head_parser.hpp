#pragma once
/// \file
/// The head of a message, or its trailers: bytes → start line and a table of fields (RFC 9112 sections 2.1, 3, 4, 5).
///
///     first_line ── line ──▶ field_lines ── empty line ──▶ complete
///         │                   │   ▲  │
///         └───────────────────┘   └──┘ line
///     any fault ──▶ failed
///
/// The owner presents its input from the first byte of the head, again and longer each time until the answer is not
/// `need_more`; nothing is copied meanwhile. Lines are judged as they become complete, and the parser remembers how far
/// it has looked: arrival byte by byte costs linear time and gives the same answers, to the letter, as arrival at once.
///
/// Lines end in CRLF. A bare CR, a bare LF, NUL or another control character is a fault wherever it stands; so are
/// obsolete line folding and white space before a colon (RFC 9112 sections 2.2, 5.1, 5.2).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <pabal/fields.hpp>
#include <pabal/message.hpp>

#include "protocol/http1/fault.hpp"
#include "protocol/http1/limits.hpp"

namespace pabal::http1 {

class head_parser {
public:
    enum class section : std::uint8_t { request, response, trailers };
    enum class outcome : std::uint8_t { need_more, complete, failed };

    /// Forgets everything but the capacity of the table.
    void begin(section parsed) noexcept;

    /// True once any byte was presented since `begin`.
    bool started() const noexcept { return scanned_ > 0; }

    outcome parse(std::string_view input, const limits& limits);

    // After `complete`; `input` is what was presented last.

    std::size_t size() const noexcept { return line_start_; }  ///< bytes of the head, with the empty line
    http_version version() const noexcept { return version_; }
    int status() const noexcept { return status_; }
    std::string_view reason(std::string_view input) const noexcept { return input.substr(second_at_, second_size_); }
    std::string_view method(std::string_view input) const noexcept { return input.substr(0, method_size_); }
    std::string_view target(std::string_view input) const noexcept { return input.substr(second_at_, second_size_); }

    /// The field lines as received, which the records index.
    std::string_view block(std::string_view input) const noexcept {
        return input.substr(block_at_, line_start_ - block_at_);
    }
    std::span<const fields::record> records() const noexcept { return records_; }

    /// After `failed`.
    fault& failure() noexcept { return failure_; }
    /// Of a request whose head is faulty: the size of its method if that much was understood, else 0.
    std::size_t method_size() const noexcept { return method_size_; }

private:
    outcome fail(error_code code, int status, std::string message);
    outcome malformed(std::string message) { return fail(error_code::malformed_message, 400, std::move(message)); }
    outcome too_large(const limits& limits);
    outcome wrong_line_end(const char* input, const char* at);
    outcome wrong_request_line(std::string_view line, std::size_t method_size, std::size_t target_end);
    outcome wrong_version(std::string_view text);
    outcome wrong_field_line(std::string_view line, std::size_t name_size);
    outcome not_a_response(std::string_view known);

    std::size_t end_of_window(const limits& limits) const noexcept;
    outcome parse_request_line(std::string_view line, const char* readable_end);
    outcome parse_status_line(std::string_view line);
    outcome parse_field_line(const char* begin, const char* end, const char* readable_end, const limits& limits);
    std::string at_byte(std::size_t offset) const;
    std::string_view name_of_section() const noexcept;

    std::size_t scanned_ = 0;     // no line ends before this offset, but at line_start_
    std::size_t line_start_ = 0;  // of the line being looked for
    std::size_t block_at_ = 0;
    std::size_t method_size_ = 0;
    std::size_t second_at_ = 0;  // target or reason
    std::size_t second_size_ = 0;
    int status_ = 0;
    section section_ = section::request;
    bool in_first_line_ = true;
    http_version version_ = http_version::http_1_1;
    std::vector<fields::record> records_;
    fault failure_;
};

}  // namespace pabal::http1
