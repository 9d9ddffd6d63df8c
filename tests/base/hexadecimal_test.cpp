#include <gtest/gtest.h>

#include "base/hexadecimal.hpp"

namespace pabal::base {
namespace {

TEST(hexadecimal, has_as_many_digits_as_it_needs) {
    EXPECT_EQ(hexadecimal(0), "0x0");
    EXPECT_EQ(hexadecimal(0x1f), "0x1f");
    EXPECT_EQ(hexadecimal(~std::uint64_t{0}), "0xffffffffffffffff");
}

TEST(hexadecimal, has_two_digits_for_each_byte) {
    EXPECT_EQ(hexadecimal_bytes({"\x00\xff\x1e", 3}), "00ff1e");
    EXPECT_EQ(hexadecimal_bytes({}), "");
}

}  // namespace
}  // namespace pabal::base
