#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <pabal/fields.hpp>

namespace pabal {
namespace {

const std::vector<std::pair<std::string, field_id>> known_names = {
    {"accept", field_id::accept},
    {"accept-encoding", field_id::accept_encoding},
    {"alt-svc", field_id::alt_svc},
    {"authorization", field_id::authorization},
    {"connection", field_id::connection},
    {"content-encoding", field_id::content_encoding},
    {"content-length", field_id::content_length},
    {"content-type", field_id::content_type},
    {"cookie", field_id::cookie},
    {"date", field_id::date},
    {"expect", field_id::expect},
    {"host", field_id::host},
    {"keep-alive", field_id::keep_alive},
    {"location", field_id::location},
    {"origin", field_id::origin},
    {"proxy-authenticate", field_id::proxy_authenticate},
    {"proxy-authorization", field_id::proxy_authorization},
    {"proxy-connection", field_id::proxy_connection},
    {"referer", field_id::referer},
    {"retry-after", field_id::retry_after},
    {"server", field_id::server},
    {"set-cookie", field_id::set_cookie},
    {"te", field_id::te},
    {"trailer", field_id::trailer},
    {"transfer-encoding", field_id::transfer_encoding},
    {"upgrade", field_id::upgrade},
    {"user-agent", field_id::user_agent},
    {"www-authenticate", field_id::www_authenticate},
};

std::string upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    return text;
}

std::vector<std::string> lines(const fields& all) {
    std::vector<std::string> out;
    for (const auto line : all) out.push_back(std::string{line.name} + ": " + std::string{line.value});
    return out;
}

using text_lines = std::vector<std::string>;

TEST(field_id, knows_every_name_in_any_case) {
    EXPECT_EQ(known_names.size(), static_cast<std::size_t>(field_id::www_authenticate));
    for (const auto& [name, id] : known_names) {
        EXPECT_EQ(id_of(name), id) << name;
        EXPECT_EQ(id_of(upper(name)), id) << name;
    }
    EXPECT_EQ(id_of("Content-Length"), field_id::content_length);
    EXPECT_EQ(id_of(""), field_id::other);
    EXPECT_EQ(id_of("x-request-id"), field_id::other);
}

TEST(field_id, a_name_that_differs_in_one_byte_is_another_name) {
    for (const auto& [name, id] : known_names) {
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string changed = name;
                changed[at] = static_cast<char>(byte);
                const bool same = equals_ignoring_case(changed, name);
                EXPECT_EQ(id_of(changed) == id, same) << changed << " at " << at;
            }
        }
        EXPECT_NE(id_of(name + "x"), id);
        EXPECT_NE(id_of(name.substr(1)), id);
    }
}

TEST(field_name, is_a_token) {
    for (const char* good : {"a", "Host", "X-Y_Z", "!#$%&'*+-.^_`|~0a"}) EXPECT_TRUE(is_field_name(good)) << good;
    for (const char* bad :
         {"", " ", "a b", "a:", "a\r", "a\n", "(a)", "a\"", "a/b", "\x80", "a@b", "[a]", "{a}", "a\x7f"})
        EXPECT_FALSE(is_field_name(bad)) << bad;
    EXPECT_FALSE(is_field_name(std::string_view{"a\0b", 3}));
}

TEST(field_value, holds_no_controls_and_no_outer_white_space) {
    for (const char* good : {"", "a", "a b", "a\tb", "\x80\xff", "r\xc3\xa9sum\xc3\xa9"})
        EXPECT_TRUE(is_field_value(good)) << good;
    for (const char* bad : {" ", "\t", " a", "a ", "a\t", "\ta"}) EXPECT_FALSE(is_field_value(bad)) << bad;
    // Every byte at every place of values around the width of a vector register.
    for (std::size_t size = 1; size <= 50; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string value(size, 'v');
                value[at] = static_cast<char>(byte);
                const bool inner = at > 0 && at + 1 < size;
                const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
                const bool outer_space = !inner && (byte == ' ' || byte == '\t');
                ASSERT_EQ(is_field_value(value), !control && !outer_space)
                    << "byte " << byte << " at " << at << " of " << size;
            }
        }
    }
}

TEST(equals_ignoring_case, folds_ascii_letters_only) {
    for (std::size_t size = 1; size <= 20; ++size) {
        for (int left = 0; left < 256; ++left) {
            for (const int right : {left, left ^ 0x20, left + 1}) {
                std::string a(size, 'Q');
                std::string b(size, 'q');
                a[size / 2] = static_cast<char>(left);
                b[size / 2] = static_cast<char>(right);
                const auto fold = [](int c) { return c >= 'A' && c <= 'Z' ? c + 0x20 : c; };
                const bool same = fold(left) == fold(right & 0xFF);
                ASSERT_EQ(equals_ignoring_case(a, b), same) << left << " " << right << " " << size;
            }
        }
    }
    EXPECT_FALSE(equals_ignoring_case("a", "ab"));
    EXPECT_TRUE(equals_ignoring_case("", ""));
}

TEST(fields, keep_order_spelling_and_repetition) {
    fields all;
    ASSERT_TRUE(all.append("Host", "example.com"));
    ASSERT_TRUE(all.append("X-One", "1"));
    ASSERT_TRUE(all.append("x-one", "2"));
    ASSERT_TRUE(all.append("Empty", ""));
    EXPECT_EQ(lines(all), (text_lines{"Host: example.com", "X-One: 1", "x-one: 2", "Empty: "}));
    EXPECT_EQ(all.find("X-ONE"), "1");
    EXPECT_EQ(all.find("host"), "example.com");
    EXPECT_EQ(all.find(field_id::host), "example.com");
    EXPECT_EQ(all.find("missing"), std::nullopt);
    EXPECT_EQ(all.find("empty"), "");
    EXPECT_EQ(all.joined("x-one"), "1, 2");
    EXPECT_EQ(all.joined("missing"), std::nullopt);
    EXPECT_TRUE(all.contains("EMPTY"));
    EXPECT_FALSE(all.contains(field_id::cookie));
}

TEST(fields, count_and_join_repeated_known_names) {
    fields all;
    ASSERT_TRUE(all.append("Set-Cookie", "a=1"));
    ASSERT_TRUE(all.append("Accept", "text/html"));
    ASSERT_TRUE(all.append("set-cookie", "b=2"));
    EXPECT_EQ(all.count(field_id::set_cookie), 2U);
    EXPECT_EQ(all.count(field_id::host), 0U);
    EXPECT_EQ(all.joined("Set-Cookie"), "a=1, b=2");
}

TEST(fields, set_replaces_all_lines_at_the_place_of_the_first) {
    fields all;
    for (const auto* line : {"1", "2", "3"}) ASSERT_TRUE(all.append("X", line));
    ASSERT_TRUE(all.append("Y", "y"));
    ASSERT_TRUE(all.set("x", "new"));
    EXPECT_EQ(lines(all), (text_lines{"x: new", "Y: y"}));
    ASSERT_TRUE(all.set("Z", "appended"));
    ASSERT_TRUE(all.set("Host", "h"));
    ASSERT_TRUE(all.set("HOST", "i"));
    EXPECT_EQ(lines(all), (text_lines{"x: new", "Y: y", "Z: appended", "HOST: i"}));
}

TEST(fields, remove_takes_every_line_of_the_name) {
    fields all;
    for (const auto* name : {"A", "Host", "a", "host", "B"}) ASSERT_TRUE(all.append(name, "v"));
    EXPECT_EQ(all.remove("A"), 2U);
    EXPECT_EQ(all.remove(field_id::host), 2U);
    EXPECT_EQ(all.remove("A"), 0U);
    EXPECT_EQ(lines(all), (text_lines{"B: v"}));
    all.clear();
    EXPECT_TRUE(all.empty());
}

TEST(fields, refuse_what_would_corrupt_a_message) {
    fields all;
    for (const auto& [name, value] :
         std::vector<std::pair<std::string, std::string>>{{"", "v"},
                                                          {"a b", "v"},
                                                          {"a:", "v"},
                                                          {"a\r\nb", "v"},
                                                          {"a", "v\r\nInjected: yes"},
                                                          {"a", "v\n"},
                                                          {"a", std::string("v\0w", 3)},
                                                          {"a", " v"},
                                                          {"a", "v "},
                                                          {std::string(70'000, 'a'), "v"}}) {
        for (const auto& outcome : {all.append(name, value), all.set(name, value)}) {
            ASSERT_FALSE(outcome) << name << ": " << value;
            EXPECT_EQ(outcome.error().code, error_code::invalid_header);
            EXPECT_EQ(outcome.error().whose, culprit::caller);
            EXPECT_EQ(outcome.error().message.find_first_of("\r\n"), std::string::npos);
        }
    }
    EXPECT_TRUE(all.empty());
}

TEST(fields, never_show_a_value_in_an_error) {
    fields all;
    const auto outcome = all.append("Authorization", "Bearer secret\n");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().message.find("secret"), std::string::npos);
}

TEST(fields, may_be_given_views_into_themselves) {
    fields all;
    ASSERT_TRUE(all.append("Name", "some value that is long enough to leave the small string"));
    for (int i = 0; i < 50; ++i) all.append_valid(all[0].name, all[0].value);
    ASSERT_TRUE(all.set(all[0].name, all[0].value));
    EXPECT_EQ(lines(all), (text_lines{"Name: some value that is long enough to leave the small string"}));
}

TEST(fields, take_over_a_parsed_block) {
    const std::string block = "Host: example.com\r\nX: y\r\n";
    const fields::record records[] = {{0, 6, 11, 4, field_id::host}, {19, 22, 1, 1, field_id::other}};
    fields all;
    all.assign_block(block, records, 2);
    EXPECT_EQ(lines(all), (text_lines{"Host: example.com", "X: y"}));
    ASSERT_TRUE(all.append("Z", "z"));
    ASSERT_TRUE(all.set("host", "other"));
    EXPECT_EQ(lines(all), (text_lines{"host: other", "X: y", "Z: z"}));
    const fields copy = all;
    EXPECT_EQ(lines(copy), lines(all));
}

}  // namespace
}  // namespace pabal
