#include <gtest/gtest.h>

#include "dial/service_binding.hpp"

namespace pabal::dial {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

using parameters = std::vector<service_parameter>;

TEST(service_binding, says_where_and_how_an_origin_is_served) {
    const auto read = read_service_binding(1, "svc.example.net.",
                                           parameters{{0, "\0\1\0\3"sv},
                                                      {1, "\2h3\2h2"},
                                                      {2, ""},
                                                      {3, "\x20\xfb"},
                                                      {4, "\xc0\0\2\1\xc0\0\2\2"sv},
                                                      {5, "config"},
                                                      {6, " \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"sv},
                                                      {65280, "private"}});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->priority, 1);
    EXPECT_EQ(read->target, "svc.example.net");
    EXPECT_EQ(read->protocols, (std::vector{"h3"s, "h2"s}));
    EXPECT_EQ(read->port, 8443);
    EXPECT_EQ(read->ech, "config");
    EXPECT_EQ(read->hints, (std::vector{*address::parse("192.0.2.1"), *address::parse("192.0.2.2"),
                                        *address::parse("2001:db8::1")}));
    EXPECT_TRUE(read->speaks("h3"));
    EXPECT_FALSE(read->speaks("http/1.1"));
}

TEST(service_binding, speaks_http_1_1_unless_it_says_otherwise) {
    EXPECT_TRUE(read_service_binding(1, ".", {})->speaks("http/1.1"));
    EXPECT_FALSE(read_service_binding(1, ".", {})->speaks("h2"));
    EXPECT_EQ(read_service_binding(1, ".", {})->target, "") << "the record's own name";
}

TEST(service_binding, that_is_malformed_or_asks_too_much_is_none) {
    const service_parameter cases[] = {
        {0, ""},  {0, "\0"sv}, {0, "\0\7"sv}, {0, "\0\0"sv}, {1, ""},       {1, "\3h3"}, {1, "\0"sv},
        {2, "x"}, {3, "\1"},   {3, "\0\0"sv}, {4, ""},       {4, "\1\2\3"}, {5, ""},     {6, "\1\2\3\4"},
    };
    for (const service_parameter& each : cases)
        EXPECT_FALSE(read_service_binding(1, "a.example", parameters{each})) << each.key << ' ' << each.value.size();
    EXPECT_FALSE(read_service_binding(1, "a.example", parameters{{2, ""}})) << "no protocol is left";
}

TEST(service_binding, an_alias_says_nothing_else) {
    const auto alias = read_service_binding(0, "pool.example.net", parameters{{3, "x"}});
    ASSERT_TRUE(alias);
    EXPECT_EQ(alias->target, "pool.example.net");
    std::vector<service_binding> all{
        {.priority = 2, .target = "b"}, {.priority = 1, .target = "a"}, {.priority = 2, .target = "c"}};
    sort_by_priority(all);
    EXPECT_EQ(all[0].target + all[1].target + all[2].target, "abc");
    all.push_back(*alias);
    sort_by_priority(all);
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].target, "pool.example.net");
}

TEST(service_binding, is_asked_for_by_port) {
    EXPECT_EQ(name_of_service("example.com", 443), "example.com");
    EXPECT_EQ(name_of_service("example.com", 8443), "_8443._https.example.com");
}

}  // namespace
}  // namespace pabal::dial
