#include <string>

#include <gtest/gtest.h>

#include "dial/alternative_text.hpp"

namespace pabal::dial {
namespace {

using namespace std::chrono_literals;

constexpr alternative_cache::time_point now = std::chrono::sys_days{std::chrono::year{2027} / 1 / 1} + 10h;

std::vector<origin_alternatives> read(std::string_view text) { return read_alternatives(text, now); }

/// The lines without the comments.
std::string written(const std::vector<origin_alternatives>& origins) {
    std::string lines = write_alternatives(origins);
    while (lines.starts_with('#')) lines.erase(0, lines.find('\n') + 1);
    return lines;
}

origin_alternatives origin(std::string host, std::chrono::seconds holds = 1h) {
    return {host, 443, {{"h3", {host, 443}, now + holds}}};
}

TEST(alternative_text, is_read_as_curl_documents_it) {
    const auto read = read_alternatives("h2 quic.tech 8443 h3 quic.tech 8443 \"20190808 06:18:37\" 0 0\n",
                                        std::chrono::sys_days{std::chrono::year{2019} / 8 / 8});
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read[0].host, "quic.tech");
    EXPECT_EQ(read[0].port, 8443);
    ASSERT_EQ(read[0].places.size(), 1U);
    const auto until = std::chrono::sys_days{std::chrono::year{2019} / 8 / 8} + 6h + 18min + 37s;
    EXPECT_EQ(read[0].places[0], (known_alternative{"h3", {"quic.tech", 8443}, until, false}));
}

TEST(alternative_text, goes_there_and_back) {
    const std::string lines = "h2 www.example.com 443 h3 alt.example.com 8443 \"20270203 04:05:06\" 1 0\n"
                              "h2 www.example.com 443 h2 www.example.com 443 \"20270101 10:00:01\" 0 0\n"
                              "h2 [2001:db8::1] 8443 h3 [::1] 1 \"20281231 23:59:59\" 0 0\n"
                              "h2 192.0.2.1 443 h1 a_b.example. 65535 \"20280229 00:00:00\" 0 0\n";
    const auto origins = read(lines);
    ASSERT_EQ(origins.size(), 3U);
    EXPECT_EQ(origins[1].host, "2001:db8::1");
    EXPECT_EQ(origins[2].places[0].protocol, "http/1.1");
    EXPECT_EQ(written(origins), lines);
    EXPECT_EQ(read(write_alternatives(origins)), origins);
}

TEST(alternative_text, has_comments_and_blanks) {
    EXPECT_EQ(read("# comment\n\n   # h2 a.example 443 h3 a.example 443 \"20280101 00:00:00\" 0 0\n"
                   " h2\ta.example  443 h3 A.Example 443 \"20280101 00:00:00\" 0 0\r\n")
                  .size(),
              1U);
    EXPECT_TRUE(read("").empty());
}

TEST(alternative_text, of_an_origin_is_the_same_however_it_was_spoken_with) {
    const auto origins = read("h1 a.example 443 h3 a.example 443 \"20280101 00:00:00\" 0 0\n"
                              "h2 a.example 443 h3 a.example 443 \"20290101 00:00:00\" 1 0\n"
                              "h3 a.example 443 h3 a.example 443 \"20270201 00:00:00\" 0 0\n"
                              "h1 a.example 443 h3 b.example 443 \"20270201 00:00:00\" 0 7\n");
    EXPECT_EQ(written(origins), "h2 a.example 443 h3 a.example 443 \"20290101 00:00:00\" 1 0\n"
                                "h2 a.example 443 h3 b.example 443 \"20270201 00:00:00\" 0 0\n");
}

TEST(alternative_text, that_is_malformed_is_passed_over) {
    const std::string good = "h2 a.example 443 h3 a.example 443 \"20280101 00:00:00\" 0 0";
    ASSERT_EQ(read(good).size(), 1U);
    for (const char* bad : {
             "h2",
             "h2 a.example 443 h3 a.example 443",
             "h2 a.example 443 h3 a.example 443 \"20280101 00:00:00\" 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 00:00:00\" 0 0 0",
             "h2 a.example 443 h3 a.example 443 20280101 00:00:00 0 0",
             "h2 a.example 443 h3 a.example 443 \"20280101\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"2028010100:00:00\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"20280230 00:00:00\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"20281301 00:00:00\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 24:00:00\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 00:60:00\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 00:00:60\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 00-00-00\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"2028010x 00:00:00\" 0 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 00:00:00\" 2 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 00:00:00\" x 0",
             "h2 a.example 443 h3 a.example 443 \"20280101 00:00:00\" 0 x",
             "h2 a.example 0 h3 a.example 443 \"20280101 00:00:00\" 0 0",
             "h2 a.example 443 h3 a.example 0 \"20280101 00:00:00\" 0 0",
             "h2 a.example 65536 h3 a.example 443 \"20280101 00:00:00\" 0 0",
             "h2 a.example 443 h3 a.example +443 \"20280101 00:00:00\" 0 0",
             "h2 a..example 443 h3 a.example 443 \"20280101 00:00:00\" 0 0",
             "h2 a.example 443 h3 127.1 443 \"20280101 00:00:00\" 0 0",
             "h2 a.example 443 h3 ::1 443 \"20280101 00:00:00\" 0 0",
             "h2 a.example 443 h3 [::1%eth0] 443 \"20280101 00:00:00\" 0 0",
             "h2 a.example 443 h3-29 a.example 443 \"20280101 00:00:00\" 0 0",
             "spdy a.example 443 h3 a.example 443 \"20280101 00:00:00\" 0 0",
         }) {
        EXPECT_TRUE(read(bad).empty()) << bad;
        EXPECT_EQ(read(std::string(bad) + '\n' + good).size(), 1U) << bad;
    }
    EXPECT_TRUE(read(good + std::string(5000, ' ')).empty()) << "curl reads no line of that length";
    EXPECT_TRUE(read("h2 " + std::string(254, 'a') + good.substr(good.find(" 443"))).empty());
    EXPECT_EQ(read(std::string("\0\n", 2) + good).size(), 1U);
}

TEST(alternative_text, holds_as_long_as_it_says) {
    EXPECT_TRUE(read("h2 a.example 443 h3 a.example 443 \"20270101 10:00:00\" 0 0").empty());
    EXPECT_EQ(read("h2 a.example 443 h3 a.example 443 \"20270101 10:00:01\" 0 0").size(), 1U);
    const auto for_ever = read("h2 a.example 443 h3 a.example 443 \"99991231 23:59:59\" 0 0");
    ASSERT_EQ(for_ever.size(), 1U);
    EXPECT_GT(for_ever[0].places[0].expires, now + std::chrono::years{200}) << "and no clock overflows";
}

TEST(alternative_text, is_bounded) {
    std::string many, several;
    for (int number = 0; number < 6000; ++number) {
        const std::string rest = " 443 h3 e" + std::to_string(number) + ".example 443 \"20280101 00:00:00\" 0 0\n";
        many += "h2 host" + std::to_string(number) + rest;
        several += "h2 one.example" + rest;
    }
    const auto origins = read(many);
    EXPECT_EQ(origins.size(), max_alternative_lines);
    EXPECT_EQ(origins.back().host, "host5999") << "what was learnt last is last, as with curl";
    ASSERT_EQ(read(several).size(), 1U);
    EXPECT_EQ(read(several)[0].places.size(), http::max_alternative_services);

    const auto merged = merge_alternatives(origins, {origin("new.example")}, now);
    EXPECT_EQ(merged.size(), max_alternative_lines);
    EXPECT_EQ(merged.front().host, "host1001");
    EXPECT_EQ(merged.back().host, "new.example");
}

TEST(alternative_text, has_nothing_that_curl_does_not_know) {
    EXPECT_EQ(
        written({{"a.example", 443, {{"h3-29", {"a.example", 443}, now + 1h}, {"h3", {"a.example", 1}, now + 1h}}},
                 {"fe80::1%eth0", 443, {{"h3", {"a.example", 443}, now + 1h}}}}),
        "h2 a.example 443 h3 a.example 1 \"20270101 11:00:00\" 0 0\n");
}

TEST(alternative_text, is_merged_with_what_was_learnt_meanwhile) {
    const std::vector there{origin("a.example"), origin("b.example"), origin("c.example"), origin("d.example")};
    const std::vector news{origin("b.example", 2h), origin_alternatives{"c.example", 443, {}}, origin("d.example", 0s),
                           origin("e.example")};
    EXPECT_EQ(merge_alternatives(there, news, now),
              (std::vector{origin("a.example"), origin("b.example", 2h), origin("e.example")}));
    EXPECT_EQ(merge_alternatives(there, {}, now), there);
    EXPECT_EQ(merge_alternatives({}, news, now), (std::vector{origin("b.example", 2h), origin("e.example")}));
}

}  // namespace
}  // namespace pabal::dial
