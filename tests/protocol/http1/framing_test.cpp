#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http1/framing.hpp"

namespace pabal::http1 {
namespace {

using lines = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t largest = 9'223'372'036'854'775'807;

constexpr auto v10 = http_version::http_1_0;
constexpr auto v11 = http_version::http_1_1;

/// The facts of a head, with the fields they point into.
struct noted {
    explicit noted(const lines& all) {
        for (const auto& [name, value] : all) headers.append_valid(name, value);
        for (const auto& line : headers) facts.note(line);
    }
    fields headers;
    head_facts facts;
};

noted note(const lines& all) { return noted(all); }

struct bad_framing {
    lines headers;
    framing_fault fault;
};

using enum framing_fault;

/// Ambiguous or malformed in requests and responses alike (RFC 9112 sections 6.1, 6.2, 6.3).
const bad_framing faulty_heads[] = {
    {{{"Content-Length", "5"}, {"Content-Length", "5"}}, content_length_repeated},
    {{{"Content-Length", "5"}, {"Content-Length", "6"}}, content_length_repeated},
    {{{"content-length", "5"}, {"X", "y"}, {"CONTENT-LENGTH", "0"}}, content_length_repeated},
    {{{"Content-Length", "5, 5"}}, content_length_repeated},
    {{{"Content-Length", "5,6"}}, content_length_repeated},
    {{{"Content-Length", "+5"}}, content_length_malformed},
    {{{"Content-Length", "-1"}}, content_length_malformed},
    {{{"Content-Length", "-0"}}, content_length_malformed},
    {{{"Content-Length", "1_0"}}, content_length_malformed},
    {{{"Content-Length", "\xd9\xa1"}}, content_length_malformed},      // ARABIC-INDIC DIGIT ONE
    {{{"Content-Length", "\xef\xbc\x95"}}, content_length_malformed},  // FULLWIDTH DIGIT FIVE
    {{{"Content-Length", "\xb2"}}, content_length_malformed},          // SUPERSCRIPT TWO in ISO 8859-1
    {{{"Content-Length", ""}}, content_length_malformed},
    {{{"Content-Length", "0x5"}}, content_length_malformed},
    {{{"Content-Length", "5 5"}}, content_length_malformed},
    {{{"Content-Length", "5;x"}}, content_length_malformed},
    {{{"Content-Length", "5.0"}}, content_length_malformed},
    {{{"Content-Length", "1e3"}}, content_length_malformed},
    {{{"Content-Length", "9223372036854775808"}}, content_length_too_large},
    {{{"Content-Length", std::string(400, '9')}}, content_length_too_large},
    {{{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}, content_length_with_transfer_encoding},
    {{{"Transfer-Encoding", "chunked"}, {"Content-Length", "0"}}, content_length_with_transfer_encoding},
    {{{"Transfer-Encoding", "xchunked"}, {"Content-Length", "5"}}, content_length_with_transfer_encoding},
    {{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}, transfer_encoding_repeated},
    {{{"Transfer-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}}, transfer_encoding_repeated},
    {{{"Transfer-Encoding", "xchunked"}}, transfer_encoding_not_ending_in_chunked},
    {{{"Transfer-Encoding", "identity"}}, transfer_encoding_not_ending_in_chunked},
    {{{"Transfer-Encoding", "gzip"}}, transfer_encoding_not_ending_in_chunked},
    {{{"Transfer-Encoding", "chunked, gzip"}}, transfer_encoding_not_ending_in_chunked},
    {{{"Transfer-Encoding", "chunked identity"}}, transfer_encoding_not_ending_in_chunked},
    {{{"Transfer-Encoding", "\"chunked\""}}, transfer_encoding_not_ending_in_chunked},
    {{{"Transfer-Encoding", "chunked, chunked"}}, chunked_repeated},
    {{{"Transfer-Encoding", "chunked, gzip, Chunked"}}, chunked_repeated},
    {{{"Transfer-Encoding", "chunked;q=1"}}, chunked_with_parameters},
    {{{"Transfer-Encoding", "gzip, chunked ; a=b"}}, chunked_with_parameters},
    {{{"Transfer-Encoding", "gzip, chunked"}}, transfer_coding_unsupported},
    {{{"Transfer-Encoding", ""}}, transfer_encoding_malformed},
    {{{"Transfer-Encoding", ",chunked"}}, transfer_encoding_malformed},
    {{{"Transfer-Encoding", "chunked,"}}, transfer_encoding_malformed},
    {{{"Transfer-Encoding", "gzip,,chunked"}}, transfer_encoding_malformed},
};

std::string show(const lines& all) {
    std::string text;
    for (const auto& [name, value] : all) text += name + ": " + value + "\n";
    return text;
}

TEST(framing, resolves_no_conflict_in_either_role) {
    for (const auto& [headers, fault] : faulty_heads) {
        const noted head = note(headers);
        const framing asked = frame_request(head.facts, v11, method_kind::other);
        EXPECT_EQ(asked.fault, fault) << show(headers) << explain(asked.fault);
        EXPECT_EQ(asked.body, body_kind::none);
        const framing answered = frame_response(head.facts, v11, 200, method_kind::other);
        EXPECT_EQ(answered.fault, fault) << show(headers) << explain(answered.fault);
        EXPECT_EQ(answered.body, body_kind::none);
    }
}

TEST(framing, of_http_1_0_has_no_transfer_codings) {
    for (const auto* value : {"chunked", "gzip", ""}) {
        const noted head = note({{"Transfer-Encoding", value}});
        EXPECT_EQ(frame_request(head.facts, v10, method_kind::other).fault, transfer_encoding_in_http_1_0);
        EXPECT_EQ(frame_response(head.facts, v10, 200, method_kind::other).fault, transfer_encoding_in_http_1_0);
    }
}

struct good_framing {
    lines headers;
    body_kind request;
    body_kind response;
    std::uint64_t size = 0;
};

TEST(framing, follows_the_fields_or_their_absence) {
    const good_framing cases[] = {
        {{}, body_kind::none, body_kind::until_close},
        {{{"Content-Length", "0"}}, body_kind::sized, body_kind::sized, 0},
        {{{"Content-Length", "5"}}, body_kind::sized, body_kind::sized, 5},
        {{{"content-LENGTH", "0005"}}, body_kind::sized, body_kind::sized, 5},
        {{{"Content-Length", std::to_string(largest)}}, body_kind::sized, body_kind::sized, largest},
        {{{"Transfer-Encoding", "chunked"}}, body_kind::chunked, body_kind::chunked},
        {{{"transfer-encoding", "ChUnKeD"}}, body_kind::chunked, body_kind::chunked},
        {{{"Content-Lengths", "5"}, {"Transfer_Encoding", "chunked"}}, body_kind::none, body_kind::until_close},
    };
    for (const auto& [headers, request, response, size] : cases) {
        const noted head = note(headers);
        const framing asked = frame_request(head.facts, v11, method_kind::other);
        EXPECT_EQ(asked.fault, none) << show(headers);
        EXPECT_EQ(asked.body, request) << show(headers);
        EXPECT_EQ(asked.size, size) << show(headers);
        const framing answered = frame_response(head.facts, v11, 200, method_kind::other);
        EXPECT_EQ(answered.fault, none) << show(headers);
        EXPECT_EQ(answered.body, response) << show(headers);
        EXPECT_EQ(answered.size, size) << show(headers);
    }
}

TEST(framing, of_responses_without_body_ignores_the_fields) {
    const lines tables[] = {
        {},
        {{"Content-Length", "5"}},
        {{"Transfer-Encoding", "chunked"}},
        {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
        {{"Content-Length", "nonsense"}},
    };
    for (const auto& headers : tables) {
        const noted head = note(headers);
        for (const int status : {100, 103, 199, 204, 304}) {
            const framing framed = frame_response(head.facts, v11, status, method_kind::other);
            EXPECT_EQ(framed.body, body_kind::none) << status << " " << show(headers);
            EXPECT_EQ(framed.fault, none) << status << " " << show(headers);
        }
        for (const int status : {200, 404, 500}) {
            const framing framed = frame_response(head.facts, v11, status, method_kind::head);
            EXPECT_EQ(framed.body, body_kind::none) << status << " " << show(headers);
            EXPECT_EQ(framed.fault, none) << status << " " << show(headers);
        }
        // RFC 9110 section 9.3.6: any 2xx begins the tunnel, 204 too.
        for (const int status : {200, 204, 299}) {
            const framing framed = frame_response(head.facts, v11, status, method_kind::connect);
            EXPECT_EQ(framed.body, body_kind::tunnel) << status << " " << show(headers);
            EXPECT_EQ(framed.fault, none) << status << " " << show(headers);
        }
    }
}

TEST(framing, of_a_refused_connect_is_that_of_any_response) {
    const noted head = note({{"Content-Length", "5"}});
    for (const int status : {300, 407, 502})
        EXPECT_EQ(frame_response(head.facts, v11, status, method_kind::connect).size, 5U) << status;
    EXPECT_EQ(frame_response(head.facts, v11, 304, method_kind::connect).body, body_kind::none);
}

TEST(framing, of_connect_has_no_body) {
    for (const lines& headers : {lines{{"Content-Length", "1"}}, lines{{"Transfer-Encoding", "chunked"}}})
        EXPECT_EQ(frame_request(note(headers).facts, v11, method_kind::connect).fault, body_in_connect);
    EXPECT_EQ(frame_request(note({}).facts, v11, method_kind::connect).fault, none);
    EXPECT_EQ(frame_request(note({{"Content-Length", "0"}}).facts, v11, method_kind::connect).fault, none);
}

TEST(framing, knows_the_methods_that_matter_by_their_exact_name) {
    EXPECT_EQ(kind_of_method("HEAD"), method_kind::head);
    EXPECT_EQ(kind_of_method("CONNECT"), method_kind::connect);
    for (const auto* name : {"GET", "head", "Connect", "HEADER", "HEA", ""})
        EXPECT_EQ(kind_of_method(name), method_kind::other) << name;
}

TEST(framing, bodyless_statuses) {
    for (int status = 100; status < 1000; ++status)
        EXPECT_EQ(is_bodyless(status), status < 200 || status == 204 || status == 304) << status;
}

TEST(content_length, is_digits_up_to_2_to_the_63) {
    EXPECT_EQ(parse_content_length("0"), 0U);
    EXPECT_EQ(parse_content_length("00"), 0U);
    EXPECT_EQ(parse_content_length("1234567890"), 1'234'567'890U);
    EXPECT_EQ(parse_content_length(std::to_string(largest)), largest);
    EXPECT_EQ(parse_content_length(std::string(100, '0') + "7"), 7U);
    for (const auto* bad : {"", " ", " 1", "1 ", "+1", "-1", "1_0", "1,1", "0x1", "1.", "9223372036854775808",
                            "18446744073709551616", "18446744073709551621", "\xd9\xa1", "1\n"})
        EXPECT_EQ(parse_content_length(bad), std::nullopt) << bad;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const char text[] = {'1', static_cast<char>(byte)};
        EXPECT_EQ(parse_content_length({text, 2}).has_value(), byte >= '0' && byte <= '9') << byte;
    }
}

TEST(head_facts, read_connection_options) {
    struct {
        lines headers;
        bool persists_1_1, persists_1_0;
    } const cases[] = {
        {{}, true, false},
        {{{"Connection", "close"}}, false, false},
        {{{"Connection", "CLOSE"}}, false, false},
        {{{"Connection", "keep-alive"}}, true, true},
        {{{"Connection", "Keep-Alive"}}, true, true},
        {{{"Connection", "keep-alive, close"}}, false, false},
        {{{"Connection", "close"}, {"Connection", "keep-alive"}}, false, false},
        {{{"Connection", "upgrade ,\tclose"}}, false, false},
        {{{"Connection", ",,close,"}}, false, false},
        {{{"Connection", "closed"}}, true, false},
        {{{"Connection", "x close"}}, true, false},
        {{{"Connection", ""}}, true, false},
        // Not a field of HTTP: it must not keep a connection alive that its sender is about to close.
        {{{"Proxy-Connection", "keep-alive"}}, true, false},
    };
    for (const auto& [headers, persists_1_1, persists_1_0] : cases) {
        const noted head = note(headers);
        EXPECT_EQ(head.facts.persists(v11), persists_1_1) << show(headers);
        EXPECT_EQ(head.facts.persists(v10), persists_1_0) << show(headers);
    }
}

TEST(head_facts, read_expectations_and_the_rest) {
    EXPECT_TRUE(note({{"Expect", "100-continue"}}).facts.expects_continue);
    EXPECT_TRUE(note({{"Expect", "x, 100-Continue"}}).facts.expects_continue);
    EXPECT_FALSE(note({{"Expect", "100-continued"}}).facts.expects_continue);
    EXPECT_FALSE(note({{"Expect", ""}}).facts.expects_continue);
    const noted head = note({{"Host", "a"}, {"HOST", "b"}, {"Upgrade", "websocket"}});
    EXPECT_EQ(head.facts.host_lines, 2U);
    EXPECT_EQ(head.facts.host, "b");
    EXPECT_TRUE(head.facts.has_upgrade);
}

TEST(framing_fault, each_has_words_and_a_status) {
    std::vector<std::string_view> seen;
    for (int each = 0; each <= static_cast<int>(body_in_connect); ++each) {
        const auto fault = static_cast<framing_fault>(each);
        const std::string_view words = explain(fault);
        EXPECT_FALSE(words.empty());
        for (const std::string_view other : seen) EXPECT_NE(words, other);
        seen.push_back(words);
        const int expected = fault == content_length_too_large ? 413 : fault == transfer_coding_unsupported ? 501 : 400;
        EXPECT_EQ(status_for(fault), expected) << words;
    }
}

}  // namespace
}  // namespace pabal::http1
