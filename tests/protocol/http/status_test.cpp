#include <gtest/gtest.h>

#include "protocol/http/status.hpp"

namespace pabal::http {
namespace {

TEST(standard_reason, is_text_for_registered_statuses_only) {
    EXPECT_EQ(standard_reason(100), "Continue");
    EXPECT_EQ(standard_reason(422), "Unprocessable Content");
    EXPECT_EQ(standard_reason(511), "Network Authentication Required");
    std::size_t registered = 0;
    for (int status = -1; status <= 1000; ++status) {
        const std::string_view reason = standard_reason(status);
        registered += !reason.empty();
        for (const char byte : reason) EXPECT_TRUE(byte >= ' ' && byte < 0x7F) << status;
        if (status < 100 || status > 599) {
            EXPECT_EQ(reason, "") << status;
        }
    }
    EXPECT_EQ(registered, 60U);
}

}  // namespace
}  // namespace pabal::http
