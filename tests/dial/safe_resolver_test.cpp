#include <gtest/gtest.h>

#include <pabal/safe_resolver.hpp>

#include "dial/address.hpp"
#include "dial/safe_resolver.hpp"

namespace pabal {
namespace {

std::shared_ptr<const safe_resolver> made(const safe_resolver_options& options = {}) {
    auto resolver = safe_resolver::make(options);
    EXPECT_TRUE(resolver) << resolver.error().message;
    return *resolver;
}

std::string refusal(const safe_resolver& by, std::string_view literal) {
    return by.refusal(*dial::address::parse(literal)).value_or("allowed");
}

TEST(safe_resolver, refuses_what_is_not_the_public_internet) {
    const auto resolver = made();
    struct {
        const char* address;
        const char* rule;
    } const cases[] = {
        {"0.0.0.0", "0.0.0.0/8"},
        {"0.255.255.255", "0.0.0.0/8"},
        {"10.0.0.0", "private network 10.0.0.0/8 (RFC 1918)"},
        {"10.255.255.255", "10.0.0.0/8"},
        {"100.64.0.1", "100.64.0.0/10"},
        {"100.127.255.255", "100.64.0.0/10"},
        {"127.0.0.1", "loopback"},
        {"127.255.255.254", "loopback"},
        {"169.254.169.254", "link-local"},
        {"172.16.0.1", "172.16.0.0/12"},
        {"172.31.255.255", "172.16.0.0/12"},
        {"192.0.0.8", "192.0.0.0/24"},
        {"192.0.2.1", "documentation"},
        {"192.88.99.1", "192.88.99.0/24"},
        {"192.168.0.1", "192.168.0.0/16"},
        {"198.18.0.1", "benchmarking"},
        {"198.19.255.255", "benchmarking"},
        {"198.51.100.1", "documentation"},
        {"203.0.113.1", "documentation"},
        {"224.0.0.1", "multicast"},
        {"239.255.255.250", "multicast"},
        {"240.0.0.1", "reserved"},
        {"255.255.255.255", "broadcast"},
        {"::", "unspecified"},
        {"::1", "loopback"},
        {"::127.0.0.1", "IPv4-compatible"},
        {"::8.8.8.8", "IPv4-compatible"},
        {"::ffff:127.0.0.1", "loopback 127.0.0.0/8 (RFC 1122), written as IPv4-mapped"},
        {"::ffff:a9fe:a9fe", "link-local"},
        {"::ffff:0:127.0.0.1", "no global unicast"},
        {"64:ff9b::10.0.0.1", "written as NAT64"},
        {"64:ff9b:1::8.8.8.8", "local NAT64"},
        {"100::1", "discard-only"},
        {"2001::1", "2001::/23"},
        {"2001:db8::1", "documentation"},
        {"2002:7f00:1::", "written as 6to4"},
        {"2002:c0a8:101::1", "192.168.0.0/16"},
        {"3fff::1", "documentation"},
        {"4000::1", "no global unicast"},
        {"5f00::1", "no global unicast"},
        {"fc00::1", "unique local"},
        {"fdff:ffff::1", "unique local"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"fec0::1", "site-local"},
        {"ff02::1", "multicast"},
    };
    for (const auto& each : cases)
        EXPECT_NE(refusal(*resolver, each.address).find(each.rule), std::string::npos)
            << each.address << ": " << refusal(*resolver, each.address);
}

TEST(safe_resolver, lets_the_public_internet_through_up_to_its_borders) {
    const auto resolver = made();
    for (const char* address : {"1.0.0.0",          "8.8.8.8",
                                "9.255.255.255",    "11.0.0.0",
                                "100.63.255.255",   "100.128.0.0",
                                "126.255.255.255",  "128.0.0.0",
                                "169.253.255.255",  "169.255.0.0",
                                "172.15.255.255",   "172.32.0.0",
                                "191.255.255.255",  "192.0.1.0",
                                "192.167.255.255",  "192.169.0.0",
                                "198.17.255.255",   "198.20.0.0",
                                "223.255.255.255",  "2000::1",
                                "2001:200::1",      "2001:4860:4860::8888",
                                "2606:4700::1",     "2002:808:808::1",
                                "64:ff9b::8.8.8.8", "::ffff:8.8.8.8",
                                "3ffe::1"})
        EXPECT_EQ(refusal(*resolver, address), "allowed") << address;
}

TEST(safe_resolver, allows_and_denies_what_it_is_told) {
    const auto resolver =
        made({.allow = {"10.1.0.0/16", "fd00::/16", "127.0.0.1"}, .deny = {"10.1.2.0/24", "8.8.8.8"}});
    EXPECT_EQ(refusal(*resolver, "10.1.1.1"), "allowed");
    EXPECT_EQ(refusal(*resolver, "::ffff:10.1.1.1"), "allowed") << "the same address";
    EXPECT_EQ(refusal(*resolver, "fd00::1"), "allowed");
    EXPECT_EQ(refusal(*resolver, "127.0.0.1"), "allowed");
    EXPECT_NE(refusal(*resolver, "127.0.0.2"), "allowed");
    EXPECT_NE(refusal(*resolver, "10.2.0.0"), "allowed");
    EXPECT_EQ(refusal(*resolver, "10.1.2.3"), "deny=10.1.2.0/24") << "deny goes before allow";
    EXPECT_EQ(refusal(*resolver, "8.8.8.8"), "deny=8.8.8.8/32");
    EXPECT_EQ(refusal(*resolver, "64:ff9b::8.8.8.8"), "deny=8.8.8.8/32") << "whatever it is written as";
    EXPECT_EQ(refusal(*made({.deny = {"::/0", "0.0.0.0/0"}}), "2606:4700::1"), "deny=::/0");
}

TEST(safe_resolver, says_at_once_what_is_no_network) {
    const auto failed = safe_resolver::make({.allow = {"10.0.0.0/8", "10.0.0.0/99"}});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, error_code::invalid_argument);
    EXPECT_NE(failed.error().message.find("allow"), std::string::npos);
    EXPECT_NE(failed.error().message.find("10.0.0.0/99"), std::string::npos);
    EXPECT_NE(safe_resolver::make({.deny = {"intranet"}}).error().message.find("deny"), std::string::npos);
}

TEST(safe_resolver, judges_what_is_asked_of_a_proxy_as_far_as_it_can) {
    const auto strict = made();
    const auto trusting = made({.proxies_may_resolve = true});
    const auto verdict = [](const safe_resolver& by, const char* proxy_url, std::string_view host) {
        const auto refused = by.refusal_through(*proxy::parse(proxy_url), host);
        return refused ? std::string(name_of(refused->code)) : "allowed";
    };
    for (const char* by : {"http://p", "https://p", "socks4a://p", "socks5h://p"}) {
        EXPECT_EQ(verdict(*strict, by, "example.com"), "address_refused") << by;
        EXPECT_EQ(verdict(*trusting, by, "example.com"), "allowed") << by;
    }
    for (const char* by : {"socks4://p", "socks5://p"})
        EXPECT_EQ(verdict(*strict, by, "example.com"), "allowed") << "its addresses are judged when they are there";
    for (const auto* resolver : {strict.get(), trusting.get()}) {
        EXPECT_EQ(verdict(*resolver, "http://p", "8.8.8.8"), "allowed");
        EXPECT_EQ(verdict(*resolver, "http://p", "169.254.169.254"), "address_refused");
        EXPECT_EQ(verdict(*resolver, "http://p", "::1"), "address_refused");
        EXPECT_EQ(verdict(*resolver, "http://p", "localhost"), "address_refused");
        EXPECT_EQ(verdict(*resolver, "http://p", "2130706433"), "host_not_found")
            << "which the proxy may read as an address";
        EXPECT_EQ(verdict(*resolver, "http://p", "0x7f.1"), "host_not_found");
    }
}

}  // namespace
}  // namespace pabal
