#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "protocol/http/http_date.hpp"

namespace pabal::http {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr sys_seconds rfc_example{seconds{784111777}};  // 1994-11-06 08:49:37
constexpr sys_seconds today{seconds{1764000000}};       // 2025-11-24

TEST(http_date, is_written_as_imf_fixdate) {
    EXPECT_EQ(format_http_date(rfc_example), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(format_http_date(sys_seconds{}), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(format_http_date(sys_seconds{seconds{1709164800}}), "Thu, 29 Feb 2024 00:00:00 GMT");
    EXPECT_EQ(format_http_date(sys_seconds{seconds{253402300799}}), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(http_date, is_read_in_all_three_forms) {
    for (const char* text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
        EXPECT_EQ(parse_http_date(text, today), rfc_example) << text;
    EXPECT_EQ(format_http_date(*parse_http_date("Sun Nov 16 08:49:37 1994", today)), "Wed, 16 Nov 1994 08:49:37 GMT");
}

TEST(http_date, reading_undoes_writing) {
    for (std::int64_t at = -11'000'000'000; at < 250'000'000'000; at += 987'654'321) {
        const sys_seconds when{seconds{at}};
        EXPECT_EQ(parse_http_date(format_http_date(when), today), when) << at;
    }
}

TEST(http_date, a_short_year_is_the_nearest_in_the_past) {
    EXPECT_EQ(format_http_date(*parse_http_date("Sunday, 06-Nov-75 08:49:37 GMT", today)),
              "Wed, 06 Nov 2075 08:49:37 GMT");
    EXPECT_EQ(format_http_date(*parse_http_date("Sunday, 06-Nov-76 08:49:37 GMT", today)),
              "Sat, 06 Nov 1976 08:49:37 GMT");
}

TEST(http_date, anything_else_is_none) {
    for (const char* text : {"",
                             "0",
                             "now",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 nov 1994 08:49:37 GMT",
                             "Sun, 31 Feb 1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:00:00 GMT",
                             "Sun, 06 Nov 1994 08:60:37 GMT",
                             "Sun, 06 Nov 1994 08:49:61 GMT",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             " Sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov 19940 8:49:37 GMT",
                             "Sun, 06 anF 1994 08:49:37 GMT",
                             "unM, 06 Nov 1994 08:49:37 GMT",
                             "Sunday, 06-Nov-1994 08:49:37 GMT",
                             "Sun Nov 06 08:49:37 94",
                             "Sun, -6 Nov 1994 08:49:37 GMT"})
        EXPECT_EQ(parse_http_date(text, today), std::nullopt) << text;
}

TEST(cookie_date, is_read_leniently) {
    for (const char* text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
          "Sun, 06-Nov-1994 08:49:37 GMT", "6 november 94 8:49:37", "08:49:37 1994 6 nov", "1994/Nov/06 08:49:37",
          "06 Nov 1994 08:49:37 UTC+9", "06 Nov 1994x 08:49:37x", "Nov 06th 1994th 08:49:37.123"})
        EXPECT_EQ(parse_cookie_date(text), rfc_example) << text;
    EXPECT_EQ(format_http_date(*parse_cookie_date("01 Jan 69 00:00:00")), "Tue, 01 Jan 2069 00:00:00 GMT");
    EXPECT_EQ(format_http_date(*parse_cookie_date("01 Jan 70 00:00:00")), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_TRUE(parse_cookie_date("Fri, 31 Dec 9999 23:59:59 GMT"));
}

TEST(cookie_date, lacking_a_part_or_beyond_the_calendar_is_none) {
    for (const char* text :
         {"", "Sun", "06 Nov 1994", "06 Nov 08:49:37", "Nov 1994 08:49:37", "06 1994 08:49:37", "06 Nov 1600 08:49:37",
          "31 Feb 1994 08:49:37", "00 Nov 1994 08:49:37", "32 Nov 1994 08:49:37", "06 Nov 1994 24:49:37",
          "06 Nov 1994 08:60:37", "06 Nov 1994 08:49:60", "06 Nov 1994 08:49", "06 Nov 1994 008:49:37",
          "06 Nov 19940 08:49:37"})
        EXPECT_EQ(parse_cookie_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace pabal::http
