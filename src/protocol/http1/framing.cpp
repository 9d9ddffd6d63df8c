#include "protocol/http1/framing.hpp"

#include <array>
#include <cstddef>
#include <limits>

#include "protocol/http/scan.hpp"

namespace pabal::http1 {

namespace {

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && http::scan::is_blank(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && http::scan::is_blank(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return text;
}

/// Calls `visit` with each element of a comma-separated list (RFC 9110 section 5.6.1), empty ones too.
template <class Visitor>
void for_each_element(std::string_view list, Visitor visit) {
    for (;;) {
        const std::size_t comma = list.find(',');
        visit(trim(list.substr(0, comma)));
        if (comma == std::string_view::npos) return;
        list.remove_prefix(comma + 1);
    }
}

framing faulty(framing_fault fault) noexcept { return {body_kind::none, fault, 0}; }

/// Anything but exactly one "chunked" is a fault; which one is for the person who reads the message.
framing_fault judge_transfer_encoding(std::string_view value) noexcept {
    if (equals_ignoring_case(value, "chunked")) return framing_fault::none;
    bool has_empty = false, has_parameters = false, last_is_chunked = false;
    unsigned chunked = 0;
    for_each_element(value, [&](std::string_view coding) {
        const std::string_view name = trim(coding.substr(0, coding.find(';')));
        has_empty |= name.empty();
        last_is_chunked = equals_ignoring_case(name, "chunked");
        chunked += last_is_chunked;
        has_parameters |= last_is_chunked && name.size() != coding.size();
    });
    if (has_empty) return framing_fault::transfer_encoding_malformed;
    if (chunked > 1) return framing_fault::chunked_repeated;
    if (has_parameters) return framing_fault::chunked_with_parameters;
    if (!last_is_chunked) return framing_fault::transfer_encoding_not_ending_in_chunked;
    return framing_fault::transfer_coding_unsupported;
}

/// The rules that requests and responses share; `absent` is what a head without framing fields means.
framing frame(const head_facts& facts, http_version version, body_kind absent) noexcept {
    if (facts.transfer_encoding_lines > 0) {
        if (version == http_version::http_1_0) return faulty(framing_fault::transfer_encoding_in_http_1_0);
        if (facts.content_length_lines > 0) return faulty(framing_fault::content_length_with_transfer_encoding);
        if (facts.transfer_encoding_lines > 1) return faulty(framing_fault::transfer_encoding_repeated);
        const framing_fault fault = judge_transfer_encoding(facts.transfer_encoding);
        return fault == framing_fault::none ? framing{body_kind::chunked, fault, 0} : faulty(fault);
    }
    if (facts.content_length_lines == 0) return {absent, framing_fault::none, 0};
    if (facts.content_length_lines > 1) return faulty(framing_fault::content_length_repeated);
    if (const auto size = parse_content_length(facts.content_length))
        return {body_kind::sized, framing_fault::none, *size};
    const bool only_digits = facts.content_length.find_first_not_of("0123456789") == std::string_view::npos;
    if (only_digits && !facts.content_length.empty()) return faulty(framing_fault::content_length_too_large);
    const bool is_list = facts.content_length.find(',') != std::string_view::npos;
    return faulty(is_list ? framing_fault::content_length_repeated : framing_fault::content_length_malformed);
}

struct fault_row {
    std::string_view text;
    int status;
};

/// In the order of `framing_fault`.
constexpr std::array<fault_row, 13> fault_table{{
    {"is well framed", 400},
    {"has a malformed Content-Length", 400},
    {"has a Content-Length of more than 2^63 - 1", 413},
    {"has more than one Content-Length", 400},
    {"has both Content-Length and Transfer-Encoding", 400},
    {"has a malformed Transfer-Encoding", 400},
    {"has more than one Transfer-Encoding line", 400},
    {"has a Transfer-Encoding although it is HTTP/1.0", 400},
    {"has a Transfer-Encoding whose final coding is not chunked", 400},
    {"is chunked more than once", 400},
    {"has a chunked coding with parameters", 400},
    {"has a transfer coding other than chunked", 501},
    {"has a body although it is CONNECT", 400},
}};

}  // namespace

method_kind kind_of_method(std::string_view method) noexcept {
    if (method == "HEAD") return method_kind::head;
    if (method == "CONNECT") return method_kind::connect;
    return method_kind::other;
}

void head_facts::note_connection_options(std::string_view list) noexcept {
    for_each_element(list, [this](std::string_view option) {
        says_close |= equals_ignoring_case(option, "close");
        says_keep_alive |= equals_ignoring_case(option, "keep-alive");
    });
}

void head_facts::note_expectations(std::string_view list) noexcept {
    for_each_element(list, [this](std::string_view expectation) {
        expects_continue |= equals_ignoring_case(expectation, "100-continue");
    });
}

framing frame_request(const head_facts& facts, http_version version, method_kind method) noexcept {
    const framing framed = frame(facts, version, body_kind::none);
    const bool has_body = framed.body == body_kind::chunked || (framed.body == body_kind::sized && framed.size > 0);
    if (method == method_kind::connect && has_body) return faulty(framing_fault::body_in_connect);
    return framed;
}

framing frame_response(const head_facts& facts, http_version version, int status, method_kind request_method) noexcept {
    // Any 2xx opens the tunnel, 204 too (RFC 9110 section 9.3.6).
    if (request_method == method_kind::connect && status / 100 == 2) return {body_kind::tunnel, framing_fault::none, 0};
    if (is_bodyless(status) || request_method == method_kind::head) return {};
    return frame(facts, version, body_kind::until_close);
}

std::optional<std::uint64_t> parse_content_length(std::string_view text) noexcept {
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    if (text.empty()) return std::nullopt;
    std::uint64_t size = 0;
    for (const char character : text) {
        if (!http::scan::is_digit(static_cast<unsigned char>(character))) return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(character - '0');
        if (size > (largest - digit) / 10) return std::nullopt;
        size = size * 10 + digit;
    }
    return size;
}

std::string_view explain(framing_fault fault) noexcept { return fault_table[static_cast<std::size_t>(fault)].text; }

int status_for(framing_fault fault) noexcept { return fault_table[static_cast<std::size_t>(fault)].status; }

}  // namespace pabal::http1
