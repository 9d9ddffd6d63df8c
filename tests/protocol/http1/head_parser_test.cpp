#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http1/head_parser.hpp"

namespace pabal::http1 {
namespace {

using namespace std::string_literals;
using outcome = head_parser::outcome;
using section = head_parser::section;

/// Everything a parser says about an input.
struct parsed {
    outcome ended = outcome::need_more;
    std::string start;  ///< the parts of the start line, with bars between them
    std::vector<std::string> lines;
    std::size_t size = 0;
    error_code code{};
    int status = 0;
    std::string message;

    bool operator==(const parsed&) const = default;
};

std::ostream& operator<<(std::ostream& out, const parsed& shown) {
    out << "outcome " << static_cast<int>(shown.ended) << ", start " << shown.start << ", size " << shown.size << "\n";
    for (const auto& line : shown.lines) out << line << "\n";
    return out << shown.status << " " << shown.message;
}

parsed describe(head_parser& parser, section what, outcome ended, std::string_view input) {
    parsed all;
    all.ended = ended;
    if (ended == outcome::failed) {
        all.code = parser.failure().code;
        all.status = parser.failure().status;
        all.message = parser.failure().message;
    }
    if (ended != outcome::complete) return all;
    const std::string version = parser.version() == http_version::http_1_0 ? "1.0" : "1.1";
    if (what == section::request)
        all.start = std::string(parser.method(input)) + "|" + std::string(parser.target(input)) + "|" + version;
    if (what == section::response)
        all.start = version + "|" + std::to_string(parser.status()) + "|" + std::string(parser.reason(input));
    all.size = parser.size();
    fields headers;
    headers.assign_block(parser.block(input), parser.records().data(), parser.records().size());
    for (const auto& line : headers) {
        all.lines.push_back(std::string(line.name) + ": " + std::string(line.value));
        EXPECT_EQ(line.id, id_of(line.name));
    }
    return all;
}

/// Presents `first` bytes, then more by `piece_size` until there is an answer. What is presented ends where its memory
/// ends, for the address sanitizer.
parsed parse(std::string_view input, section what, std::size_t first, std::size_t piece_size,
             const limits& bounds = {}) {
    head_parser parser;
    parser.begin(what);
    for (std::size_t size = first;; size += piece_size) {
        const std::vector<char> bytes(input.begin(),
                                      input.begin() + static_cast<std::ptrdiff_t>(std::min(size, input.size())));
        const std::string_view presented(bytes.data(), bytes.size());
        const outcome ended = parser.parse(presented, bounds);
        if (ended != outcome::need_more || size >= input.size()) return describe(parser, what, ended, presented);
    }
}

/// The answer, after checking that it is the same however the input arrives: whole, byte by byte, cut in two anywhere.
parsed parse(std::string_view input, section what, const limits& bounds = {}) {
    const parsed whole = parse(input, what, input.size(), 1, bounds);
    EXPECT_EQ(parse(input, what, 1, 1, bounds), whole) << "byte by byte: " << input;
    for (std::size_t at = 0; at < input.size(); ++at)
        EXPECT_EQ(parse(input, what, at, input.size(), bounds), whole) << "cut at " << at << ": " << input;
    return whole;
}

constexpr section all_sections[] = {section::request, section::response, section::trailers};

/// A start line of that section; trailers have none.
std::string start_of(section what) {
    if (what == section::request) return "GET / HTTP/1.1\r\n";
    return what == section::response ? "HTTP/1.1 200 OK\r\n" : "";
}

TEST(head_parser, reads_request_lines) {
    struct {
        std::string line, start;
    } const cases[] = {
        {"GET / HTTP/1.1", "GET|/|1.1"},
        {"GET / HTTP/1.0", "GET|/|1.0"},
        {"OPTIONS * HTTP/1.1", "OPTIONS|*|1.1"},
        {"CONNECT example.com:443 HTTP/1.1", "CONNECT|example.com:443|1.1"},
        {"POST http://example.com/a?b HTTP/1.1", "POST|http://example.com/a?b|1.1"},
        {"!#$%&'*+-.^_`|~0a /%00?{|}\"<>^`\\ HTTP/1.1", "!#$%&'*+-.^_`|~0a|/%00?{|}\"<>^`\\|1.1"},
    };
    for (const auto& [line, start] : cases) {
        const parsed head = parse(line + "\r\n\r\n", section::request);
        EXPECT_EQ(head.ended, outcome::complete) << head.message;
        EXPECT_EQ(head.start, start);
        EXPECT_EQ(head.size, line.size() + 4);
        EXPECT_TRUE(head.lines.empty());
    }
}

TEST(head_parser, reads_status_lines) {
    struct {
        std::string line, start;
    } const cases[] = {
        {"HTTP/1.1 200 OK", "1.1|200|OK"},
        {"HTTP/1.0 404 Not  Found ", "1.0|404|Not  Found "},
        {"HTTP/1.1 200 ", "1.1|200|"},
        {"HTTP/1.1 200", "1.1|200|"},  // the space is required, its absence harmless
        {"HTTP/1.1 100 \t\x80\xff", "1.1|100|\t\x80\xff"},
        {"HTTP/1.1 999 ?", "1.1|999|?"},
    };
    for (const auto& [line, start] : cases) {
        const parsed head = parse(line + "\r\n\r\n", section::response);
        EXPECT_EQ(head.ended, outcome::complete) << head.message;
        EXPECT_EQ(head.start, start);
    }
}

TEST(head_parser, reads_field_lines) {
    const std::string lines =
        "Host: a\r\nX:1\r\nx:  \t 2 3\t \r\nEmpty:\r\nBlank: \t\r\n!#$%&'*+-.^_`|~: :;\r\nT: \x80\xff\"\ty\r\n";
    for (const section what : all_sections) {
        const parsed head = parse(start_of(what) + lines + "\r\nGET /next", what);
        EXPECT_EQ(head.ended, outcome::complete) << head.message;
        EXPECT_EQ(head.lines, (std::vector<std::string>{"Host: a", "X: 1", "x: 2 3", "Empty: ", "Blank: ",
                                                        "!#$%&'*+-.^_`|~: :;", "T: \x80\xff\"\ty"}));
        EXPECT_EQ(head.size, start_of(what).size() + lines.size() + 2);
    }
}

TEST(head_parser, refuses_request_lines) {
    struct {
        std::string line, message;
        int status = 400;
    } const cases[] = {
        {"", "the request line does not begin with a method"},
        {" GET / HTTP/1.1", "the request line does not begin with a method"},
        {"\tGET / HTTP/1.1", "the request line does not begin with a method"},
        {"{} / HTTP/1.1", "the request line does not begin with a method"},
        {"\xff / HTTP/1.1", "the request line does not begin with a method"},
        {"GET", "the request line ends after \"GET\""},
        {"GET\t/ HTTP/1.1", "invalid byte 0x09 after \"GET\" in the request line"},
        {"GE(T / HTTP/1.1", "invalid byte '(' after \"GE\" in the request line"},
        {"GET  / HTTP/1.1", "the request line has no target after \"GET\""},
        {"GET ", "the request line has no target after \"GET\""},
        {"GET /", "the request line has no HTTP version"},
        {"GET /\tHTTP/1.1", "invalid byte 0x09 in the request target at byte 5 of the request head"},
        {"GET /#a HTTP/1.1", "invalid byte '#' in the request target at byte 5 of the request head"},
        {"GET /\xc3\xa9 HTTP/1.1", "invalid byte 0xc3 in the request target at byte 5 of the request head"},
        {"GET a HTTP/1.1", "the request target is neither a path nor an absolute URI"},
        {"GET http://u@h/ HTTP/1.1", "the request target is neither a path nor an absolute URI"},
        {"CONNECT / HTTP/1.1", "the request target of CONNECT is not host:port"},
        {"GET / ", "the request line has no valid HTTP version: \"\""},
        {"GET /  HTTP/1.1", "the request line has no valid HTTP version: \" HTTP/1.1\""},
        {"GET / HTTP/1.1 ", "the request line has no valid HTTP version: \"HTTP/1.1 \""},
        {"GET / a HTTP/1.1", "the request line has no valid HTTP version: \"a HTTP/1.1\""},
        {"GET / http/1.1", "the request line has no valid HTTP version: \"http/1.1\""},
        {"GET / HTTP/1.", "the request line has no valid HTTP version: \"HTTP/1.\""},
        {"GET / HTTP/11", "the request line has no valid HTTP version: \"HTTP/11\""},
        {"GET / HTTP/1.10", "the request line has no valid HTTP version: \"HTTP/1.10\""},
        {"GET / HTTP/1,1", "the request line has no valid HTTP version: \"HTTP/1,1\""},
        {"GET / XTTP/1.1", "the request line has no valid HTTP version: \"XTTP/1.1\""},
        {"GET / HTTP/0.9", "unsupported version HTTP/0.9", 505},
        {"GET / HTTP/1.2", "unsupported version HTTP/1.2", 505},
        {"PRI * HTTP/2.0", "unsupported version HTTP/2.0", 505},
        {"GET / HTTP/9.9", "unsupported version HTTP/9.9", 505},
    };
    for (const auto& [line, message, status] : cases) {
        const parsed head = parse(line + "\r\nHost: a\r\n\r\n", section::request);
        EXPECT_EQ(head.ended, outcome::failed) << line;
        EXPECT_EQ(head.message, message) << line;
        EXPECT_EQ(head.status, status) << line;
        EXPECT_EQ(head.code, error_code::malformed_message) << line;
    }
}

TEST(head_parser, refuses_status_lines) {
    struct {
        std::string line, message;
    } const cases[] = {
        {"", "the answer is not HTTP/1: it begins with \"\\x0d\""},
        {"<html>", "the answer is not HTTP/1: it begins with \"<\""},
        {"SSH-2.0", "the answer is not HTTP/1: it begins with \"S\""},
        {"HTT /1.1", "the answer is not HTTP/1: it begins with \"HTT \""},
        {"ICY 200 OK", "the answer is not HTTP/1: it begins with \"I\""},
        {"http/1.1 200 OK", "the answer is not HTTP/1: it begins with \"h\""},
        {"HTTP/1.1", "the status line has no valid status: \"HTTP/1.1\""},
        {"HTTP/1.1 ", "the status line has no valid status: \"HTTP/1.1 \""},
        {"HTTP/1.1 20", "the status line has no valid status: \"HTTP/1.1 20\""},
        {"HTTP/1.1 2000", "the status line has no valid status: \"HTTP/1.1 2000\""},
        {"HTTP/1.1  200 OK", "the status line has no valid status: \"HTTP/1.1  200 OK\""},
        {"HTTP/1.1\t200 OK", "the status line has no valid status: \"HTTP/1.1\\x09200 OK\""},
        {"HTTP/1.1 +20 OK", "the status line has no valid status: \"HTTP/1.1 +20 OK\""},
        {"HTTP/1.1 020 OK", "the status line has no valid status: \"HTTP/1.1 020 OK\""},
        {"HTTP/1.1 2a0 OK", "the status line has no valid status: \"HTTP/1.1 2a0 OK\""},
        {"HTTP/1.1 200OK", "the status line has no valid status: \"HTTP/1.1 200OK\""},
        {"HTTP/1.1 200\tOK", "the status line has no valid status: \"HTTP/1.1 200\\x09OK\""},
        {"HTTP/1.12 200 OK", "the status line has no valid status: \"HTTP/1.12 200 OK\""},
        {"HTTP/2 200", "the status line has no valid HTTP version: \"HTTP/2\""},
        {"HTTP/1.x 200 OK", "the status line has no valid HTTP version: \"HTTP/1.x\""},
        {"HTTP/1.2 200 OK", "unsupported version HTTP/1.2"},
        {"HTTP/2.0 200 OK", "unsupported version HTTP/2.0"},
    };
    for (const auto& [line, message] : cases) {
        const parsed head = parse(line + "\r\nX: y\r\n\r\n", section::response);
        EXPECT_EQ(head.ended, outcome::failed) << line;
        EXPECT_EQ(head.message, message) << line;
        EXPECT_EQ(head.code, error_code::malformed_message) << line;
    }
}

TEST(head_parser, says_at_the_first_byte_that_a_peer_does_not_speak_http) {
    // A peer that greets (SSH, SMTP) would wait for us: the answer must not wait for a line end.
    for (const auto* greeting : {"S", "2", "\x15", "HX", "HTTP "}) {
        const parsed head = parse(greeting, section::response);
        EXPECT_EQ(head.ended, outcome::failed) << greeting;
    }
    for (const auto* beginning : {"", "H", "HTTP/", "HTTP/9"})
        EXPECT_EQ(parse(beginning, section::response).ended, outcome::need_more) << beginning;
}

TEST(head_parser, refuses_field_lines_in_every_section) {
    struct {
        std::string line, message;
    } const cases[] = {
        {" X: folded", "line begins with white space"},  // obs-fold, RFC 9112 section 5.2
        {"\tX: folded", "line begins with white space"},
        {" ", "line begins with white space"},
        {":", "field line without a name"},
        {": v", "field line without a name"},
        {"X", "field line without a colon after \"X\""},
        {"X y", "white space after the field name \"X\""},
        {"X : y", "white space after the field name \"X\""},  // RFC 9112 section 5.1
        {"X\t: y", "white space after the field name \"X\""},
        {"X(y): z", "invalid byte '(' in the field name after \"X\""},
        {"X/y: z", "invalid byte '/' in the field name after \"X\""},
        {"\"X\": z", "invalid byte '\"' in the field name after \"\""},
        {"X\xc3\xa9: z", "invalid byte 0xc3 in the field name after \"X\""},
        {"{secret}", "invalid byte '{' in the field name after \"\""},
    };
    for (const section what : all_sections) {
        const std::string before = start_of(what) + "A: b\r\n";
        for (const auto& [line, message] : cases) {
            const parsed head = parse(before + line + "\r\nC: d\r\n\r\n", what);
            EXPECT_EQ(head.ended, outcome::failed) << line;
            EXPECT_TRUE(head.message.starts_with(message)) << line << " " << head.message;
            EXPECT_NE(head.message.find(" at byte " + std::to_string(before.size()) + " of the "), std::string::npos);
            EXPECT_EQ(head.status, 400);
            EXPECT_EQ(head.code, error_code::malformed_message);
        }
    }
}

TEST(head_parser, refuses_a_fold_after_the_start_line_too) {
    for (const section what : {section::request, section::response})
        EXPECT_TRUE(parse(start_of(what) + " X: y\r\n\r\n", what).message.starts_with("line begins with white space"));
}

TEST(head_parser, refuses_bare_line_ends_and_controls_wherever_they_stand) {
    for (const section what : all_sections) {
        const std::string good = start_of(what) + "Name: some value\r\nOther: x\r\n\r\n";
        for (std::size_t at = 0; at < good.size(); ++at) {
            for (unsigned byte = 0; byte < 0x80; ++byte) {
                if ((byte >= 0x20 && byte != 0x7F) || byte == '\t') continue;
                if (byte == '\n' && at + 1 == good.size()) continue;  // that would be a byte after the head
                std::string bad = good;
                bad.insert(at, 1, static_cast<char>(byte));
                const parsed head = parse(bad, what, bad.size(), 1);
                ASSERT_EQ(head.ended, outcome::failed) << "byte " << byte << " at " << at;
                ASSERT_EQ(head.status, 400);
                ASSERT_EQ(parse(bad, what, 1, 1), head) << "byte " << byte << " at " << at;
            }
        }
    }
}

TEST(head_parser, names_the_place_of_a_bare_line_end) {
    EXPECT_EQ(parse("GET / HTTP/1.1\nHost: a\r\n\r\n", section::request).message,
              "LF without CR at byte 14 of the request head");
    EXPECT_EQ(parse("GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", section::request).message,
              "CR without LF at byte 23 of the request head");
    EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nA: b\r\n\n", section::response).message,
              "LF without CR at byte 23 of the response head");
    EXPECT_EQ(parse("A: b\r\n\rX", section::trailers).message, "CR without LF at byte 6 of the trailers");
    EXPECT_EQ(parse("A: b\0c\r\n\r\n"s, section::trailers).message, "control character 0x00 at byte 4 of the trailers");
}

TEST(head_parser, quotes_neither_values_nor_what_follows_the_fault) {
    for (const auto& head :
         {"GET / HTTP/1.1\r\nAuthorization: secret\n\r\n"s, "GET / HTTP/1.1\r\nCookie: secret\0\r\n\r\n"s,
          "GET / HTTP/1.1\r\nCookie : secret\r\n\r\n"s, "GET / HTTP/1.1\r\nX: y\nGET /secret HTTP/1.1\r\n\r\n"s,
          "GET /\nsecret"s, "GET / HTTP/1.1\r\nA: b\r\n secret\r\n\r\n"s}) {
        const parsed answer = parse(head, section::request);
        EXPECT_EQ(answer.ended, outcome::failed);
        EXPECT_EQ(answer.message.find("secret"), std::string::npos) << answer.message;
    }
}

TEST(head_parser, accepts_every_other_byte_in_a_value) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
        for (const std::size_t size : {3U, 20U, 50U}) {
            std::string value(size, 'v');
            value[size / 2] = static_cast<char>(byte);
            const parsed head = parse("X: " + value + "\r\n\r\n", section::trailers, 1, 1);
            ASSERT_EQ(head.ended, control ? outcome::failed : outcome::complete) << byte;
            if (!control) {
                ASSERT_EQ(head.lines.at(0), "X: " + value);
            }
        }
    }
}

// --- Limits. ---

TEST(head_parser, bounds_the_start_line) {
    limits bounds;
    bounds.max_start_line = 100;
    const std::string request = "GET /" + std::string(100 - 14, 'x') + " HTTP/1.1";
    ASSERT_EQ(request.size(), 100U);
    EXPECT_EQ(parse(request + "\r\n\r\n", section::request, bounds).ended, outcome::complete);
    for (const std::string& longer : {"GET /x" + request.substr(5) + "\r\n\r\n", std::string(101, 'x')}) {
        const parsed head = parse(longer, section::request, bounds);
        EXPECT_EQ(head.code, error_code::head_too_large);
        EXPECT_EQ(head.status, 414);
        EXPECT_EQ(head.message, "the request line is larger than 100 bytes");
    }
    const std::string response = "HTTP/1.1 200 " + std::string(100 - 13, 'x');
    EXPECT_EQ(parse(response + "\r\n\r\n", section::response, bounds).ended, outcome::complete);
    const parsed head = parse(response + "x\r\n\r\n", section::response, bounds);
    EXPECT_EQ(head.code, error_code::head_too_large);
    EXPECT_EQ(head.message, "the status line is larger than 100 bytes");
}

TEST(head_parser, bounds_the_whole_head_to_the_byte) {
    limits bounds;
    bounds.max_head = bounds.max_trailers = 100;
    for (const section what : all_sections) {
        // In one long line, in many short ones, in lines that never end.
        for (const std::size_t value_size : {5U, 25U, 1000U}) {
            std::string good = start_of(what);
            const std::string line = "X: " + std::string(value_size, 'v') + "\r\n";
            while (good.size() + line.size() <= 90) good += line;
            good += "Y: " + std::string(100 - 7 - good.size(), 'w') + "\r\n\r\n";
            ASSERT_EQ(good.size(), 100U);
            EXPECT_EQ(parse(good, what, bounds).ended, outcome::complete);
            std::string bad = good;
            bad.insert(good.size() - 4, 1, 'w');
            for (const std::string& large : {bad, good.substr(0, 96) + std::string(1000, 'w')}) {
                const parsed head = parse(large, what, bounds);
                EXPECT_EQ(head.ended, outcome::failed);
                EXPECT_EQ(head.code, error_code::head_too_large);
                EXPECT_EQ(head.status, 431);
            }
        }
    }
    EXPECT_EQ(parse(std::string(200, 'x'), section::request, bounds).message,
              "the request head is larger than 100 bytes");
    EXPECT_EQ(parse("X: " + std::string(200, 'x'), section::trailers, bounds).message,
              "the trailers is larger than 100 bytes");
}

TEST(head_parser, bounds_the_number_of_field_lines) {
    limits bounds;
    bounds.max_fields = 3;
    for (const section what : all_sections) {
        const std::string three = start_of(what) + "A:\r\nB:\r\nC:\r\n";
        EXPECT_EQ(parse(three + "\r\n", what, bounds).ended, outcome::complete);
        const parsed head = parse(three + "D:\r\n\r\n", what, bounds);
        EXPECT_EQ(head.code, error_code::head_too_large);
        EXPECT_EQ(head.status, 431);
        EXPECT_TRUE(head.message.starts_with("more than 3 field lines in the ")) << head.message;
    }
}

TEST(head_parser, needs_no_sensible_limits) {
    for (const std::size_t bound : {0U, 1U, 2U, 3U, 4U}) {
        limits bounds;
        bounds.max_head = bounds.max_trailers = bounds.max_start_line = bound;
        EXPECT_EQ(parse("GET / HTTP/1.1\r\n\r\n", section::request, bounds).ended, outcome::failed) << bound;
        EXPECT_EQ(parse("\r\n", section::trailers, bounds).ended, bound >= 2 ? outcome::complete : outcome::failed);
    }
}

TEST(head_parser, refuses_a_name_longer_than_a_record_can_tell) {
    limits bounds;
    bounds.max_head = 200'000;
    const std::string most(65'535, 'n');
    const std::string start = start_of(section::request);
    EXPECT_EQ(parse(start + most + ":v\r\n\r\n", section::request, 1'000'000, 1, bounds).ended, outcome::complete);
    EXPECT_EQ(parse(start + most + "n:v\r\n\r\n", section::request, 1'000'000, 1, bounds).message,
              "field name is too long at byte 16 of the request head");
}

// --- Work. ---

TEST(head_parser, looks_once_at_each_byte_of_a_value_that_arrives_byte_by_byte) {
    // Bytes that were looked at are changed to what would be a fault if anything looked at them again. Only when its line
    // ends is a line read once more, for its name and value.
    const std::string line = "X: " + std::string(30'000, 'v') + "\r\n";
    limits bounds;
    bounds.max_trailers = line.size() + 2;
    head_parser parser;
    parser.begin(section::trailers);
    std::string spoilt(line.size(), '\n');
    for (std::size_t size = 1; size + 1 < line.size(); ++size) {
        spoilt[size - 1] = line[size - 1];
        ASSERT_EQ(parser.parse({spoilt.data(), size}, bounds), outcome::need_more) << size;
        if (size > 1) spoilt[size - 2] = '\n';
        spoilt[size - 1] = '\n';
    }
    EXPECT_EQ(parser.parse(line, bounds), outcome::need_more);
    EXPECT_EQ(parser.records().size(), 1U);
}

TEST(head_parser, looks_at_no_line_again_that_has_ended) {
    limits bounds;
    bounds.max_fields = 1'000;
    head_parser parser;
    parser.begin(section::request);
    std::string received = "GET / HTTP/1.1\r\n";
    ASSERT_EQ(parser.parse(received, bounds), outcome::need_more);
    for (std::size_t count = 1; count <= bounds.max_fields; ++count) {
        received.assign(received.size(), '\n');
        for (const char byte : std::string_view("Name: value\r\n")) {
            received += byte;
            ASSERT_EQ(parser.parse(received, bounds), outcome::need_more);
        }
        ASSERT_EQ(parser.records().size(), count);
    }
    received += "\r\n";
    EXPECT_EQ(parser.parse(received, bounds), outcome::complete);
    EXPECT_EQ(parser.size(), received.size());
}

TEST(head_parser, begins_again_with_nothing_of_what_was) {
    head_parser parser;
    parser.begin(section::request);
    const std::string request = "HEAD /long/target HTTP/1.0\r\nA: b\r\n\r\n";
    ASSERT_EQ(parser.parse(request, {}), outcome::complete);
    EXPECT_EQ(parser.method_size(), 4U);
    EXPECT_TRUE(parser.started());
    parser.begin(section::response);
    EXPECT_FALSE(parser.started());
    EXPECT_EQ(parser.method_size(), 0U);
    const std::string response = "HTTP/1.1 204\r\n\r\n";
    ASSERT_EQ(parser.parse(response, {}), outcome::complete);
    EXPECT_EQ(parser.reason(response), "");
    EXPECT_EQ(parser.version(), http_version::http_1_1);
    EXPECT_TRUE(parser.records().empty());
    parser.begin(section::trailers);
    ASSERT_EQ(parser.parse("\r\n", {}), outcome::complete);
    EXPECT_EQ(parser.size(), 2U);
}

TEST(head_parser, tells_the_method_of_a_request_with_a_faulty_field) {
    // So that the refusal of a HEAD has no body either.
    head_parser parser;
    parser.begin(section::request);
    const std::string request = "HEAD / HTTP/1.1\r\nbad line\r\n\r\n";
    ASSERT_EQ(parser.parse(request, {}), outcome::failed);
    EXPECT_EQ(parser.method(request), "HEAD");
}

}  // namespace
}  // namespace pabal::http1
