#include <string>

#include <gtest/gtest.h>

#include "protocol/http1/connect.hpp"

namespace pabal::http1 {
namespace {

struct outcome {
    bool established = false;
    std::string rest;
    std::optional<error> failure;
};

/// Presents `reply` in pieces of `step` bytes.
outcome answer(std::string_view reply, std::size_t step) {
    connect_machine machine("example.com:443", "http://proxy:3128");
    std::string sent, input;
    EXPECT_TRUE(machine.start({}, sent));
    outcome out;
    for (std::size_t at = 0; at < reply.size() && !out.failure; at += step) {
        input += reply.substr(at, step);
        if (machine.is_established()) continue;
        auto used = machine.receive(input);
        if (!used) out.failure = used.error();
        else input.erase(0, *used);
    }
    out.established = machine.is_established();
    out.rest = input;
    return out;
}

TEST(connect_machine, asks_for_a_tunnel) {
    connect_machine machine("[::1]:443", "http://proxy:3128");
    fields headers;
    headers.append_valid("Proxy-Authorization", "Basic dTpw");
    headers.append_valid("X-Tenant", "7");
    std::string sent;
    ASSERT_TRUE(machine.start(headers, sent));
    EXPECT_EQ(
        sent,
        "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic dTpw\r\nX-Tenant: 7\r\n\r\n");
    EXPECT_FALSE(machine.is_established());
}

TEST(connect_machine, headers_that_would_frame_a_body_are_the_callers_mistake) {
    connect_machine machine("example.com:443", "http://proxy:3128");
    fields headers;
    headers.append_valid("Content-Length", "5");
    std::string sent;
    const auto started = machine.start(headers, sent);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().whose, culprit::caller);
    EXPECT_EQ(sent, "");
}

TEST(connect_machine, a_2xx_is_a_tunnel) {
    for (const std::string head : {
             "HTTP/1.1 200 Connection established\r\n\r\n",
             "HTTP/1.0 200 OK\r\nProxy-Agent: x\r\n\r\n",
             "HTTP/1.1 299 \r\n\r\n",
             // RFC 9110 section 9.3.6: a client ignores these.
             "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
         }) {
        for (const std::size_t step : {std::size_t{1}, head.size() + 5}) {
            const outcome got = answer(head + "hello", step);
            ASSERT_FALSE(got.failure) << head << got.failure->message;
            EXPECT_TRUE(got.established) << head;
            EXPECT_EQ(got.rest, "hello") << head;
        }
    }
}

TEST(connect_machine, anything_else_is_a_refusal_with_its_status) {
    struct {
        std::string reply;
        error_code code;
        int status;
        std::string words;
    } const cases[] = {
        {"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 9999\r\n\r\nevil",
         error_code::proxy_auth_required, 407, "407 Proxy Authentication Required"},
        {"HTTP/1.1 403 Forbidden\r\n\r\n", error_code::proxy_refused, 403, "example.com:443: 403 Forbidden"},
        {"HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n\r\n", error_code::proxy_refused, 302, "302"},
        {"HTTP/1.1 503 \r\n\r\n", error_code::proxy_refused, 503, "503"},
        {"HTTP/1.1 999 \r\n\r\n", error_code::proxy_refused, 999, "999"},
        {"HTTP/1.1 101 Switching\r\n\r\n", error_code::proxy_failed, 0, "did not answer in HTTP"},
        {"SSH-2.0-OpenSSH\r\n", error_code::proxy_failed, 0, "did not answer in HTTP"},
        {std::string("\5\0", 2), error_code::proxy_failed, 0, "did not answer in HTTP"},
        {"HTTP/1.1 200 OK\nX: y\n\n", error_code::proxy_failed, 0, "did not answer in HTTP"},
        {"HTTP/1.1 200 OK\r\n" + std::string(1 << 20, 'x'), error_code::proxy_failed, 0, "did not answer in HTTP"},
    };
    for (const auto& expected : cases) {
        for (const std::size_t step : {std::size_t{1}, expected.reply.size()}) {
            const outcome got = answer(expected.reply, step);
            ASSERT_TRUE(got.failure) << expected.reply.substr(0, 100);
            EXPECT_FALSE(got.established);
            EXPECT_EQ(got.failure->code, expected.code) << got.failure->message;
            EXPECT_EQ(got.failure->status, expected.status) << got.failure->message;
            EXPECT_EQ(got.failure->where, phase::proxy);
            EXPECT_EQ(got.failure->whose, culprit::proxy);
            EXPECT_NE(got.failure->message.find(expected.words), std::string::npos) << got.failure->message;
            EXPECT_NE(got.failure->message.find("http://proxy:3128"), std::string::npos) << got.failure->message;
            EXPECT_EQ(got.failure->message.find("evil"), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace pabal::http1
