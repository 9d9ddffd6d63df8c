#include <array>

#include <gtest/gtest.h>

#include "base/leading_bits.hpp"

namespace pabal::base {
namespace {

TEST(leading_bits, are_compared_to_the_very_bit) {
    const std::array<unsigned char, 2> left{0b10101010, 0b11110000};
    const std::array<unsigned char, 2> right{0b10101010, 0b11111000};
    for (unsigned count = 0; count <= 12; ++count) EXPECT_TRUE(share_leading_bits(left, right, count)) << count;
    for (unsigned count = 13; count <= 16; ++count) EXPECT_FALSE(share_leading_bits(left, right, count)) << count;
}

}  // namespace
}  // namespace pabal::base
