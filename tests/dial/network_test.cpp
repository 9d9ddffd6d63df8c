#include <gtest/gtest.h>

#include "dial/network.hpp"

namespace pabal::dial {
namespace {

bool contains(std::string_view block, std::string_view tested) {
    return network::parse(block)->contains(*address::parse(tested));
}

TEST(network, contains_what_begins_with_its_prefix) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.255.255"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
    EXPECT_TRUE(contains("172.16.0.0/12", "172.31.255.255"));
    EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.1"));
    EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
    EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
    EXPECT_TRUE(contains("fc00::/7", "fdff::1"));
    EXPECT_FALSE(contains("fc00::/7", "fe00::1"));
    EXPECT_TRUE(contains("2001:db8::1/128", "2001:db8::1"));
}

TEST(network, is_of_one_family) {
    EXPECT_FALSE(contains("0.0.0.0/0", "::"));
    EXPECT_FALSE(contains("::/0", "0.0.0.0"));
}

TEST(network, says_its_text) {
    EXPECT_EQ(network::parse("10.0.0.0/8")->to_string(), "10.0.0.0/8");
    EXPECT_EQ(network::parse("fd00:0::/8")->to_string(), "fd00::/8");
    EXPECT_EQ(network::parse("::1")->to_string(), "::1/128");
}

TEST(network, that_is_none_is_the_callers_fault) {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/ 8", "10/8",
                             "010.0.0.0/8", "fe80::1%1/64", "::/129", "example.com", "10.0.0.0/8/8"}) {
        const auto parsed = network::parse(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, error_code::invalid_argument);
        EXPECT_EQ(parsed.error().whose, culprit::caller);
    }
    EXPECT_NE(network::parse("10.1.2.3/8").error().message.find("write 10.0.0.0/8"), std::string::npos);
    EXPECT_NE(network::parse("fd12::/7").error().message.find("write fc00::/7"), std::string::npos);
}

}  // namespace
}  // namespace pabal::dial
