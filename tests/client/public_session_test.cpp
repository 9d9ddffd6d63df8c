// What the blocking session of C++ makes of its options, without a network.

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include <pabal/session.hpp>

namespace pabal {
namespace {

TEST(public_session, tells_every_request_that_the_file_of_alternative_services_cannot_be_used) {
    const std::string folder = ::testing::TempDir();
    session unusable({.alternative_services_file = folder + "pabal-missing/alt-svc"});
    for (int count = 0; count < 2; ++count) {
        const auto answer = unusable.get("http://127.0.0.1:1/");
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().where, phase::prepare);
        EXPECT_EQ(answer.error().whose, culprit::caller);
        EXPECT_NE(answer.error().message.find("pabal-missing/alt-svc"), std::string::npos) << answer.error().message;
    }
    const std::string unused = folder + "pabal-unused-alt-svc";
    session usable({.alternative_services_file = unused});
    const auto refused = usable.get("http://127.0.0.1:1/");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, error_code::connection_refused);
    usable.close();
    EXPECT_FALSE(std::filesystem::exists(unused)) << "nothing was heard";
}

}  // namespace
}  // namespace pabal
