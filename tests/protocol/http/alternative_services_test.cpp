#include <gtest/gtest.h>

#include "protocol/http/alternative_services.hpp"

namespace pabal::http {
namespace {

using namespace std::chrono_literals;

/// "protocol host:port seconds", with "!" for one that persists; "none" for what is to be ignored, "clear" for what clears.
std::string written(const std::optional<alternative_services>& read) {
    if (!read) return "none";
    if (read->empty()) return "clear";
    std::string out;
    for (const alternative_service& each : *read) {
        if (!out.empty()) out += ", ";
        out += each.protocol + ' ' + each.host + ':' + std::to_string(each.port) + ' ' +
               std::to_string(each.max_age.count()) + (each.persists ? "!" : "");
    }
    return out;
}

TEST(alternative_services, are_read) {
    const std::pair<const char*, const char*> cases[] = {
        // The examples of RFC 7838 section 3.
        {R"(h2=":8000")", "h2 :8000 86400"},
        {R"(h2="new.example.org:80")", "h2 new.example.org:80 86400"},
        {R"(h2="alt.example.com:8000", h2=":443")", "h2 alt.example.com:8000 86400, h2 :443 86400"},
        {R"(h2=":443"; ma=3600)", "h2 :443 3600"},
        {R"(h2=":443"; ma=2592000; persist=1)", "h2 :443 2592000!"},
        {"clear", "clear"},
        // As servers send it.
        {R"(h3=":443"; ma=86400,h3-29=":443"; ma=86400)", "h3 :443 86400, h3-29 :443 86400"},
        {R"(h3=":443";ma="60";x=y;persist=2)", "h3 :443 60"},
        {R"(w%3Dx%3Ay#z=":1")", "w=x:y#z :1 86400"},
        {R"(h3="[2001:DB8::1]:443")", "h3 2001:db8::1:443 86400"},
        {R"(h3="EXAMPLE.com:443")", "h3 example.com:443 86400"},
        {R"(h3=":443"; ma=99999999999999999999)", "h3 :443 2147483647"},
        {R"(, h3=":1",, h3=":2" ,)", "h3 :1 86400, h3 :2 86400"},
    };
    for (const auto& [value, expected] : cases)
        EXPECT_EQ(written(parse_alternative_services(value)), expected) << value;
}

TEST(alternative_services, that_are_malformed_say_nothing) {
    for (const char* value :
         {"", " ", "h3", "h3=", "h3=:443", R"(h3=":443)", R"(="x:1")", R"(h3=":443" x)", R"(h3=":443"; ma)",
          R"(h3=":443"; ma=x)", R"(h3=":443"; ma=-1)", R"(h3=":443";)", "CLEAR", R"(h3=":443", h2)"})
        EXPECT_EQ(written(parse_alternative_services(value)), "none") << value;
}

TEST(alternative_services, that_cannot_be_reached_are_left_out) {
    for (const char* place :
         {":0", ":", ":65536", "443", ":x", "a b:443", "127.1:443", "[::1:443", "[fe80::1%25lo]:443", "[x]:1"}) {
        const std::string value = std::string(R"(h3=")") + place + R"(", h2=":443")";
        EXPECT_EQ(written(parse_alternative_services(value)), "h2 :443 86400") << place;
    }
}

TEST(alternative_services, of_several_lines_are_one_list) {
    fields headers;
    EXPECT_EQ(written(parse_alternative_services(headers)), "none");
    headers.append_valid("Alt-Svc", R"(h3=":443")");
    headers.append_valid("alt-svc", R"(h2=":444"; ma=100)");
    EXPECT_EQ(written(parse_alternative_services(headers, 40s)), "h3 :443 86360, h2 :444 60");
    EXPECT_EQ(written(parse_alternative_services(headers, 90'000s)), "h3 :443 0, h2 :444 0");
    headers.append_valid("Alt-Svc", "clear");
    EXPECT_EQ(written(parse_alternative_services(headers)), "clear");
}

TEST(alternative_services, are_bounded) {
    std::string many;
    for (int number = 1; number <= 1000; ++number) many += "h3=\":" + std::to_string(number) + "\", ";
    EXPECT_EQ(parse_alternative_services(many)->size(), max_alternative_services);
}

}  // namespace
}  // namespace pabal::http
