// Which version of HTTP an accepted connection speaks.

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "connection/server_support.hpp"
#include "protocol/http2/http2_client.hpp"

namespace pabal::connection {
namespace {

using namespace testing;
using http2::testing::get_lines;
using http2::testing::http2_client;

class server_choice : public ::testing::TestWithParam<path>, public server_side {
protected:
    server_choice() : server_side(GetParam()) {
        script_ = [](served_request& request) { request.answer(); };
    }
    /// The peer's bytes are what this client hears and says.
    void carry(http2_client& client) {
        client_.on_heard = [&] {
            client.receive(std::exchange(client_.heard, {}));
            client_.say(client.output());
        };
    }
};
INSTANTIATE_TEST_SUITE_P(over, server_choice, ::testing::ValuesIn(memory_paths()), name_of_path);

TEST_P(server_choice, the_preface_of_http2_chooses_it) {
    http2_client client;
    carry(client);
    serve();
    const auto id = client.ask(get_lines());
    client_.say(client.output());
    ASSERT_TRUE(world_.turn_until([&] { return client.responses[id].ended; }));
    EXPECT_EQ(client.responses[id].body, "ok");
    EXPECT_EQ(request().version, http_version::http_2);
}

TEST_P(server_choice, responses_say_how_else_the_server_can_be_had_unless_they_say_something_else) {
    alternatives_ = "h3=\":443\"";
    serve();
    client_.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(hears("Alt-Svc: h3=\":443\"\r\n")) << client_.heard;
    http2_client client;
    carry(client);
    serve();
    const auto id = client.ask(get_lines());
    client_.say(client.output());
    ASSERT_TRUE(world_.turn_until([&] { return client.responses[id].ended; }));
    EXPECT_EQ(client.responses[id].field("alt-svc"), "h3=\":443\"");
}

TEST_P(server_choice, everything_else_is_http1) {
    for (const std::string_view begin : {"GET / HTTP/1.1\r\n", "P / HTTP/1.1\r\n", "PRI / HTTP/1.1\r\n"}) {
        serve();
        client_.say(std::string(begin) + "Host: x\r\n\r\n");
        ASSERT_TRUE(hears("HTTP/1.1 200 OK\r\n")) << begin;
        EXPECT_EQ(request().version, http_version::http_1_1);
    }
    serve();
    client_.say("PRI * HTTP/2.0\r\n\r\nno preface\r\n\r\n");
    ASSERT_TRUE(hears("HTTP/1.1 ")) << "who does not speak HTTP/2 is told so in HTTP/1.1";
    EXPECT_EQ(requests_.size(), 0U);
}

TEST_P(server_choice, a_client_that_says_too_little_is_let_go) {
    serve({.head = 3s});
    world_.pass(2900ms);
    EXPECT_FALSE(client_.saw_end());
    world_.pass(200ms);
    EXPECT_TRUE(client_.saw_end());
    EXPECT_EQ(client_.heard, "");
    world_.pass(1100ms);
    EXPECT_EQ(closed_, server_close_reason::idle_timeout);

    serve({.head = 3s});
    client_.say("PRI * HT");
    world_.pass(3100ms);
    EXPECT_TRUE(client_.heard.starts_with("HTTP/1.1 408 "));
    EXPECT_TRUE(client_.saw_end());
    world_.pass(1100ms);
    EXPECT_EQ(closed_, server_close_reason::request_timed_out);
}

TEST_P(server_choice, ends_before_anything_is_chosen) {
    serve();
    world_.settle();
    connection_->finish();
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::server_stopped);

    serve();
    client_.say("PRI");
    world_.settle();
    connection_->close(server_close_reason::server_stopped);
    EXPECT_EQ(closed_, server_close_reason::server_stopped);
    connection_->finish();

    serve();
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::peer_closed);
}

}  // namespace
}  // namespace pabal::connection
