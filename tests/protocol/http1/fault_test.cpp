#include <string>

#include <gtest/gtest.h>

#include "protocol/http1/fault.hpp"

namespace pabal::http1 {
namespace {

using namespace std::string_literals;

TEST(excerpt, is_quoted_and_holds_visible_ascii_only) {
    struct {
        std::string bytes, expected;
    } const cases[] = {
        {"", R"("")"},
        {"GET", R"("GET")"},
        {"a b", R"("a b")"},
        {"a\tb", R"("a\x09b")"},
        {"\r\nSet-Cookie: a", R"("\x0d\x0aSet-Cookie: a")"},
        {"\0"s, R"("\x00")"},
        {"\x1b[31m", R"("\x1b[31m")"},
        {"\x7f\x80\xff", R"("\x7f\x80\xff")"},
        // What quotes must not end the quotation, nor be taken for an escape.
        {"\"\\", R"("\x22\x5c")"},
    };
    for (const auto& [bytes, expected] : cases) EXPECT_EQ(excerpt(bytes), expected);
}

TEST(excerpt, is_cut_at_24_bytes) {
    EXPECT_EQ(excerpt(std::string(24, 'x')), '"' + std::string(24, 'x') + '"');
    EXPECT_EQ(excerpt(std::string(25, 'x')), '"' + std::string(24, 'x') + "...\"");
    EXPECT_EQ(excerpt(std::string(1'000'000, '\0')).size(), 24 * 4 + 5U);
}

TEST(name_of_byte, is_the_character_or_its_code) {
    EXPECT_EQ(name_of_byte('x'), "'x'");
    EXPECT_EQ(name_of_byte('~'), "'~'");
    EXPECT_EQ(name_of_byte(' '), "0x20");
    EXPECT_EQ(name_of_byte(0), "0x00");
    EXPECT_EQ(name_of_byte(0x0B), "0x0b");
    EXPECT_EQ(name_of_byte(0xFE), "0xfe");
}

TEST(fault, is_a_bad_request_unless_told_otherwise) {
    const fault found;
    EXPECT_EQ(found.code, error_code::malformed_message);
    EXPECT_EQ(found.status, 400);
}

}  // namespace
}  // namespace pabal::http1
