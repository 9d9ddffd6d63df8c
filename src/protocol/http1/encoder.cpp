#include "protocol/http1/encoder.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "protocol/http/scan.hpp"
#include "protocol/http/status.hpp"
#include "protocol/http/target.hpp"
#include "protocol/http1/fault.hpp"

namespace pabal::http1 {

namespace {

constexpr std::size_t most_decimal_digits = 20;
constexpr std::size_t most_hex_digits = 16;
constexpr std::string_view content_length_name = "Content-Length: ";
constexpr std::string_view chunked_line = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view connection_name = "Connection: ";

error callers_error(error_code code, std::string message) {
    return {code, phase::prepare, culprit::caller, 0, std::move(message)};
}

error invalid_header(std::string message) { return callers_error(error_code::invalid_header, std::move(message)); }

bool is_token(std::string_view text) noexcept {
    return !text.empty() &&
           http::scan::find_not_token(text.data(), text.data() + text.size()) == text.data() + text.size();
}

bool has_control(std::string_view text) noexcept {
    return http::scan::find_control(text.data(), text.data() + text.size()) != text.data() + text.size();
}

// --- Deciding. ---

/// The caller's own framing fields, judged.
struct callers_framing {
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
};

result<callers_framing> read_framing(const head_facts& facts) {
    callers_framing read;
    if (facts.content_length_lines > 1) return invalid_header("more than one Content-Length");
    if (facts.transfer_encoding_lines > 1) return invalid_header("more than one Transfer-Encoding");
    if (facts.content_length_lines > 0 && facts.transfer_encoding_lines > 0)
        return invalid_header("both Content-Length and Transfer-Encoding");
    if (facts.content_length_lines > 0) {
        read.content_length = parse_content_length(facts.content_length);
        if (!read.content_length) return invalid_header("malformed Content-Length " + excerpt(facts.content_length));
    }
    if (facts.transfer_encoding_lines > 0) {
        read.chunked = equals_ignoring_case(facts.transfer_encoding, "chunked");
        if (!read.chunked)
            return invalid_header("Transfer-Encoding other than chunked: " + excerpt(facts.transfer_encoding));
    }
    return read;
}

/// A body of `size` bytes, or of a size the caller's Content-Length tells, or chunked.
result<send_plan> plan_body(const callers_framing& given, std::optional<std::uint64_t> size) {
    if (given.content_length && size && *given.content_length != *size)
        return invalid_header("Content-Length is " + std::to_string(*given.content_length) + " but the body has " +
                              std::to_string(*size) + " bytes");
    send_plan plan;
    if (!size) size = given.content_length;
    if (size) {
        plan.body = body_kind::sized;
        plan.size = *size;
        plan.adds_content_length = !given.content_length;
        plan.drops_transfer_encoding = given.chunked;
    } else {
        plan.body = body_kind::chunked;
        plan.adds_chunked = !given.chunked;
    }
    return plan;
}

/// Methods whose absence of content is worth saying (RFC 9110 section 8.6).
bool anticipates_content(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

// --- Writing. ---

/// Writes into room made beforehand.
class writer {
public:
    explicit writer(char* at) noexcept : at_(at) {}
    void put(std::string_view text) noexcept {
        if (text.empty()) return;  // its data may be null, which memcpy must not be given
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }
    void put(char byte) noexcept { *at_++ = byte; }
    void put_number(std::uint64_t number) noexcept { at_ = std::to_chars(at_, at_ + most_decimal_digits, number).ptr; }
    char* at() const noexcept { return at_; }

private:
    char* at_;
};

std::size_t size_of_fields(const fields& lines) noexcept {
    constexpr std::size_t around = 4;  // ": " and CRLF
    std::size_t size = 0;
    for (const auto& line : lines) size += line.name.size() + line.value.size() + around;
    return size;
}

/// Room for everything a plan adds, and the empty line.
constexpr std::size_t most_added =
    content_length_name.size() + most_decimal_digits + 2 + chunked_line.size() + connection_name.size() + 16 + 2 + 2;

result<void> put_field(const fields::field& line, writer& out) {
    if (!is_token(line.name)) return invalid_header("invalid field name " + excerpt(line.name));
    if (has_control(line.value)) return invalid_header("control character in the value of " + std::string(line.name));
    out.put(line.name);
    out.put(": ");
    out.put(line.value);
    out.put("\r\n");
    return {};
}

result<void> put_fields(const fields& lines, const send_plan& plan, writer& out) {
    for (const auto& line : lines) {
        if (plan.drops_content_length && line.id == field_id::content_length) continue;
        if (plan.drops_transfer_encoding && line.id == field_id::transfer_encoding) continue;
        if (auto written = put_field(line, out); !written) return written;
    }
    if (plan.adds_content_length) {
        out.put(content_length_name);
        out.put_number(plan.size);
        out.put("\r\n");
    }
    if (plan.adds_chunked) out.put(chunked_line);
    if (!plan.added_connection.empty()) {
        out.put(connection_name);
        out.put(plan.added_connection);
        out.put("\r\n");
    }
    out.put("\r\n");
    return {};
}

/// Makes room for `most` bytes after `out`, lets `write` fill it, keeps what was written, or nothing after an error.
template <class Write>
result<void> append_with(std::string& out, std::size_t most, Write write) {
    const std::size_t before = out.size();
    out.resize(before + most);
    writer room(out.data() + before);
    result<void> written = write(room);
    out.resize(written ? static_cast<std::size_t>(room.at() - out.data()) : before);
    return written;
}

/// Of the fields the engine does not act on, those that are needed before the content, or not at all (RFC 9110 section 6.5.1).
constexpr std::array<std::string_view, 15> never_trailers{"age",
                                                          "cache-control",
                                                          "content-disposition",
                                                          "content-range",
                                                          "expires",
                                                          "if-match",
                                                          "if-modified-since",
                                                          "if-none-match",
                                                          "if-range",
                                                          "if-unmodified-since",
                                                          "max-forwards",
                                                          "pragma",
                                                          "range",
                                                          "vary",
                                                          "http2-settings"};

bool may_be_trailer(std::string_view name, field_id id) noexcept {
    switch (id) {
    case field_id::other:
        return std::ranges::none_of(never_trailers,
                                    [&](std::string_view each) { return equals_ignoring_case(each, name); });
    case field_id::accept:
    case field_id::accept_encoding:
    case field_id::date:
    case field_id::origin:
    case field_id::referer:
    case field_id::server:
    case field_id::user_agent: return true;
    default: return false;
    }
}

}  // namespace

result<send_plan> plan_request(const request_head& head, const head_facts& facts,
                               std::optional<std::uint64_t> body_size) {
    if (!is_token(head.method))
        return callers_error(error_code::invalid_argument, "invalid method " + excerpt(head.method));
    if (!head.protocol.empty())
        return callers_error(error_code::unsupported,
                             "HTTP/1.1 has no extended CONNECT; a protocol is asked for by Upgrade");
    if (const std::string_view defect = http::target_defect(head.method, head.target); !defect.empty())
        return callers_error(error_code::invalid_url, "the request target " + std::string(defect));
    const bool is_1_0 = head.version == http_version::http_1_0;
    if (facts.host_lines != 1 && (facts.host_lines > 1 || !is_1_0))
        return invalid_header(facts.host_lines > 1 ? "more than one Host" : "an HTTP/1.1 request needs Host");
    if (!http::is_authority(facts.host, true)) return invalid_header("invalid Host " + excerpt(facts.host));

    auto given = read_framing(facts);
    if (!given) return std::move(given).error();
    auto plan = plan_body(*given, body_size);
    if (!plan) return plan;
    plan->closes = !facts.persists(is_1_0 ? http_version::http_1_0 : http_version::http_1_1);
    if (plan->body == body_kind::sized && plan->size == 0) {
        plan->body = body_kind::none;
        plan->adds_content_length &= anticipates_content(head.method);
    }
    if (plan->body == body_kind::chunked && is_1_0)
        return callers_error(error_code::unsupported, "HTTP/1.0 has no chunked coding: the body's size must be known");
    if (plan->body != body_kind::none && (head.method == "CONNECT" || head.method == "TRACE"))
        return callers_error(error_code::invalid_argument, head.method + " has no body");
    return plan;
}

result<send_plan> plan_response(const response_head& head, const head_facts& facts,
                                std::optional<std::uint64_t> body_size, bool close, const answered_request& answered) {
    if (head.status < 100 || head.status > 999)
        return callers_error(error_code::invalid_argument, "invalid status " + std::to_string(head.status));
    if (has_control(head.reason)) return callers_error(error_code::invalid_argument, "control character in the reason");
    auto given = read_framing(facts);
    if (!given) return std::move(given).error();

    send_plan plan;
    const bool tunnels = head.status == 101 || (answered.method == method_kind::connect && head.status / 100 == 2);
    if (is_bodyless(head.status) || tunnels) {
        // 304 may say how long the body would have been; the others must not (RFC 9110 section 8.6).
        plan.drops_content_length = head.status != 304;
        plan.drops_transfer_encoding = true;
    } else if (answered.method == method_kind::head) {
        plan.size = body_size.value_or(0);
        plan.adds_content_length = !given->content_length && plan.size > 0;
        plan.drops_transfer_encoding = true;
    } else {
        auto body = plan_body(*given, body_size);
        if (!body) return body;
        plan = *body;
        if (plan.body == body_kind::chunked && answered.version == http_version::http_1_0) {
            plan.body = body_kind::until_close;
            plan.adds_chunked = false;
            plan.drops_transfer_encoding = true;
        }
    }
    if (tunnels || head.status < 200) return plan;
    // After a refused CONNECT the client may already have sent what is not HTTP.
    plan.closes = close || facts.says_close || !answered.persists || plan.body == body_kind::until_close ||
                  answered.method == method_kind::connect;
    if (plan.closes && !facts.says_close) plan.added_connection = "close";
    if (!plan.closes && answered.version == http_version::http_1_0 && !facts.says_keep_alive)
        plan.added_connection = "keep-alive";
    return plan;
}

result<void> append_request_head(const request_head& head, const send_plan& plan, std::string& out) {
    const std::size_t most = head.method.size() + head.target.size() + 12 + size_of_fields(head.headers) + most_added;
    return append_with(out, most, [&](writer& room) {
        room.put(head.method);
        room.put(' ');
        room.put(head.target);
        room.put(head.version == http_version::http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
        return put_fields(head.headers, plan, room);
    });
}

result<void> append_response_head(const response_head& head, const send_plan& plan, std::string& out) {
    // The version is what we speak, not what the request was (RFC 9110 section 6.2).
    constexpr std::string_view version = "HTTP/1.1 ";
    const std::string_view reason = head.reason.empty() ? http::standard_reason(head.status) : head.reason;
    const std::size_t most = version.size() + 8 + reason.size() + size_of_fields(head.headers) + most_added;
    return append_with(out, most, [&](writer& room) {
        room.put(version);
        room.put_number(static_cast<std::uint64_t>(head.status));
        room.put(' ');
        room.put(reason);
        room.put("\r\n");
        return put_fields(head.headers, plan, room);
    });
}

void append_chunk_size(std::uint64_t size, std::string& out) {
    char line[most_hex_digits + 2];
    char* end = std::to_chars(line, line + most_hex_digits, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    out.append(line, static_cast<std::size_t>(end - line));
}

result<void> check_trailers(const fields& trailers) {
    for (const auto& line : trailers) {
        if (!may_be_trailer(line.name, line.id)) return invalid_header(std::string(line.name) + " cannot be a trailer");
    }
    return {};
}

result<void> append_last_chunk(const fields* trailers, std::string& out) {
    constexpr std::string_view last = "0\r\n";
    if (trailers == nullptr || trailers->empty()) {
        out.append("0\r\n\r\n");
        return {};
    }
    if (auto checked = check_trailers(*trailers); !checked) return checked;
    return append_with(out, last.size() + size_of_fields(*trailers) + 2, [&](writer& room) {
        room.put(last);
        return put_fields(*trailers, send_plan{}, room);
    });
}

}  // namespace pabal::http1
