#include <set>
#include <string>

#include <gtest/gtest.h>

#include "connection/client_connection.hpp"

namespace pabal::connection {
namespace {

TEST(close_reason, every_reason_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    constexpr int count = static_cast<int>(close_reason::session_closed) + 1;
    for (int each = 0; each < count; ++each) {
        const std::string_view name = name_of(static_cast<close_reason>(each));
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << name;
        EXPECT_NE(name, "unknown");
        names.insert(name);
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(name_of(close_reason::peer_said_close), "peer_said_close");
    EXPECT_EQ(name_of(close_reason::session_closed), "session_closed");
}

TEST(close_reason, a_value_that_is_none_is_unknown_and_not_a_crash) {
    EXPECT_EQ(name_of(static_cast<close_reason>(255)), "unknown");
}

}  // namespace
}  // namespace pabal::connection
