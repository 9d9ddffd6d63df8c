#include <cerrno>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <pabal/error.hpp>
#include <pabal/result.hpp>

namespace pabal {
namespace {

TEST(error, every_code_has_its_own_name) {
    std::set<std::string_view> names;
    constexpr int count = static_cast<int>(error_code::cancelled) + 1;
    for (int code = 0; code < count; ++code) {
        const auto name = name_of(static_cast<error_code>(code));
        EXPECT_NE(name, "unknown") << code;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
    for (int where = 0; where <= static_cast<int>(phase::total); ++where)
        EXPECT_NE(name_of(static_cast<phase>(where)), "unknown") << where;
    for (int whose = 0; whose <= static_cast<int>(culprit::local); ++whose)
        EXPECT_NE(name_of(static_cast<culprit>(whose)), "unknown") << whose;
}

TEST(error, errno_becomes_a_code_and_a_culprit) {
    struct {
        int system_errno;
        phase where;
        error_code code;
        culprit whose;
    } const cases[] = {
        {ECONNREFUSED, phase::connect, error_code::connection_refused, culprit::peer},
        {ENETUNREACH, phase::connect, error_code::network_unreachable, culprit::network},
        {EHOSTUNREACH, phase::read, error_code::network_unreachable, culprit::network},
        {ECONNRESET, phase::read, error_code::connection_reset, culprit::peer},
        {EPIPE, phase::write, error_code::connection_reset, culprit::peer},
        {EMFILE, phase::connect, error_code::too_many_open_files, culprit::local},
        {ENFILE, phase::connect, error_code::too_many_open_files, culprit::local},
        {ETIMEDOUT, phase::connect, error_code::timed_out, culprit::network},
        {EADDRNOTAVAIL, phase::connect, error_code::connect_failed, culprit::local},
        {EINVAL, phase::connect, error_code::connect_failed, culprit::network},
        {EIO, phase::write, error_code::write_failed, culprit::network},
        {EIO, phase::read, error_code::connection_reset, culprit::network},
        {EIO, phase::resolve, error_code::resolver_failed, culprit::network},
        {EIO, phase::tls, error_code::tls_failed, culprit::network},
    };
    for (const auto& expected : cases) {
        const error made = error_from_errno(expected.system_errno, expected.where, "connect to 127.0.0.1:80");
        EXPECT_EQ(name_of(made.code), name_of(expected.code)) << expected.system_errno;
        EXPECT_EQ(name_of(made.whose), name_of(expected.whose)) << expected.system_errno;
        EXPECT_EQ(made.where, expected.where);
        EXPECT_EQ(made.system_errno, expected.system_errno);
    }
}

TEST(error, the_message_says_what_was_done_and_what_the_system_said) {
    EXPECT_EQ(error_from_errno(ECONNREFUSED, phase::connect, "connect to 127.0.0.1:80").message,
              "connect to 127.0.0.1:80: Connection refused");
    EXPECT_EQ(error_from_errno(ECONNREFUSED, phase::connect, "").message, "Connection refused");
}

TEST(result, holds_a_value_or_an_error) {
    result<std::string> good = std::string{"value"};
    ASSERT_TRUE(good);
    EXPECT_EQ(*good, "value");
    result<std::string> bad = error{error_code::timed_out, phase::read, culprit::network, 0, "late"};
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().message, "late");
    EXPECT_EQ(bad.value_or("fallback"), "fallback");
    result<void> nothing;
    EXPECT_TRUE(nothing);
    nothing = error{};
    EXPECT_FALSE(nothing);
}

}  // namespace
}  // namespace pabal
