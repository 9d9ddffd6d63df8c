#include <string>

#include <gtest/gtest.h>

#include "protocol/socks/machine.hpp"

namespace pabal::socks {
namespace {

using namespace std::string_literals;

const destination by_name{"example.com", {}, 443, "example.com:443"};
const destination by_ipv4{{}, "\x7f\0\0\x01"s, 8080, "127.0.0.1:8080"};
const destination by_ipv6{{}, std::string(15, '\0') + '\1', 8080, "[::1]:8080"};

/// What was sent after each reply; the first is the greeting.
struct conversation {
    std::string sent;
    std::size_t left = 0;
    bool established = false;
    std::optional<error> failure;
};

enum class arrival { whole, byte_by_byte };

conversation talk(version spoken, const destination& to, std::optional<credentials> who, std::string_view replies,
                  arrival how) {
    conversation out;
    auto made = machine::make(spoken, to, std::move(who), "socks://proxy:1080");
    EXPECT_TRUE(made) << made.error().message;
    made->start(out.sent);
    std::string input;
    const std::size_t step = how == arrival::whole ? replies.size() : 1;
    for (std::size_t at = 0; at < replies.size() && !out.failure && !made->is_established(); at += step) {
        input += replies.substr(at, step);
        auto used = made->receive(input, out.sent);
        if (!used) out.failure = used.error();
        else input.erase(0, *used);
        out.left = input.size() + (at + step < replies.size() ? replies.size() - at - step : 0);
    }
    out.established = made->is_established();
    return out;
}

class socks_machine : public ::testing::TestWithParam<arrival> {};
INSTANTIATE_TEST_SUITE_P(arrivals, socks_machine, ::testing::Values(arrival::whole, arrival::byte_by_byte),
                         [](const auto& which) { return which.param == arrival::whole ? "whole" : "byte_by_byte"; });

TEST_P(socks_machine, makes_a_tunnel) {
    const credentials pair{"user", "secret"};
    const credentials no_password{"user", ""};
    struct {
        std::string name;
        version spoken;
        destination to;
        std::optional<credentials> who;
        std::string replies;
        std::string sent;
    } const cases[] = {
        {"5, name",
         version::v5,
         by_name,
         {},
         "\5\0\5\0\0\1\0\0\0\0\0\0"s,
         "\5\1\0\5\1\0\3\x0b"
         "example.com\1\xbb"s},
        {"5, IPv4", version::v5, by_ipv4, {}, "\5\0\5\0\0\1\1\2\3\4\0\1"s, "\5\1\0\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"5, IPv6",
         version::v5,
         by_ipv6,
         {},
         "\5\0\5\0\0\4"s + std::string(18, 'x'),
         "\5\1\0\5\1\0\4"s + std::string(15, '\0') + "\1\x1f\x90"s},
        {"5, name in the reply",
         version::v5,
         by_ipv4,
         {},
         "\5\0\5\0\0\3\3abc\0\1"s,
         "\5\1\0\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"5, empty name in the reply",
         version::v5,
         by_ipv4,
         {},
         "\5\0\5\0\0\3\0\0\1"s,
         "\5\1\0\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"5, longest name in the reply",
         version::v5,
         by_ipv4,
         {},
         "\5\0\5\0\0\3\xff"s + std::string(257, 'x'),
         "\5\1\0\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"5, password", version::v5, by_ipv4, pair, "\5\2\1\0\5\0\0\1\0\0\0\0\0\0"s,
         "\5\2\0\2\1\4user\6secret\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"5, empty password", version::v5, by_ipv4, no_password, "\5\2\1\0\5\0\0\1\0\0\0\0\0\0"s,
         "\5\2\0\2\1\4user\0\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"5, password not wanted", version::v5, by_ipv4, pair, "\5\0\5\0\0\1\0\0\0\0\0\0"s,
         "\5\2\0\2\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"5, version of RFC 1929 not kept", version::v5, by_ipv4, pair, "\5\2\5\0\5\0\0\1\0\0\0\0\0\0"s,
         "\5\2\0\2\1\4user\6secret\5\1\0\1\x7f\0\0\1\x1f\x90"s},
        {"4", version::v4, by_ipv4, {}, "\0\x5a\0\0\0\0\0\0"s, "\4\1\x1f\x90\x7f\0\0\1\0"s},
        {"4, user", version::v4, by_ipv4, no_password, "\0\x5a\0\0\0\0\0\0"s, "\4\1\x1f\x90\x7f\0\0\1user\0"s},
        {"4a", version::v4, by_name, {}, "\0\x5a\0\0\0\0\0\0"s, "\4\1\1\xbb\0\0\0\1\0example.com\0"s},
        {"4a, user", version::v4, by_name, no_password, "\0\x5a\0\0\0\0\0\0"s,
         "\4\1\1\xbb\0\0\0\1user\0example.com\0"s},
    };
    for (const auto& expected : cases) {
        const auto got = talk(expected.spoken, expected.to, expected.who, expected.replies, GetParam());
        EXPECT_FALSE(got.failure) << expected.name << ": " << got.failure->message;
        EXPECT_TRUE(got.established) << expected.name;
        EXPECT_EQ(got.sent, expected.sent) << expected.name;
        EXPECT_EQ(got.left, 0U) << expected.name;
    }
}

TEST_P(socks_machine, what_follows_the_reply_is_not_its) {
    const auto got = talk(version::v5, by_ipv4, {}, "\5\0\5\0\0\1\0\0\0\0\0\0hello"s, GetParam());
    EXPECT_TRUE(got.established);
    EXPECT_EQ(got.left, 5U);
}

TEST_P(socks_machine, says_why_not) {
    const credentials pair{"user", "secret"};
    struct {
        version spoken;
        std::optional<credentials> who;
        std::string replies;
        error_code code;
        int status;
        std::string words;
    } const cases[] = {
        // Refusals; they count even when the rest never comes.
        {version::v5, {}, "\5\xff"s, error_code::proxy_auth_required, 255, "wants authentication"},
        {version::v5, pair, "\5\xff"s, error_code::proxy_auth_required, 255, "neither"},
        {version::v5, pair, "\5\2\1\1"s, error_code::proxy_auth_required, 1, "not accepted"},
        {version::v5, {}, "\5\0\5\1"s, error_code::proxy_refused, 1, "general failure"},
        {version::v5, {}, "\5\0\5\2\0\1\0\0\0\0\0\0"s, error_code::proxy_refused, 2, "rules"},
        {version::v5, {}, "\5\0\5\3"s, error_code::proxy_refused, 3, "network unreachable"},
        {version::v5, {}, "\5\0\5\4"s, error_code::proxy_refused, 4, "host unreachable"},
        {version::v5, {}, "\5\0\5\5"s, error_code::proxy_refused, 5, "connection refused"},
        {version::v5, {}, "\5\0\5\6"s, error_code::proxy_refused, 6, "TTL"},
        {version::v5, {}, "\5\0\5\7"s, error_code::proxy_refused, 7, "command"},
        {version::v5, {}, "\5\0\5\x8"s, error_code::proxy_refused, 8, "address type"},
        {version::v5, {}, "\5\0\5\x63"s, error_code::proxy_refused, 99, "unassigned"},
        {version::v4, {}, "\0\x5b"s, error_code::proxy_refused, 91, "rejected"},
        {version::v4, {}, "\0\x5c\0\0\0\0\0\0"s, error_code::proxy_auth_required, 92, "identd"},
        {version::v4, {}, "\0\x5d"s, error_code::proxy_auth_required, 93, "another user"},
        // No SOCKS; the first byte tells.
        {version::v5, {}, "H"s, error_code::proxy_failed, 0, "SOCKS"},
        {version::v5, {}, "\4"s, error_code::proxy_failed, 0, "SOCKS"},
        {version::v5, {}, "\5\1"s, error_code::proxy_failed, 0, "not offered"},
        {version::v5, {}, "\5\2"s, error_code::proxy_failed, 0, "not offered"},
        {version::v5, pair, "\5\3"s, error_code::proxy_failed, 0, "not offered"},
        {version::v5, {}, "\5\0\4"s, error_code::proxy_failed, 0, "begin"},
        {version::v5, {}, "\5\0\5\0\0\2\0"s, error_code::proxy_failed, 0, "address type"},
        {version::v5, {}, "\5\0\5\0\0\0\0"s, error_code::proxy_failed, 0, "address type"},
        {version::v4, {}, "\5"s, error_code::proxy_failed, 0, "SOCKS 4"},
        {version::v4, {}, "\0\0"s, error_code::proxy_failed, 0, "unknown reply 0"},
        {version::v4, {}, "HTTP/1.1 400 Bad Request"s, error_code::proxy_failed, 0, "SOCKS 4"},
    };
    for (const auto& expected : cases) {
        const auto got = talk(expected.spoken, by_ipv4, expected.who, expected.replies, GetParam());
        ASSERT_TRUE(got.failure) << expected.words;
        EXPECT_FALSE(got.established);
        EXPECT_EQ(got.failure->code, expected.code) << got.failure->message;
        EXPECT_EQ(got.failure->where, phase::proxy);
        EXPECT_EQ(got.failure->whose, culprit::proxy);
        EXPECT_EQ(got.failure->status, expected.status) << got.failure->message;
        EXPECT_NE(got.failure->message.find(expected.words), std::string::npos) << got.failure->message;
        EXPECT_NE(got.failure->message.find("socks://proxy:1080"), std::string::npos) << got.failure->message;
        EXPECT_EQ(got.failure->message.find("secret"), std::string::npos);
    }
}

TEST(socks_machine, is_told_the_destination_when_it_is_known) {
    const destination later{{}, {}, 80, "example.com:80"};
    auto five = machine::make(version::v5, later, std::nullopt, "socks5://proxy");
    std::string out;
    five->start(out);
    EXPECT_EQ(out, "\5\1\0"s);
    out.clear();
    EXPECT_EQ(five->receive("\5\0"s, out).value(), 2U);
    EXPECT_EQ(out, "") << "there is nothing to ask for yet";
    five->supply("\xc0\0\2\1"s, out);
    EXPECT_EQ(out, "\5\1\0\1\xc0\0\2\1\0\x50"s);
    five->receive("\5\0\0\1\0\0\0\0\0\0"s, out).value();
    EXPECT_TRUE(five->is_established());

    auto early = machine::make(version::v5, later, std::nullopt, "socks5://proxy");
    early->start(out);
    out.clear();
    early->supply("\xc0\0\2\1"s, out);
    EXPECT_EQ(out, "") << "the greeting is not answered";
    early->receive("\5\0"s, out).value();
    EXPECT_EQ(out, "\5\1\0\1\xc0\0\2\1\0\x50"s);

    auto four = machine::make(version::v4, later, std::nullopt, "socks4://proxy");
    out.clear();
    four->start(out);
    EXPECT_EQ(out, "");
    const auto spoke = four->receive("\0\x5a"s, out);
    ASSERT_FALSE(spoke);
    EXPECT_EQ(spoke.error().code, error_code::proxy_failed);
    four->supply("\xc0\0\2\1"s, out);
    EXPECT_EQ(out, "\4\1\0\x50\xc0\0\2\1\0"s);
}

TEST(socks_machine, an_incomplete_reply_is_no_reply) {
    for (const std::string& whole : {"\5\0\5\0\0\1\0\0\0\0\0\0"s, "\5\0\5\0\0\3\2ab\0\0"s}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const auto got = talk(version::v5, by_name, {}, std::string_view(whole).substr(0, size), arrival::whole);
            EXPECT_FALSE(got.failure) << size;
            EXPECT_FALSE(got.established) << size;
        }
    }
}

TEST(socks_machine, what_cannot_be_said_is_refused_before_anything_is_sent) {
    const std::string longest(255, 'a');
    const std::string too_long(256, 'a');
    struct {
        version spoken;
        destination to;
        std::optional<credentials> who;
        bool possible;
    } const cases[] = {
        {version::v5, {longest, {}, 80, "x"}, {}, true},
        {version::v5, {too_long, {}, 80, "x"}, {}, false},  // CVE-2023-38545 in curl
        {version::v4, {too_long, {}, 80, "x"}, {}, false},
        {version::v5, {"a\0b"s, {}, 80, "x"}, {}, false},
        {version::v4, {"a\0b"s, {}, 80, "x"}, {}, false},
        {version::v4, by_ipv6, {}, false},
        {version::v4, by_ipv4, credentials{"user", "password"}, false},
        {version::v4, by_ipv4, credentials{"us\0er"s, ""}, false},
        {version::v5, by_ipv4, credentials{longest, longest}, true},
        {version::v5, by_ipv4, credentials{too_long, ""}, false},
        {version::v5, by_ipv4, credentials{"", too_long}, false},
    };
    for (const auto& expected : cases) {
        const auto made = machine::make(expected.spoken, expected.to, expected.who, "socks5://proxy:1080");
        EXPECT_EQ(made.has_value(), expected.possible);
        if (made) continue;
        EXPECT_EQ(made.error().code, error_code::invalid_argument);
        EXPECT_EQ(made.error().whose, culprit::caller);
    }
}

}  // namespace
}  // namespace pabal::socks
