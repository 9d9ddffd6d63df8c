#include <gtest/gtest.h>

#include "base/words.hpp"

namespace pabal::base {
namespace {

TEST(words, lie_between_blanks) {
    std::string_view line = " \tone  two\tthree\r";
    EXPECT_EQ(next_word(line), "one");
    EXPECT_EQ(next_word(line), "two");
    EXPECT_EQ(next_word(line), "three");
    EXPECT_EQ(next_word(line), "");
    EXPECT_EQ(next_word(line), "");
}

TEST(lines, may_be_empty_and_the_last_may_have_no_end) {
    std::string_view text = "one\n\nthree";
    EXPECT_EQ(next_line(text), "one");
    EXPECT_EQ(next_line(text), "");
    EXPECT_EQ(next_line(text), "three");
    EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace pabal::base
