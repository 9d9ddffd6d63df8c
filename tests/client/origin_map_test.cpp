#include <gtest/gtest.h>

#include "client/origin_map.hpp"

namespace pabal::client {
namespace {

url at(std::string_view text) { return url::parse(text).value(); }

TEST(origin_pattern, matches_exactly) {
    const struct {
        const char* pattern;
        const char* place;
        int match;
    } cases[] = {
        {"a.example", "http://a.example/x", 1},
        {"a.example", "https://A.example:8443/", 1},
        {"A.Example", "http://a.example/", 1},
        {"a.example/", "http://a.example/", 1},
        {"a.example", "http://b.a.example/", 0},
        {"a.example", "http://aa.example/", 0},
        {"a.example", "http://a.example@b.example/", 0},
        {"a.example", "http://b.example/a.example", 0},
        {"a.example:80", "http://a.example/", 2},
        {"a.example:443", "https://a.example/", 2},
        {"a.example:81", "http://a.example/", 0},
        {"http://a.example", "http://a.example:80/x", 3},
        {"http://a.example", "https://a.example/", 0},
        {"https://a.example:8443/", "https://a.example:8443/", 3},
        {"https://a.example", "https://a.example:8443/", 0},
        {"[::1]", "http://[0:0::1]:8080/", 1},
        {"[::1]:8080", "http://[::1]:8080/", 2},
        {"127.0.0.1", "http://127.0.0.1:1234/", 1},
        {"localhost", "http+unix://%2Frun%2Fsocket/", 0},
    };
    for (const auto& each : cases) {
        const auto pattern = origin_pattern::parse(each.pattern);
        ASSERT_TRUE(pattern) << each.pattern;
        EXPECT_EQ(pattern->matches(at(each.place)), each.match) << each.pattern << " " << each.place;
    }
}

TEST(origin_pattern, refuses_what_is_no_place) {
    for (const auto* text : {"", "*.example", "a b", "a.example/path", "http://a.example/path", "a.example?q",
                             "http://user@a.example", "user@a.example", "ftp://a.example", "a.example:99999", "127.1"})
        EXPECT_FALSE(origin_pattern::parse(text)) << text;
    EXPECT_EQ(origin_pattern::parse("a/b").error().code, error_code::invalid_argument);
}

TEST(origin_map, the_most_specific_entry_counts) {
    origin_map<int> map;
    map.add(*origin_pattern::parse("a.example"), 1);
    map.add(*origin_pattern::parse("https://a.example"), 3);
    map.add(*origin_pattern::parse("a.example:443"), 2);
    map.add(*origin_pattern::parse("a.example"), 4);
    EXPECT_EQ(*map.find(at("https://a.example/")), 3);
    EXPECT_EQ(*map.find(at("http://a.example:443/")), 2);
    EXPECT_EQ(*map.find(at("http://a.example/")), 1);
    EXPECT_EQ(map.find(at("http://b.example/")), nullptr);
}

}  // namespace
}  // namespace pabal::client
