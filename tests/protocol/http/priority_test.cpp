#include <gtest/gtest.h>

#include "protocol/http/priority.hpp"

namespace pabal::http {
namespace {

TEST(priority_field, says_what_is_unusual) {
    EXPECT_EQ(priority_field({}), "u=3");
    EXPECT_EQ(priority_field({.urgency = 0}), "u=0");
    EXPECT_EQ(priority_field({.incremental = true}), "i");
    EXPECT_EQ(priority_field({.urgency = 7, .incremental = true}), "u=7, i");
}

TEST(a_priority, is_from_0_to_7) {
    EXPECT_TRUE(priority{}.is_valid() && priority{.urgency = 0}.is_valid() && priority{.urgency = 7}.is_valid());
    EXPECT_FALSE(priority{.urgency = -1}.is_valid() || priority{.urgency = 8}.is_valid());
}

}  // namespace
}  // namespace pabal::http
