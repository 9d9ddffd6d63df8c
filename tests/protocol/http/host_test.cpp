#include <string>

#include <gtest/gtest.h>

#include "protocol/http/host.hpp"

namespace pabal::http {
namespace {

TEST(host, is_read_and_written_as_before_a_port) {
    EXPECT_EQ(read_host("Example.COM"), "example.com");
    EXPECT_EQ(read_host("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(read_host("[2001:DB8:0::1]"), "2001:db8::1");
    for (const char* none : {"", "[", "[]", "[::1", "::1", "[::1%25eth0]", "[192.0.2.1]", "a b", "127.1", "b\xc3\xbc"})
        EXPECT_EQ(read_host(none), std::nullopt) << none;
    EXPECT_EQ(write_host("2001:db8::1"), "[2001:db8::1]");
    EXPECT_EQ(write_host("example.com"), "example.com");
}

TEST(host, is_a_name_an_address_or_neither) {
    struct {
        std::string text;
        host_form form;
    } const cases[] = {
        {"example.com", host_form::name},
        {"Example.com", host_form::name_mixed_case},
        {"a", host_form::name},
        {"a-b_c.d.", host_form::name},
        {"1a.2b", host_form::name},
        {"127.0.0.1", host_form::ipv4},
        {"0.0.0.0", host_form::ipv4},
        {"255.255.255.255", host_form::ipv4},
        {"b\xc3\xbc", host_form::not_ascii},
        {"", host_form::invalid},
        {".", host_form::invalid},
        {"a..b", host_form::invalid},
        {"a b", host_form::invalid},
        {"a%41", host_form::invalid},
        {"1.2.3", host_form::invalid},
        {"a.1", host_form::invalid},
        {"a.0x", host_form::invalid},
        {"0X7F.1", host_form::invalid},
        {"1.2.3.256", host_form::invalid},
        {std::string(63, 'a'), host_form::name},
        {std::string(64, 'a'), host_form::invalid},
    };
    for (const auto& expected : cases) {
        const auto verdict = classify_host(expected.text);
        EXPECT_EQ(verdict.form, expected.form) << expected.text;
        EXPECT_EQ(verdict.fault != nullptr, expected.form == host_form::invalid) << expected.text;
    }
}

TEST(host, ipv6_has_one_form) {
    EXPECT_EQ(normalise_ipv6("::1"), "::1");
    EXPECT_EQ(normalise_ipv6("2001:0DB8:0:0:0:0:0:0001"), "2001:db8::1");
    EXPECT_EQ(normalise_ipv6("::ffff:127.0.0.1"), "::ffff:127.0.0.1");
    EXPECT_EQ(normalise_ipv6("fe80::1%25eth0"), "fe80::1%eth0");
    EXPECT_EQ(normalise_ipv6("fe80::1%eth0"), "fe80::1%eth0");
    for (const char* bad :
         {"", ":", "1", ":::", "1:2:3:4:5:6:7:8:9", "::g", "::1%", "::1% ", "127.0.0.1", "::ffff:127.1"})
        EXPECT_EQ(normalise_ipv6(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace pabal::http
