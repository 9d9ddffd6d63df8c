#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "transport/tls_buffer.hpp"

using namespace pabal::transport;

namespace {

void add(tls_buffer& buffer, std::string_view text) {
    ASSERT_LE(text.size(), buffer.space().size());
    text.copy(buffer.space().data(), text.size());
    buffer.added(text.size());
}

TEST(tls_buffers, give_back_in_order_what_was_added) {
    tls_buffer buffer;
    EXPECT_TRUE(buffer.empty());
    add(buffer, "one");
    add(buffer, "two");
    buffer.consume(2);
    EXPECT_EQ(buffer.data(), "etwo");
    buffer.release_if_empty();
    EXPECT_EQ(buffer.data(), "etwo");
    buffer.consume(4);
    EXPECT_TRUE(buffer.empty());
    EXPECT_EQ(buffer.space().size(), tls_buffer::capacity);
}

TEST(tls_buffers, make_room_by_moving_what_waits) {
    tls_buffer buffer;
    add(buffer, std::string(tls_buffer::capacity, 'x'));
    buffer.consume(tls_buffer::capacity - 3);
    EXPECT_EQ(buffer.space().size(), tls_buffer::capacity - 3);
    EXPECT_EQ(buffer.data(), "xxx");
}

TEST(tls_buffers, share_memory_through_the_threads_stock) {
    tls_buffer one;
    const char* memory = one.space().data();
    one.release_if_empty();
    tls_buffer two;
    EXPECT_EQ(two.space().data(), memory);
    tls_buffer three;
    EXPECT_NE(three.space().data(), memory);
}

}  // namespace
