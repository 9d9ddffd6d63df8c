#include <gtest/gtest.h>

#include "protocol/http2/stream_history.hpp"

namespace pabal::http2 {
namespace {

constexpr bool headers = true, data = false, ends = true, goes_on = false;

TEST(stream_history, a_message_may_go_on_until_its_end) {
    stream_history history;
    EXPECT_EQ(history.message_frame(1, headers, goes_on), error_reason::no_error);
    EXPECT_EQ(history.message_frame(1, data, goes_on), error_reason::no_error);
    EXPECT_EQ(history.message_frame(1, headers, ends), error_reason::no_error) << "trailers";
    EXPECT_EQ(history.message_frame(1, data, goes_on), error_reason::stream_closed);
    EXPECT_EQ(history.message_frame(1, headers, goes_on), error_reason::stream_closed);
}

TEST(stream_history, nothing_follows_a_reset) {
    stream_history history;
    history.message_frame(3, headers, goes_on);
    history.reset_frame(3);
    EXPECT_EQ(history.message_frame(3, data, goes_on), error_reason::stream_closed);
}

// RFC 9113 section 5.1.1: to open a stream closes all idle ones below it.
TEST(stream_history, identifiers_only_grow) {
    stream_history history;
    history.message_frame(5, headers, ends);
    EXPECT_EQ(history.message_frame(3, headers, ends), error_reason::protocol_error);
    EXPECT_EQ(history.message_frame(1, data, ends), error_reason::protocol_error);
    EXPECT_EQ(history.message_frame(7, headers, ends), error_reason::no_error);
}

TEST(stream_history, of_streams_of_long_ago_nothing_is_known) {
    stream_history history;
    history.message_frame(1, headers, ends);
    for (std::int32_t id = 3; id < 3 + 2 * 300; id += 2) history.message_frame(id, headers, goes_on);
    EXPECT_EQ(history.message_frame(1, data, goes_on), error_reason::no_error);
    EXPECT_EQ(history.message_frame(601, data, ends), error_reason::no_error);
    EXPECT_EQ(history.message_frame(601, data, ends), error_reason::stream_closed);
}

TEST(stream_history, a_leap_costs_no_more_than_what_is_remembered) {
    stream_history history;
    history.message_frame(1, headers, goes_on);
    EXPECT_EQ(history.message_frame(0x7fffffff, headers, ends), error_reason::no_error);
    EXPECT_EQ(history.message_frame(0x7ffffffd, headers, ends), error_reason::protocol_error);
    EXPECT_EQ(history.message_frame(1, data, goes_on), error_reason::no_error);
}

TEST(stream_history, what_is_not_a_clients_stream_is_judged_elsewhere) {
    stream_history history;
    EXPECT_EQ(history.message_frame(0, data, ends), error_reason::no_error);
    EXPECT_EQ(history.message_frame(2, headers, ends), error_reason::no_error);
    EXPECT_EQ(history.message_frame(9, data, ends), error_reason::no_error) << "an idle stream";
    EXPECT_EQ(history.message_frame(1, headers, ends), error_reason::no_error);
}

}  // namespace
}  // namespace pabal::http2
