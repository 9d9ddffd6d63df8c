#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/http/target.hpp"

namespace pabal::http {
namespace {

using namespace std::string_view_literals;

TEST(authority, is_a_host_with_an_optional_port) {
    for (const auto good :
         {"example.com"sv, "example.com:80"sv, "example.com:"sv, "127.0.0.1:8080"sv, "a"sv, "EXAMPLE.com"sv,
          "a_b.example"sv, "xn--bcher-kva.example"sv, "b%C3%BCcher.example"sv, "[::1]"sv, "[::1]:443"sv, "[::1]:"sv,
          "[fe80::1%25eth0]"sv, "[v1.fe80::a+en1]"sv, "a:65535"sv, "!$&'()*+,;=-._~"sv})
        EXPECT_TRUE(is_authority(good, false)) << good;
    for (const auto bad :
         {"a/b?c#"sv, "a/b"sv,       "a?b"sv,       "a#b"sv,     "user@host"sv, "user:word@host"sv, ":80"sv,
          ":"sv,      "a:b"sv,       "a:-1"sv,      "a:+1"sv,    "a:1:2"sv,     "a:123456"sv,       "a b"sv,
          " a"sv,     "a "sv,        "a\tb"sv,      "a\0b"sv,    "a\r\nb"sv,    "a\\b"sv,           "a\"b"sv,
          "<a>"sv,    "b\xc3\xbc"sv, "a%"sv,        "a%2"sv,     "a%2g"sv,      "[::1"sv,           "::1"sv,
          "[]"sv,     "[]:80"sv,     "[::1]x"sv,    "[::1]80"sv, "[a]b]"sv,     "[::1%eth0]"sv,     "[::1/64]"sv,
          "a[::1]"sv, "a,b/c"sv,     "a:\xd9\xa1"sv})
        EXPECT_FALSE(is_authority(bad, true)) << bad;
}

TEST(authority, is_empty_only_where_it_may_be) {
    EXPECT_TRUE(is_authority("", true));
    EXPECT_FALSE(is_authority("", false));
}

TEST(target, has_the_form_its_method_calls_for) {
    struct {
        std::string_view method, target, defect;
    } const cases[] = {
        // origin-form, RFC 9112 section 3.2.1
        {"GET", "/", ""},
        {"GET", "/a/b?c=d&e", ""},
        {"OPTIONS", "/a", ""},
        {"GET", "//evil/path", ""},
        {"GET", "/a|b^c{d}\"<>\\`", ""},
        {"GET", "/%zz", ""},
        // absolute-form, section 3.2.2
        {"GET", "http://example.com", ""},
        {"GET", "http://example.com/", ""},
        {"GET", "http://example.com?q", ""},
        {"GET", "https://[::1]:443/x", ""},
        {"OPTIONS", "http://example.com:8001", ""},
        {"GET", "urn+x-1.2://h/", ""},
        {"GET", "http://", "is neither a path nor an absolute URI"},
        {"GET", "http:///x", "is neither a path nor an absolute URI"},
        {"GET", "http://user@example.com/", "is neither a path nor an absolute URI"},
        {"GET", "http://x@//h", "is neither a path nor an absolute URI"},
        {"GET", "http://a:b/", "is neither a path nor an absolute URI"},
        {"GET", "http:example.com", "is neither a path nor an absolute URI"},
        {"GET", "1http://h/", "is neither a path nor an absolute URI"},
        {"GET", "ht_tp://h/", "is neither a path nor an absolute URI"},
        {"GET", "://h/", "is neither a path nor an absolute URI"},
        {"GET", "x", "is neither a path nor an absolute URI"},
        {"GET", "?q", "is neither a path nor an absolute URI"},
        {"GET", "example.com:80", "is neither a path nor an absolute URI"},
        // authority-form, section 3.2.3
        {"CONNECT", "example.com:443", ""},
        {"CONNECT", "[::1]:443", ""},
        {"CONNECT", "127.0.0.1:1", ""},
        {"CONNECT", "example.com", "of CONNECT is not host:port"},
        {"CONNECT", "example.com:", "of CONNECT is not host:port"},
        {"CONNECT", "[::1]", "of CONNECT is not host:port"},
        {"CONNECT", "[::1]:", "of CONNECT is not host:port"},
        {"CONNECT", ":443", "of CONNECT is not host:port"},
        {"CONNECT", "/", "of CONNECT is not host:port"},
        {"CONNECT", "*", "of CONNECT is not host:port"},
        {"CONNECT", "http://example.com:443", "of CONNECT is not host:port"},
        {"CONNECT", "user@example.com:443", "of CONNECT is not host:port"},
        {"connect", "/", ""},  // methods are case-sensitive: this is another one
        // asterisk-form, section 3.2.4
        {"OPTIONS", "*", ""},
        {"GET", "*", "\"*\" is for OPTIONS only"},
        {"OPTIONS", "**", "is neither a path nor an absolute URI"},
        // What no form may have
        {"GET", "", "is empty"},
        {"CONNECT", "", "is empty"},
        {"GET", "/a b", "has a byte that must be percent-encoded"},
        {"GET", "/a#b", "has a byte that must be percent-encoded"},
        {"GET", "/\xc3\xa9", "has a byte that must be percent-encoded"},
        {"GET", "/ HTTP/1.1\r\nX: y", "has a byte that must be percent-encoded"},
        {"GET", "/\x7f", "has a byte that must be percent-encoded"},
        {"GET", "/\0"sv, "has a byte that must be percent-encoded"},
        {"CONNECT", "a\tb:1", "has a byte that must be percent-encoded"},
    };
    for (const auto& [method, target, defect] : cases)
        EXPECT_EQ(target_defect(method, target), defect) << method << " " << target;
}

}  // namespace
}  // namespace pabal::http
