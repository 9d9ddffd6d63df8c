#include <gtest/gtest.h>

#include "protocol/http/basic_auth.hpp"

namespace pabal::http {
namespace {

TEST(basic_auth, follows_the_examples_of_rfc_7617) {
    EXPECT_EQ(*basic_credentials("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_EQ(*basic_credentials("test", "123\xc2\xa3"), "Basic dGVzdDoxMjPCow==");
    EXPECT_EQ(*basic_credentials("", ""), "Basic Og==");
    EXPECT_EQ(*basic_credentials("a", "b:c"), "Basic YTpiOmM=");
}

TEST(basic_auth, refuses_what_could_not_be_read_back) {
    for (const auto& outcome :
         {basic_credentials("a:b", "c"), basic_credentials("a\n", "c"), basic_credentials("a", "secret\x7f")}) {
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, error_code::invalid_argument);
        EXPECT_EQ(outcome.error().whose, culprit::caller);
        EXPECT_EQ(outcome.error().message.find("secret"), std::string::npos);
    }
}

TEST(basic_auth, is_read_back) {
    for (const char* value : {"Basic YTpiOmM=", "basic YTpiOmM=", "BASIC  YTpiOmM="}) {
        const auto read = parse_basic_credentials(value);
        ASSERT_TRUE(read) << value;
        EXPECT_EQ(read->user, "a");
        EXPECT_EQ(read->password, "b:c");
    }
    for (const char* bad :
         {"", "Basic", "Basic ", "BasicYTpi", "Bearer YTpiOmM=", "Basic YQ==", "Basic !!!!", "Basic YToKOg=="})
        EXPECT_FALSE(parse_basic_credentials(bad)) << bad;
}

}  // namespace
}  // namespace pabal::http
