#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http1/encoder.hpp"

namespace pabal::http1 {
namespace {

using namespace std::string_literals;
using lines = std::vector<std::pair<std::string, std::string>>;
using size_or_unknown = std::optional<std::uint64_t>;

constexpr std::uint64_t largest = 9'223'372'036'854'775'807;
constexpr size_or_unknown unknown = std::nullopt;
constexpr auto v10 = http_version::http_1_0;
constexpr auto v11 = http_version::http_1_1;

fields make_fields(const lines& all) {
    fields made;
    // Not `append`, which refuses bad lines: what is shown here must not depend on who made the fields.
    for (const auto& [name, value] : all) made.append_valid(name, value);
    return made;
}

head_facts facts_of(const fields& headers) {
    head_facts facts;
    for (const auto& line : headers) facts.note(line);
    return facts;
}

request_head make_request(std::string method, std::string target, const lines& headers, http_version version = v11) {
    return {std::move(method), std::move(target), version, make_fields(headers)};
}

response_head make_response(int status, const lines& headers, std::string reason = "") {
    return {status, v11, std::move(reason), make_fields(headers)};
}

/// The head on the wire, or the error in angle brackets. Nothing may be written beside an error.
std::string write(const request_head& head, size_or_unknown size) {
    std::string out = "before|";
    const auto plan = plan_request(head, facts_of(head.headers), size);
    const auto written = plan ? append_request_head(head, *plan, out) : result<void>(plan.error());
    EXPECT_TRUE(out.starts_with("before|"));
    if (written) return out.substr(7);
    EXPECT_EQ(out, "before|");
    EXPECT_EQ(written.error().whose, culprit::caller);
    EXPECT_EQ(written.error().message.find_first_of("\r\n"), std::string::npos);
    return "<" + std::string(name_of(written.error().code)) + ": " + written.error().message + ">";
}

std::string write(const response_head& head, size_or_unknown size, bool close = false,
                  const answered_request& answered = {}) {
    std::string out = "before|";
    const auto plan = plan_response(head, facts_of(head.headers), size, close, answered);
    const auto written = plan ? append_response_head(head, *plan, out) : result<void>(plan.error());
    EXPECT_TRUE(out.starts_with("before|"));
    if (written) return out.substr(7);
    EXPECT_EQ(out, "before|");
    EXPECT_EQ(written.error().whose, culprit::caller);
    return "<" + std::string(name_of(written.error().code)) + ": " + written.error().message + ">";
}

TEST(append_request_head, keeps_order_and_spelling) {
    EXPECT_EQ(
        write(make_request("GET", "/a?b", {{"hOST", "h"}, {"X-One", "1"}, {"x-one", ""}, {"T", "\x80\t\xff"}}), 0),
        "GET /a?b HTTP/1.1\r\nhOST: h\r\nX-One: 1\r\nx-one: \r\nT: \x80\t\xff\r\n\r\n");
    EXPECT_EQ(write(make_request("GET", "/", {}, v10), 0), "GET / HTTP/1.0\r\n\r\n");
}

TEST(append_request_head, adds_the_framing_that_is_missing) {
    struct {
        const char* method;
        lines given;
        size_or_unknown size;
        std::string added;  ///< after the caller's lines
    } const cases[] = {
        {"GET", {}, 0, ""},
        {"DELETE", {}, 0, ""},
        {"POST", {}, 0, "Content-Length: 0\r\n"},  // RFC 9110 section 8.6
        {"PUT", {}, 0, "Content-Length: 0\r\n"},
        {"PATCH", {}, 0, "Content-Length: 0\r\n"},
        {"GET", {}, 5, "Content-Length: 5\r\n"},
        {"POST", {}, largest, "Content-Length: 9223372036854775807\r\n"},
        {"POST", {}, unknown, "Transfer-Encoding: chunked\r\n"},
        {"POST", {{"Content-Length", "5"}}, 5, ""},
        {"POST", {{"Content-Length", "0"}}, 0, ""},
        {"POST", {{"Content-Length", "5"}}, unknown, ""},
        {"POST", {{"Content-Length", "0"}}, unknown, ""},
        {"POST", {{"transfer-encoding", "Chunked"}}, unknown, ""},
    };
    for (const auto& [method, given, size, added] : cases) {
        std::string expected = std::string(method) + " / HTTP/1.1\r\nHost: h\r\n";
        lines headers{{"Host", "h"}};
        for (const auto& line : given) {
            headers.push_back(line);
            expected += line.first + ": " + line.second + "\r\n";
        }
        EXPECT_EQ(write(make_request(method, "/", headers), size), expected + added + "\r\n");
    }
}

TEST(append_request_head, prefers_a_known_size_to_the_callers_chunked) {
    EXPECT_EQ(write(make_request("POST", "/", {{"Transfer-Encoding", "chunked"}, {"Host", "h"}}), 5),
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(write(make_request("GET", "/", {{"Host", "h"}, {"Transfer-Encoding", "chunked"}}), 0),
              "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(append_request_head, refuses_what_would_corrupt_the_stream) {
    const lines host{{"Host", "h"}};
    const auto with = [&](std::string name, std::string value) {
        return make_request("POST", "/", {{"Host", "h"}, {std::move(name), std::move(value)}});
    };
    request_head websocket = make_request("CONNECT", "/chat", host);
    websocket.protocol = "websocket";
    struct {
        request_head head;
        size_or_unknown size;
        std::string error;
    } const cases[] = {
        {make_request("", "/", host), 0, "<invalid_argument: invalid method \"\">"},
        {make_request("GET /x HTTP/1.1\r\nA:", "/", host), 0, "<invalid_argument: invalid method "},
        {make_request("GE T", "/", host), 0, "<invalid_argument: invalid method "},
        {make_request("GET\0"s, "/", host), 0, "<invalid_argument: invalid method "},
        {make_request("G\xc3\x89T", "/", host), 0, "<invalid_argument: invalid method "},
        {make_request("GET", "", host), 0, "<invalid_url: the request target is empty>"},
        {make_request("GET", "/ HTTP/1.1\r\nA: b", host), 0, "<invalid_url: "},
        {make_request("GET", "/\n", host), 0, "<invalid_url: "},
        {make_request("GET", "/a b", host), 0, "<invalid_url: "},
        {make_request("GET", "/#f", host), 0, "<invalid_url: "},
        {make_request("GET", "/\xc3\xa9", host), 0, "<invalid_url: "},
        {make_request("GET", "*", host), 0, "<invalid_url: "},
        {make_request("CONNECT", "/", host), 0, "<invalid_url: "},
        {websocket, 0, "<unsupported: HTTP/1.1 has no extended CONNECT"},
        {make_request("GET", "/", {}), 0, "<invalid_header: an HTTP/1.1 request needs Host>"},
        {make_request("GET", "/", {{"Host", "a"}, {"host", "a"}}), 0, "<invalid_header: more than one Host>"},
        {make_request("GET", "/", {{"Host", "a"}, {"host", "b"}}, v10), 0, "<invalid_header: more than one Host>"},
        {make_request("GET", "/", {{"Host", "a/b?c#"}}), 0, "<invalid_header: invalid Host \"a/b?c#\">"},
        {make_request("GET", "/", {{"Host", "u@h"}}), 0, "<invalid_header: invalid Host \"u@h\">"},
        {with("X", "v\r\nInjected: yes"), 0, "<invalid_header: control character in the value of X>"},
        {with("X", "v\n"), 0, "<invalid_header: control character in the value of X>"},
        {with("X", "v\rw"), 0, "<invalid_header: control character in the value of X>"},
        {with("X", "v\0w"s), 0, "<invalid_header: control character in the value of X>"},
        {with("X", "v\x7f"), 0, "<invalid_header: control character in the value of X>"},
        {with("", "v"), 0, "<invalid_header: invalid field name \"\">"},
        {with("X y", "v"), 0, "<invalid_header: invalid field name \"X y\">"},
        {with("X:", "v"), 0, "<invalid_header: invalid field name \"X:\">"},
        {with("X\r\nY", "v"), 0, "<invalid_header: invalid field name \"X\\x0d\\x0aY\">"},
        {with("\xc3\xa9", "v"), 0, "<invalid_header: invalid field name \"\\xc3\\xa9\">"},
        {with("Content-Length", "6"), 5, "<invalid_header: Content-Length is 6 but the body has 5 bytes>"},
        {with("Content-Length", "6"), 0, "<invalid_header: Content-Length is 6 but the body has 0 bytes>"},
        {with("Content-Length", "+5"), 5, "<invalid_header: malformed Content-Length \"+5\">"},
        {with("Content-Length", "-1"), unknown, "<invalid_header: malformed Content-Length \"-1\">"},
        {with("Content-Length", "1_0"), unknown, "<invalid_header: malformed Content-Length \"1_0\">"},
        {with("Content-Length", "5, 5"), 5, "<invalid_header: malformed Content-Length \"5, 5\">"},
        {with("Content-Length", ""), unknown, "<invalid_header: malformed Content-Length \"\">"},
        {with("Content-Length", "9223372036854775808"), unknown, "<invalid_header: malformed Content-Length "},
        {with("Transfer-Encoding", "gzip"), unknown, "<invalid_header: Transfer-Encoding other than chunked: "},
        {with("Transfer-Encoding", "xchunked"), 5, "<invalid_header: Transfer-Encoding other than chunked: "},
        {with("Transfer-Encoding", "gzip, chunked"), 5, "<invalid_header: Transfer-Encoding other than chunked: "},
        {with("Transfer-Encoding", ""), 0, "<invalid_header: Transfer-Encoding other than chunked: "},
        {make_request("POST", "/", {{"Host", "h"}, {"Content-Length", "5"}, {"Content-Length", "5"}}), 5,
         "<invalid_header: more than one Content-Length>"},
        {make_request("POST", "/", {{"Host", "h"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}),
         5, "<invalid_header: more than one Transfer-Encoding>"},
        {make_request("POST", "/", {{"Host", "h"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}), 5,
         "<invalid_header: both Content-Length and Transfer-Encoding>"},
        {make_request("POST", "/", host, v10), unknown, "<unsupported: HTTP/1.0 has no chunked coding"},
        {make_request("CONNECT", "h:1", host), 5, "<invalid_argument: CONNECT has no body>"},
        {make_request("TRACE", "/", host), unknown, "<invalid_argument: TRACE has no body>"},
    };
    for (const auto& [head, size, error] : cases) {
        const std::string written = write(head, size);
        EXPECT_TRUE(written.starts_with(error)) << written << " instead of " << error;
    }
}

TEST(append_request_head, judges_every_byte_of_a_field) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const std::string text = "a" + std::string(1, static_cast<char>(byte)) + "b";
        const bool in_name = is_field_name(text);
        const bool in_value = is_field_value(text);
        EXPECT_EQ(write(make_request("GET", "/", {{"Host", "h"}, {text, "v"}}), 0).front() == 'G', in_name) << byte;
        EXPECT_EQ(write(make_request("GET", "/", {{"Host", "h"}, {"n", text}}), 0).front() == 'G', in_value) << byte;
    }
}

TEST(append_request_head, shows_no_value_in_an_error) {
    const std::string error = write(make_request("GET", "/", {{"Host", "h"}, {"Authorization", "secret\n"}}), 0);
    EXPECT_EQ(error.find("secret"), std::string::npos) << error;
}

TEST(plan_request, says_whether_the_connection_outlives_it) {
    struct {
        http_version version;
        lines headers;
        bool closes;
    } const cases[] = {
        {v11, {{"Host", "h"}}, false},
        {v11, {{"Host", "h"}, {"Connection", "close"}}, true},
        {v10, {}, true},
        {v10, {{"Connection", "keep-alive"}}, false},
        {http_version::http_2, {{"Host", "h"}}, false},  // goes out as HTTP/1.1
    };
    for (const auto& [version, headers, closes] : cases) {
        const auto head = make_request("GET", "/", headers, version);
        EXPECT_EQ(plan_request(head, facts_of(head.headers), 0)->closes, closes);
    }
}

TEST(append_response_head, frames_by_the_request_and_the_status) {
    const answered_request get;
    const answered_request get_1_0{method_kind::other, v10, false};
    const answered_request get_1_0_kept{method_kind::other, v10, true};
    const answered_request head{method_kind::head, v11, true};
    const answered_request connect{method_kind::connect, v11, true};
    struct {
        int status;
        lines given;
        size_or_unknown size;
        answered_request answered;
        std::string expected;  ///< after the status line
    } const cases[] = {
        {200, {}, 0, get, "Content-Length: 0\r\n"},
        {200, {}, 5, get, "Content-Length: 5\r\n"},
        {200, {}, unknown, get, "Transfer-Encoding: chunked\r\n"},
        {200, {{"content-length", "5"}}, 5, get, "content-length: 5\r\n"},
        {200, {{"Content-Length", "5"}}, unknown, get, "Content-Length: 5\r\n"},
        {200, {{"Transfer-Encoding", "chunked"}}, unknown, get, "Transfer-Encoding: chunked\r\n"},
        {200, {{"Transfer-Encoding", "chunked"}}, 5, get, "Content-Length: 5\r\n"},
        // HTTP/1.0: no chunks; the end of the connection is the end of the body.
        {200, {}, 5, get_1_0, "Content-Length: 5\r\nConnection: close\r\n"},
        {200, {}, 5, get_1_0_kept, "Content-Length: 5\r\nConnection: keep-alive\r\n"},
        {200, {{"Connection", "keep-alive"}}, 5, get_1_0_kept, "Connection: keep-alive\r\nContent-Length: 5\r\n"},
        {200, {}, unknown, get_1_0_kept, "Connection: close\r\n"},
        {200, {{"Transfer-Encoding", "chunked"}}, unknown, get_1_0, "Connection: close\r\n"},
        // No content, but HEAD and 304 tell the size there would have been (RFC 9110 section 8.6).
        {200, {}, 5, head, "Content-Length: 5\r\n"},
        {200, {}, 0, head, ""},
        {200, {}, unknown, head, ""},
        {200, {{"Content-Length", "7"}}, 0, head, "Content-Length: 7\r\n"},
        {200, {{"Transfer-Encoding", "chunked"}}, unknown, head, ""},
        {304, {{"Content-Length", "7"}}, 0, get, "Content-Length: 7\r\n"},
        {304, {}, unknown, get, ""},
        {304, {{"Transfer-Encoding", "chunked"}}, unknown, get, ""},
        {204, {{"Content-Length", "0"}}, 0, get, ""},
        {204, {{"Transfer-Encoding", "chunked"}}, unknown, get, ""},
        {103, {{"Link", "</a>"}, {"Content-Length", "0"}}, 0, get, "Link: </a>\r\n"},
        {101, {{"Upgrade", "x"}, {"Content-Length", "0"}}, 0, get, "Upgrade: x\r\n"},
        {200, {{"Content-Length", "5"}}, 0, connect, ""},
        {204, {}, unknown, connect, ""},
        {407, {}, 5, connect, "Content-Length: 5\r\nConnection: close\r\n"},
        {205, {}, 0, get, "Content-Length: 0\r\n"},
    };
    for (const auto& [status, given, size, answered, expected] : cases) {
        const std::string written = write(make_response(status, given, "R"), size, false, answered);
        EXPECT_EQ(written, "HTTP/1.1 " + std::to_string(status) + " R\r\n" + expected + "\r\n");
    }
}

TEST(append_response_head, says_close_once) {
    EXPECT_EQ(write(make_response(200, {}), 0, true),
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(write(make_response(200, {{"Connection", "close"}}), 0, true),
              "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(write(make_response(200, {{"Connection", "x"}}), 0, true),
              "HTTP/1.1 200 OK\r\nConnection: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const answered_request closing{method_kind::other, v11, false};
    EXPECT_EQ(write(make_response(200, {}), 0, false, closing),
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const auto said = make_response(200, {{"Connection", "close"}});
    EXPECT_TRUE(plan_response(said, facts_of(said.headers), 0, false, {})->closes);
}

TEST(append_response_head, refuses_what_would_corrupt_the_stream) {
    struct {
        response_head head;
        size_or_unknown size;
        std::string error;
    } const cases[] = {
        {make_response(99, {}), 0, "<invalid_argument: invalid status 99>"},
        {make_response(1000, {}), 0, "<invalid_argument: invalid status 1000>"},
        {make_response(-1, {}), 0, "<invalid_argument: invalid status -1>"},
        {make_response(200, {}, "OK\r\nSet-Cookie: a"), 0, "<invalid_argument: control character in the reason>"},
        {make_response(200, {}, "O\nK"), 0, "<invalid_argument: control character in the reason>"},
        {make_response(200, {}, "O\0K"s), 0, "<invalid_argument: control character in the reason>"},
        {make_response(200, {{"X", "a\r\nb"}}), 0, "<invalid_header: control character in the value of X>"},
        {make_response(200, {{"X\n", "a"}}), 0, "<invalid_header: invalid field name \"X\\x0a\">"},
        {make_response(200, {{"Content-Length", "4"}}), 5, "<invalid_header: Content-Length is 4 but the body has 5"},
        {make_response(200, {{"Content-Length", "4"}, {"Transfer-Encoding", "chunked"}}), 4,
         "<invalid_header: both Content-Length and Transfer-Encoding>"},
        {make_response(204, {{"Content-Length", "x"}}), 0, "<invalid_header: malformed Content-Length \"x\">"},
        {make_response(200, {{"Transfer-Encoding", "gzip"}}), 4, "<invalid_header: Transfer-Encoding other than"},
    };
    for (const auto& [head, size, error] : cases) {
        const std::string written = write(head, size);
        EXPECT_TRUE(written.starts_with(error)) << written << " instead of " << error;
    }
}

TEST(append_response_head, fills_in_the_standard_reason) {
    EXPECT_EQ(write(make_response(404, {}), 0), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(write(make_response(299, {}), 0), "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(write(make_response(200, {}, "F\xc3\xbcr dich"), 0),
              "HTTP/1.1 200 F\xc3\xbcr dich\r\nContent-Length: 0\r\n\r\n");
}

TEST(append_chunk_size, is_hexadecimal) {
    const std::pair<std::uint64_t, const char*> cases[] = {
        {1, "1\r\n"},
        {10, "a\r\n"},
        {255, "ff\r\n"},
        {4096, "1000\r\n"},
        {largest, "7fffffffffffffff\r\n"},
        {UINT64_MAX, "ffffffffffffffff\r\n"},
    };
    for (const auto& [size, expected] : cases) {
        std::string out;
        append_chunk_size(size, out);
        EXPECT_EQ(out, expected);
    }
}

TEST(append_last_chunk, carries_trailers) {
    std::string out;
    EXPECT_TRUE(append_last_chunk(nullptr, out));
    EXPECT_EQ(out, "0\r\n\r\n");
    const fields none;
    EXPECT_TRUE(append_last_chunk(&none, out = ""));
    EXPECT_EQ(out, "0\r\n\r\n");
    const fields some = make_fields({{"X-Digest", "abc"}, {"Date", "now"}});
    EXPECT_TRUE(append_last_chunk(&some, out = "x"));
    EXPECT_EQ(out, "x0\r\nX-Digest: abc\r\nDate: now\r\n\r\n");
}

TEST(append_last_chunk, refuses_fields_that_cannot_be_trailers) {
    // RFC 9110 section 6.5.1: framing, routing, authentication, content.
    for (const auto* name : {"Content-Length",
                             "Transfer-Encoding",
                             "Host",
                             "Connection",
                             "Authorization",
                             "Proxy-Authorization",
                             "Cookie",
                             "Set-Cookie",
                             "Content-Encoding",
                             "Content-Type",
                             "TE",
                             "Trailer",
                             "Upgrade",
                             "Expect",
                             "Location",
                             "WWW-Authenticate",
                             "Proxy-Authenticate",
                             "Retry-After",
                             "Keep-Alive",
                             "cache-control",
                             "Range",
                             "If-None-Match",
                             "Max-Forwards",
                             "Proxy-Connection"}) {
        const fields trailers = make_fields({{"X", "y"}, {name, "1"}});
        std::string out = "x";
        const auto written = append_last_chunk(&trailers, out);
        ASSERT_FALSE(written) << name;
        EXPECT_EQ(written.error().code, error_code::invalid_header);
        EXPECT_EQ(written.error().message, std::string(name) + " cannot be a trailer");
        EXPECT_EQ(out, "x");
    }
    const fields corrupting = make_fields({{"X", "y\r\nZ: injected"}});
    std::string out = "x";
    EXPECT_FALSE(append_last_chunk(&corrupting, out));
    EXPECT_EQ(out, "x");
}

}  // namespace
}  // namespace pabal::http1
