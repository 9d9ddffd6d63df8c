#include <gtest/gtest.h>

#include "protocol/http/field_reader.hpp"

namespace pabal::http {
namespace {

TEST(field_reader, takes_what_it_reads_and_leaves_the_rest) {
    field_reader from(R"(token  "quoted \"text\"", Name = value; other="a b" YWJj/==)");
    EXPECT_EQ(from.token(), "token");
    EXPECT_EQ(from.token(), "");
    from.skip_space();
    EXPECT_EQ(from.quoted_string(), R"(quoted "text")");
    from.skip_commas();
    EXPECT_EQ(from.parameter(), (std::pair<std::string, std::string>("name", "value")));
    EXPECT_TRUE(from.take(';'));
    EXPECT_FALSE(from.take(';'));
    from.skip_space();
    EXPECT_EQ(from.parameter(), (std::pair<std::string, std::string>("other", "a b")));
    from.skip_space();
    EXPECT_EQ(from.token68(), "YWJj/==");
    EXPECT_TRUE(from.at_end());
}

TEST(field_reader, leaves_what_it_cannot_read) {
    for (const char* text : {"\"open", "\"open\\", "\"open\\\"", "no", ""}) {
        field_reader from(text);
        EXPECT_EQ(from.quoted_string(), std::nullopt) << text;
        EXPECT_EQ(from.parameter(), std::nullopt) << text;
        EXPECT_EQ(from.at_end(), *text == '\0') << text;
    }
    for (const char* text : {"name", "name=", "name=\"open", "=value", "name value"}) {
        field_reader from(text);
        EXPECT_EQ(from.parameter(), std::nullopt) << text;
        EXPECT_TRUE(from.at(text[0])) << text;
    }
}

}  // namespace
}  // namespace pabal::http
