#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "connection/unread_content.hpp"

namespace pabal::connection {
namespace {

std::string take(unread_content& from, std::size_t size) {
    std::string taken(size, ' ');
    taken.resize(from.take(taken));
    return taken;
}

TEST(unread_content, is_taken_in_the_order_in_which_it_came_wherever_it_lies) {
    unread_content content;
    content.add_copy("one ");
    content.add_in_place("two ");
    content.add_in_place("");
    content.add_in_place("three");
    EXPECT_EQ(content.size(), 13U);
    EXPECT_EQ(take(content, 6), "one tw");
    EXPECT_EQ(take(content, 4), "o th");
    EXPECT_EQ(take(content, 100), "ree");
    EXPECT_TRUE(content.empty());
    EXPECT_EQ(take(content, 100), "");
}

TEST(unread_content, what_is_kept_outlives_the_place_where_it_was_received) {
    unread_content content;
    std::string place = "first second";
    content.add_in_place(std::string_view(place).substr(0, 6));
    content.add_in_place(std::string_view(place).substr(6));
    EXPECT_EQ(take(content, 3), "fir");
    content.keep();
    std::ranges::fill(place, '#');
    content.add_copy(" third");
    EXPECT_EQ(take(content, 100), "st second third");
}

TEST(unread_content, a_copy_comes_behind_what_lies_elsewhere) {
    unread_content content;
    content.add_in_place("one");
    content.add_copy("two");
    EXPECT_EQ(take(content, 100), "onetwo");
}

TEST(unread_content, all_of_it_can_be_taken_away_whole) {
    unread_content content;
    content.add_copy("one");
    content.add_copy("two");
    EXPECT_EQ(content.take_all().view(), "onetwo");
    EXPECT_TRUE(content.empty());
}

TEST(unread_content, a_reader_who_is_always_behind_holds_no_more_memory_than_he_is_behind) {
    unread_content content;
    const std::string piece(10'000, 'x');
    content.add_copy(piece);
    for (int round = 0; round < 10'000; ++round) {
        if (round % 2 == 0) content.add_copy(piece);
        else content.add_in_place(piece);
        content.keep();
        ASSERT_EQ(take(content, piece.size()).size(), piece.size());
        ASSERT_EQ(content.size(), piece.size());
    }
    EXPECT_LT(content.capacity(), 5 * piece.size());
}

TEST(unread_content, memory_of_a_long_wait_is_given_back) {
    unread_content content;
    content.add_copy(std::string(1'000'000, 'x'));
    EXPECT_EQ(take(content, 1'000'000).size(), 1'000'000U);
    EXPECT_EQ(content.capacity(), 0U);
}

}  // namespace
}  // namespace pabal::connection
