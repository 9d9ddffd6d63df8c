// The server's half of the machine, with the client's half (which machine_test.cpp tries against nghttp3's server) at the other end.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/recording_stream.hpp"
#include "protocol/http/served_stream.hpp"
#include "protocol/http3/machine.hpp"
#include "protocol/quic/quic_world.hpp"

namespace pabal::http3 {
namespace {

using http::testing::get;
using http::testing::head_of;
using http::testing::lines;
using quic::testing::quic_world;
using recording_stream = http::testing::recording_stream<stream>;
using served_stream = http::testing::served_stream<stream>;
using namespace std::chrono_literals;

/// Over a network that loses nothing, or every seventh datagram.
class http3_server_machine : public ::testing::TestWithParam<int>, public machine_observer {
protected:
    stream* on_request_begun() override {
        if (refuses_) return nullptr;
        served_.push_back(std::make_unique<served_stream>());
        return served_.back().get();
    }
    struct client_side final : machine_observer {
        void on_going_away() override { ++goaways; }
        int goaways = 0;
    };

    void connect(const limits& server_limits = {}) {
        world_ = std::make_unique<quic_world>();
        client_ = std::make_unique<machine>();
        server_ = std::make_unique<machine>(static_cast<machine_observer&>(*this), server_limits);
        client_->observe(&clients_);
        world_->on_server_made = [this](std::unique_ptr<quic::machine>& made) { server_->ride(*made); };
        world_->begin_client(client_->user());
        client_->ride(*world_->client);
        world_->client_sends = [this](std::span<char> space, quic::time_point at) { return client_->send(space, at); };
        world_->begin_server(server_->user());
        if (GetParam() > 0) world_->loses = [this](std::string_view, bool) { return ++count_ % GetParam() == 0; };
    }
    void SetUp() override { connect(); }
    void TearDown() override {
        client_.reset();
        server_.reset();
    }
    bool until(const std::function<bool()>& done) { return world_->run_until(done, 600s); }
    /// Sends a request and waits until its end has arrived; null if it does not.
    served_stream* asked(recording_stream& by) { return asked(by, root_); }
    served_stream* asked(recording_stream& by, const request_head& head, std::optional<std::uint64_t> size = 0) {
        const std::size_t before = served_.size();
        EXPECT_TRUE(client_->request(head, size, by));
        const auto arrived = [&] {
            return served_.size() > before && (served_.back()->ended || served_.back()->too_large);
        };
        return until(arrived) ? served_.back().get() : nullptr;
    }
    void answer(served_stream& on, const response_head& head, const std::string& body = {}) {
        if (!body.empty()) on.body_parts = {body};
        const auto done = server_->respond(head, !body.empty(), on);
        EXPECT_TRUE(done) << done.error().message;
    }

    std::unique_ptr<quic_world> world_;
    client_side clients_;
    std::unique_ptr<machine> client_;
    std::vector<std::unique_ptr<served_stream>> served_;
    std::unique_ptr<machine> server_;
    const request_head root_ = get();  // a request that waits reads it later
    bool refuses_ = false;
    int count_ = 0;
};

INSTANTIATE_TEST_SUITE_P(loses_every, http3_server_machine, ::testing::Values(0, 7));

TEST_P(http3_server_machine, a_request_arrives_with_its_body_and_trailers) {
    const http::testing::request_of_all_kinds posted;
    recording_stream by;
    by.body_parts = {"hel", "lo"};
    by.trailers_to_send.append_valid("Checksum", "5");
    request_head head = posted.head;
    const served_stream* got = asked(by, head, std::nullopt);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->head->method, "POST");
    EXPECT_EQ(got->head->target, "/price?of=btc");
    EXPECT_EQ(got->head->version, http_version::http_3);
    EXPECT_EQ(got->head->headers.find(field_id::host), "example.test");
    EXPECT_EQ(got->head->headers.find("cookie"), "a=1; b=2");
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(got->trailers_received.find("checksum"), "5");
    EXPECT_FALSE(server_->is_in_head());
}

TEST_P(http3_server_machine, a_response_goes_out_with_early_hints_body_and_trailers) {
    recording_stream by;
    served_stream* got = asked(by);
    ASSERT_TRUE(got);
    EXPECT_TRUE(server_->inform(head_of(103, {{"Link", "</a>"}}), *got));
    got->trailers_to_send.append_valid("Checksum", "8");
    answer(*got, head_of(404, {{"Content-Type", "text/plain"}, {"Connection", "close"}}), "not here");
    ASSERT_TRUE(until([&] { return by.ended; }));
    EXPECT_EQ(by.informational, std::vector<int>{103});
    EXPECT_EQ(by.head->status, 404);
    EXPECT_EQ(by.head->headers.size(), 1U) << "what concerns a connection of HTTP/1.1 stays here";
    EXPECT_EQ(by.body, "not here");
    EXPECT_EQ(by.trailers_received.find("checksum"), "8");
    EXPECT_TRUE(got->was_sent);
    server_->release(*got);
    client_->release(by);
    EXPECT_TRUE(until([&] { return server_->is_idle(); })) << "all of it is acknowledged, at some time";
}

TEST_P(http3_server_machine, what_cannot_be_sent_is_the_callers_error) {
    recording_stream by;
    served_stream* got = asked(by);
    ASSERT_TRUE(got);
    EXPECT_FALSE(server_->inform(head_of(200), *got));
    EXPECT_FALSE(server_->inform(head_of(101), *got));
    EXPECT_FALSE(server_->respond(head_of(103), false, *got));
    EXPECT_FALSE(server_->respond(head_of(200, {{"Content-Length", "x"}}), false, *got));
    answer(*got, head_of(204));
    ASSERT_TRUE(until([&] { return by.ended; }));
    EXPECT_EQ(by.head->status, 204);
}

TEST_P(http3_server_machine, an_answer_may_come_before_the_end_of_its_request) {
    recording_stream by;
    by.body_parts = {"beginning", std::nullopt};
    request_head head = get();
    head.method = "POST";
    ASSERT_TRUE(client_->request(head, std::nullopt, by));
    ASSERT_TRUE(until([&] { return !served_.empty() && served_.back()->body == "beginning"; }));
    answer(*served_.back(), head_of(413));
    server_->release(*served_.back());
    ASSERT_TRUE(until([&] { return by.ended; }));
    EXPECT_EQ(by.head->status, 413);
    EXPECT_FALSE(by.failure) << "it was told that the rest is not needed, and nothing worse";
}

TEST_P(http3_server_machine, a_refused_request_was_not_processed) {
    refuses_ = true;
    recording_stream by;
    ASSERT_TRUE(client_->request(root_, 0, by));
    ASSERT_TRUE(until([&] { return by.failure.has_value(); }));
    EXPECT_TRUE(by.unprocessed);
}

TEST_P(http3_server_machine, a_client_that_gives_up_is_heard) {
    recording_stream by;
    served_stream* got = asked(by);
    ASSERT_TRUE(got);
    client_->release(by);
    answer(*got, head_of(200), std::string(500'000, 'x'));
    ASSERT_TRUE(until([&] { return got->failure.has_value(); }));
    EXPECT_EQ(got->failure->code, error_code::stream_reset);
    EXPECT_EQ(got->failure->whose, culprit::peer);
}

TEST_P(http3_server_machine, a_head_that_is_too_large_can_be_answered) {
    limits few;
    few.max_head = 1000;
    connect(few);
    request_head head = get();
    head.headers.append_valid("X-Large", std::string(2000, 'x'));
    recording_stream by;
    served_stream* got = asked(by, head);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->too_large);
    EXPECT_FALSE(got->head);
    answer(*got, head_of(431));
    ASSERT_TRUE(until([&] { return by.ended; }));
    EXPECT_EQ(by.head->status, 431);
}

TEST_P(http3_server_machine, a_head_without_end_ends_the_connection) {
    limits few;
    few.max_head = 1000;
    connect(few);
    request_head head = get();
    for (int line = 0; line < 10; ++line) head.headers.append_valid("X-Large", std::string(900, 'x'));
    recording_stream by;
    ASSERT_TRUE(client_->request(head, 0, by));
    ASSERT_TRUE(until([&] { return world_->client->failure().has_value(); }));
    EXPECT_NE(world_->server->failure()->message.find("H3_EXCESSIVE_LOAD"), std::string::npos);
    EXPECT_NE(world_->client->failure()->message.find(std::to_string(0x107)), std::string::npos)
        << world_->client->failure()->message;
}

TEST_P(http3_server_machine, a_client_that_only_gives_up_what_it_asks_is_sent_away) {
    limits few;
    few.max_resets = 10;
    connect(few);
    for (int request = 0; request < 30 && !world_->client->failure(); ++request) {
        recording_stream by;
        const std::size_t before = served_.size();
        if (!client_->request(root_, 0, by)) break;
        (void)until([&] { return served_.size() > before || world_->client->failure(); });
        client_->release(by);
        world_->settle();
    }
    ASSERT_TRUE(world_->server->failure());
    EXPECT_NE(world_->server->failure()->message.find("H3_EXCESSIVE_LOAD"), std::string::npos);
    EXPECT_LE(served_.size(), 13U);
}

TEST_P(http3_server_machine, who_waits_for_most_of_what_it_asks_may_give_up_the_rest) {
    limits few;
    few.max_resets = 5;
    connect(few);
    for (int request = 0; request < 24; ++request) {
        recording_stream by;
        served_stream* got = asked(by);
        ASSERT_TRUE(got) << request;
        if (request % 2 == 0) {
            answer(*got, head_of(200), "answered");
            ASSERT_TRUE(until([&] { return by.ended; }));
            server_->release(*got);
        }
        client_->release(by);
        world_->settle(1s);
    }
    EXPECT_FALSE(world_->server->failure());
}

TEST_P(http3_server_machine, the_end_is_announced_and_what_has_begun_is_finished) {
    recording_stream by;
    served_stream* got = asked(by);
    ASSERT_TRUE(got);
    server_->announce_end();
    ASSERT_TRUE(until([&] { return clients_.goaways > 0; }));
    server_->finish();
    world_->settle(2s);
    EXPECT_FALSE(client_->accepts_streams());
    answer(*got, head_of(200), "the last");
    ASSERT_TRUE(until([&] { return by.ended; }));
    EXPECT_EQ(by.body, "the last");
    EXPECT_FALSE(by.failure);
}

TEST_P(http3_server_machine, an_extended_connect_is_taken_where_the_limits_say_so) {
    recording_stream first;
    ASSERT_TRUE(asked(first));
    EXPECT_FALSE(client_->takes_extended_connect());

    limits generous;
    generous.extended_connect = true;
    connect(generous);
    ASSERT_TRUE(until([&] { return client_->takes_extended_connect(); }));
    request_head websocket = get("/chat");
    websocket.method = "CONNECT";
    websocket.protocol = "websocket";
    recording_stream by;
    by.body_parts = {std::nullopt};
    const std::size_t before = served_.size();
    ASSERT_TRUE(client_->request(websocket, std::nullopt, by));
    ASSERT_TRUE(until([&] { return served_.size() > before && served_.back()->head; }));
    served_stream& got = *served_.back();
    EXPECT_EQ(got.head->method, "CONNECT");
    EXPECT_EQ(got.head->protocol, "websocket");
    EXPECT_EQ(got.head->target, "/chat");
    got.body_parts = {"hello", std::nullopt};
    ASSERT_TRUE(server_->respond(head_of(200), true, got));
    ASSERT_TRUE(until([&] { return by.body == "hello"; }));
    by.body_parts = {"ping", std::nullopt};
    client_->resume_sending(by);
    ASSERT_TRUE(until([&] { return got.body == "ping"; }));
    got.body_parts = {"pong", std::nullopt};
    server_->resume_sending(got);
    ASSERT_TRUE(until([&] { return by.body == "hellopong"; }));
    EXPECT_FALSE(by.ended || got.ended);
}

TEST_P(http3_server_machine, what_is_urgent_leaves_first) {
    request_head patient = get("/patient"), urgent = get("/urgent");
    patient.headers.append_valid("Priority", "u=7");
    urgent.headers.append_valid("Priority", "u=0");
    recording_stream first, second;
    served_stream* slow = asked(first, patient);
    served_stream* fast = asked(second, urgent);
    ASSERT_TRUE(slow && fast);
    answer(*slow, head_of(200), std::string(400'000, 's'));
    answer(*fast, head_of(200), std::string(400'000, 'f'));
    ASSERT_TRUE(until([&] { return second.ended; }));
    EXPECT_LT(first.body.size(), 100'000U);
    ASSERT_TRUE(until([&] { return first.ended; }));
    EXPECT_EQ(first.body.size(), 400'000U);
}

TEST_P(http3_server_machine, a_body_larger_than_all_windows_arrives_as_it_is_used) {
    const std::string body(3'000'000, 'b');
    recording_stream by;
    by.body_parts = {body};
    request_head head = get();
    head.method = "POST";
    ASSERT_TRUE(client_->request(head, body.size(), by));
    std::size_t used = 0;
    ASSERT_TRUE(until([&] {
        if (served_.empty()) return false;
        served_stream& got = *served_.back();
        if (got.body.size() > used) {
            server_->consume(got, got.body.size() - used);
            used = got.body.size();
        }
        return got.ended;
    }));
    EXPECT_EQ(served_.back()->body, body);
    EXPECT_EQ(served_.back()->announced, body.size());
}

}  // namespace
}  // namespace pabal::http3
