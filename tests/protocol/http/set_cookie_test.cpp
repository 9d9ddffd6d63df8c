#include <string>

#include <gtest/gtest.h>

#include "protocol/http/set_cookie.hpp"

namespace pabal::http {
namespace {

using namespace std::chrono_literals;

const cookie::time_point now = cookie::time_point{} + std::chrono::hours{24 * 365 * 50};

TEST(set_cookie, is_a_pair_and_attributes) {
    struct {
        std::string text, name, value, domain, path;
    } const cases[] = {
        {"a=b", "a", "b", "", ""},
        {" a = b ", "a", "b", "", ""},
        {"a=b=c", "a", "b=c", "", ""},
        {"a=", "a", "", "", ""},
        {"=b", "", "b", "", ""},
        {"b", "", "b", "", ""},
        {"a=\"b c\"", "a", "\"b c\"", "", ""},
        {"a=b; Domain=Example.COM; Path=/x", "a", "b", "example.com", "/x"},
        {"a=b;domain=.example.com;path=x", "a", "b", "example.com", ""},
        {"a=b; Path=/x; Path=/y; Domain=a.b; Domain=c.d", "a", "b", "c.d", "/y"},
        {"a=b;;; ;unknown=1;Path = /z ", "a", "b", "", "/z"},
        {"a=b; Path=/" + std::string(2000, 'p'), "a", "b", "", ""},
        {"caf\xc3\xa9=\xff", "caf\xc3\xa9", "\xff", "", ""},
        {"a=b\tc", "a", "b\tc", "", ""},
    };
    for (const auto& expected : cases) {
        const auto read = parse_set_cookie(expected.text, now);
        ASSERT_TRUE(read) << expected.text;
        EXPECT_EQ(read->parsed.name, expected.name) << expected.text;
        EXPECT_EQ(read->parsed.value, expected.value) << expected.text;
        EXPECT_EQ(read->parsed.domain, expected.domain) << expected.text;
        EXPECT_EQ(read->parsed.path, expected.path) << expected.text;
        EXPECT_FALSE(read->parsed.secure || read->parsed.http_only || read->parsed.expires) << expected.text;
    }
}

TEST(set_cookie, has_flags) {
    const auto read = parse_set_cookie("a=b; SECURE; HttpOnly=whatever; SameSite=Lax", now);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->parsed.secure);
    EXPECT_TRUE(read->parsed.http_only);
    EXPECT_EQ(read->parsed.site, same_site::lax);
    EXPECT_EQ(parse_set_cookie("a=b; samesite=NONE", now)->parsed.site, same_site::none);
    EXPECT_EQ(parse_set_cookie("a=b; samesite=Strict", now)->parsed.site, same_site::strict);
    EXPECT_EQ(parse_set_cookie("a=b; samesite=odd", now)->parsed.site, same_site::unset);
}

TEST(set_cookie, expires) {
    struct {
        const char* attributes;
        std::optional<cookie::time_point> expires;
    } const cases[] = {
        {"", std::nullopt},
        {"Max-Age=60", now + 60s},
        {"Max-Age=0", cookie::time_point{}},
        {"Max-Age=-1", cookie::time_point{}},
        {"Max-Age=", std::nullopt},
        {"Max-Age=-", std::nullopt},
        {"Max-Age=1x", std::nullopt},
        {"Max-Age=+1", std::nullopt},
        {"Max-Age=99999999999999999999999999", now + cookie_jar::max_age},
        {"Expires=Thu, 01 Jan 1970 00:00:00 GMT", cookie::time_point{}},
        {"Expires=Thu, 01 Jan 1601 00:00:00 GMT", cookie::time_point{}},
        {"Expires=Fri, 31 Dec 9999 23:59:59 GMT", now + cookie_jar::max_age},
        {"Expires=rubbish", std::nullopt},
        {"Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", now + 60s},
        {"Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", now + 60s},
        {"Max-Age=60; Max-Age=30", now + 30s},
        {"Max-Age=60; Max-Age=x", now + 60s},
    };
    for (const auto& expected : cases) {
        const auto read = parse_set_cookie(std::string{"a=b; "} + expected.attributes, now);
        ASSERT_TRUE(read) << expected.attributes;
        EXPECT_EQ(read->parsed.expires, expected.expires) << expected.attributes;
    }
}

TEST(set_cookie, is_ignored_when_it_is_empty_large_or_holds_controls) {
    for (const std::string& text :
         {std::string{""}, std::string{"="}, std::string{" ; Path=/"}, std::string{"a\x01=b"}, std::string{"a=b\x7f"},
          std::string{"a=b\r\nSet-Cookie: c=d"}, std::string("a=b\0", 4), std::string{"a=b; Path=/\x02"},
          "a=" + std::string(4096, 'v')})
        EXPECT_FALSE(parse_set_cookie(text, now)) << text;
    EXPECT_TRUE(parse_set_cookie("a=" + std::string(4095, 'v'), now));
}

TEST(cookie_domain, matches_itself_and_names_below) {
    EXPECT_TRUE(domain_matches("example.com", "example.com", false));
    EXPECT_TRUE(domain_matches("www.example.com", "example.com", false));
    EXPECT_FALSE(domain_matches("badexample.com", "example.com", false));
    EXPECT_FALSE(domain_matches("example.com", "www.example.com", false));
    EXPECT_FALSE(domain_matches("1.2.3.4", "3.4", true));
    EXPECT_TRUE(domain_matches("1.2.3.4", "1.2.3.4", true));
    EXPECT_FALSE(domain_matches("example.com", "", false));
}

TEST(cookie_path, matches_whole_segments) {
    EXPECT_TRUE(path_matches("/", "/"));
    EXPECT_TRUE(path_matches("/a", "/"));
    EXPECT_TRUE(path_matches("/a", "/a"));
    EXPECT_TRUE(path_matches("/a/b", "/a"));
    EXPECT_TRUE(path_matches("/a/b", "/a/"));
    EXPECT_FALSE(path_matches("/ab", "/a"));
    EXPECT_FALSE(path_matches("/a", "/a/"));
    EXPECT_FALSE(path_matches("/", "/a"));
}

TEST(cookie_path, defaults_to_the_directory_of_the_request) {
    EXPECT_EQ(default_path("/"), "/");
    EXPECT_EQ(default_path("/a"), "/");
    EXPECT_EQ(default_path("/a/"), "/a");
    EXPECT_EQ(default_path("/a/b"), "/a");
    EXPECT_EQ(request_path(*url::parse("http://h?x=/a/b")), "/");
    EXPECT_EQ(request_path(*url::parse("http://h/a/b?/c#/d")), "/a/b");
}

}  // namespace
}  // namespace pabal::http
