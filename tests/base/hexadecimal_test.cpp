#include <gtest/gtest.h>

#include "base/hexadecimal.hpp"

namespace pabal::base {
namespace {

TEST(hexadecimal, has_as_many_digits_as_it_needs) {
    EXPECT_EQ(hexadecimal(0), "0x0");
    EXPECT_EQ(hexadecimal(0x1f), "0x1f");
    EXPECT_EQ(hexadecimal(~std::uint64_t{0}), "0xffffffffffffffff");
}

}  // namespace
}  // namespace pabal::base
