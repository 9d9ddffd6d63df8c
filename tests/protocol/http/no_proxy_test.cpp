#include <string>

#include <gtest/gtest.h>

#include "protocol/http/no_proxy.hpp"

namespace pabal::http {
namespace {

TEST(no_proxy, exempts_what_it_lists_and_nothing_else) {
    struct {
        std::string list;
        std::string host;
        std::uint16_t port;
        bool exempt;
    } const cases[] = {
        {"", "example.com", 80, false},
        {" , ,", "example.com", 80, false},
        {"*", "example.com", 80, true},
        {"a.b,*", "127.0.0.1", 80, true},
        // Names: at the boundary of a label only (requests#7427).
        {"example.com", "example.com", 80, true},
        {"example.com", "www.example.com", 80, true},
        {"example.com", "a.b.example.com", 80, true},
        {"ple.com", "example.com", 80, false},
        {"example.com", "example.com.evil", 80, false},
        {"example.com", "notexample.com", 80, false},
        {"www.example.com", "example.com", 80, false},
        {".example.com", "example.com", 80, true},
        {".example.com", "www.example.com", 80, true},
        {".example.com", "notexample.com", 80, false},
        {"*.example.com", "www.example.com", 80, true},
        {"*.example.com", "notexample.com", 80, false},
        {"*example.com", "notexample.com", 80, false},
        {"Example.COM", "example.com", 80, true},
        {"example.com.", "example.com", 80, true},
        {"example.com", "example.com.", 80, true},
        {"com", "example.com", 80, true},
        {".", "example.com", 80, false},
        {"localhost", "localhost", 80, true},
        {"localhost", "127.0.0.1", 80, false},
        // Lists.
        {"a.b, example.com ,c.d", "example.com", 80, true},
        {"a.b example.com\tc.d", "example.com", 80, true},
        {"a.b,example.com", "c.d", 80, false},
        // Ports.
        {"example.com:8080", "example.com", 8080, true},
        {"example.com:8080", "www.example.com", 8080, true},
        {"example.com:8080", "example.com", 80, false},
        {"example.com:", "example.com", 80, false},
        {"example.com:http", "example.com", 80, false},
        {"example.com:99999", "example.com", 80, false},
        {"127.0.0.1:8080", "127.0.0.1", 8080, true},
        {"127.0.0.1:8080", "127.0.0.1", 80, false},
        {"[::1]:8080", "::1", 8080, true},
        {"[::1]:8080", "::1", 80, false},
        {"[::1", "::1", 80, false},
        {"[::1]x", "::1", 80, false},
        // Addresses.
        {"127.0.0.1", "127.0.0.1", 80, true},
        {"127.0.0.1", "127.0.0.2", 80, false},
        {"0.0.1", "127.0.0.1", 80, false},
        {".0.0.1", "127.0.0.1", 80, false},
        {"127.0.0.1", "x.127.0.0.1.example", 80, false},
        {"::1", "::1", 80, true},
        {"[::1]", "::1", 80, true},
        {"0:0::1", "::1", 80, true},
        {"2001:DB8::1", "2001:db8::1", 80, true},
        {"fe80::1", "fe80::1%eth0", 80, true},
        {"127.0.0.1", "::ffff:127.0.0.1", 80, true},
        {"::1", "127.0.0.1", 80, false},
        // Blocks.
        {"10.0.0.0/8", "10.255.0.1", 80, true},
        {"10.0.0.0/8", "11.0.0.1", 80, false},
        {"10.0.0.0/9", "10.127.0.1", 80, true},
        {"10.0.0.0/9", "10.128.0.1", 80, false},
        {"192.168.1.7/32", "192.168.1.7", 80, true},
        {"192.168.1.7/32", "192.168.1.6", 80, false},
        {"0.0.0.0/0", "8.8.8.8", 80, true},
        {"0.0.0.0/0", "::1", 80, false},
        {"10.0.0.0/8", "ten.example", 80, false},
        {"10.0.0.0/33", "10.0.0.1", 80, false},
        {"10.0.0.0/", "10.0.0.1", 80, false},
        {"10.0.0.0/x", "10.0.0.1", 80, false},
        {"10.0.0/8", "10.0.0.1", 80, false},
        {"fd00::/8", "fd12:3456::1", 80, true},
        {"[fd00::]/8", "fd12:3456::1", 80, true},
        {"fd00::/8", "fe80::1", 80, false},
        {"::ffff:10.0.0.0/8", "10.1.1.1", 80, true},
        {"2001:db8::/128", "2001:db8::", 80, true},
    };
    for (const auto& expected : cases) {
        EXPECT_EQ(is_exempt_from_proxy(expected.list, expected.host, expected.port), expected.exempt)
            << '"' << expected.list << "\" for " << expected.host << ':' << expected.port;
    }
}

}  // namespace
}  // namespace pabal::http
