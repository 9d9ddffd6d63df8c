#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "protocol/http/recording_stream.hpp"
#include "protocol/http3/http3_server.hpp"
#include "protocol/http3/machine.hpp"
#include "protocol/quic/quic_world.hpp"

namespace pabal::http3 {
namespace {

using testing::http3_server;
using testing::lines;
using recording_stream = http::testing::recording_stream<stream>;
using quic::testing::quic_world;
using namespace std::chrono_literals;

using http::testing::get;

/// A client machine and a server, over a network that loses nothing, or every seventh datagram.
class http3_machine : public ::testing::TestWithParam<int>, public machine_observer {
protected:
    void on_capacity_changed() override { ++capacity_changes_; }
    void on_going_away() override { ++goaways_; }

    void connect(const quic::limits& server_limits = {}, const limits& client_limits = {},
                 const quic::limits& client_quic_limits = {}, bool takes_extended_connect = false) {
        world_ = std::make_unique<quic_world>();
        server_ = std::make_unique<http3_server>(takes_extended_connect);
        machine_ = std::make_unique<machine>(client_limits);
        machine_->observe(this);
        world_->on_server_made = [this](std::unique_ptr<quic::machine>& made) { server_->ride(*made); };
        world_->begin_client(machine_->user(), client_quic_limits);
        machine_->ride(*world_->client);
        world_->client_sends = [this](std::span<char> space, quic::time_point at) { return machine_->send(space, at); };
        world_->begin_server(*server_, server_limits);
        if (GetParam() > 0) world_->loses = [this](std::string_view, bool) { return ++count_ % GetParam() == 0; };
    }
    void SetUp() override { connect(); }
    bool until(const std::function<bool()>& done) { return world_->run_until(done, 600s); }

    /// Its identifier, once the whole request has arrived; or what there is of it.
    quic::stream_id ask(recording_stream& opened, const request_head& head = get(),
                        std::optional<std::uint64_t> size = 0) {
        const std::size_t before = server_->requests.size();
        auto done = machine_->request(head, size, opened);
        EXPECT_TRUE(done) << done.error().message;
        EXPECT_TRUE(until([&] { return server_->requests.size() > before; }));
        world_->settle(GetParam() > 0 ? 3s : 200ms);
        return server_->ids().back();
    }

    std::unique_ptr<quic_world> world_;
    std::unique_ptr<http3_server> server_;
    std::unique_ptr<machine> machine_;
    int capacity_changes_ = 0;
    int goaways_ = 0;
    int count_ = 0;
    request_head root_ = get();
};

INSTANTIATE_TEST_SUITE_P(loses_every, http3_machine, ::testing::Values(0, 7));

TEST_P(http3_machine, a_request_becomes_pseudo_fields_and_fields_in_lower_case) {
    const http::testing::request_of_all_kinds posted;
    recording_stream asked;
    asked.body_parts = {"hel", "lo"};
    const auto id = ask(asked, posted.head, 5);
    EXPECT_EQ(server_->requests[id].head, posted.carried);
    EXPECT_EQ(server_->requests[id].body, "hello");
    EXPECT_TRUE(server_->requests[id].ended);
}

TEST_P(http3_machine, what_cannot_be_sent_is_the_callers_error_and_costs_nothing) {
    request_head no_host = get(), connect = get(), target = get("/a b"), length = get();
    no_host.headers.clear();
    connect.method = "CONNECT";
    length.headers.append_valid("Content-Length", "7");
    for (const request_head& wrong : {no_host, connect, target, length}) {
        recording_stream asked;
        const auto done = machine_->request(wrong, 5, asked);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().whose, culprit::caller);
        EXPECT_EQ(done.error().where, phase::prepare);
    }
    recording_stream asked;
    EXPECT_EQ(ask(asked), 0);  // no stream was used up
}

TEST_P(http3_machine, a_response_arrives_with_early_hints_and_trailers) {
    recording_stream asked;
    const auto id = ask(asked);
    server_->information(id, {{":status", "103"}, {"link", "</a>"}});
    server_->answer(id,
                    {{":status", "404"}, {"content-type", "text/plain"}, {"set-cookie", "a=1"}, {"set-cookie", "b=2"}},
                    "not here", {{"checksum", "8"}});
    ASSERT_TRUE(until([&] { return asked.ended; }));
    EXPECT_EQ(asked.informational, std::vector<int>{103});
    EXPECT_EQ(asked.head->status, 404);
    EXPECT_EQ(asked.head->reason, "Not Found");
    EXPECT_EQ(asked.head->version, http_version::http_3);
    EXPECT_EQ(asked.head->headers.size(), 3U);
    EXPECT_EQ(asked.head->headers.count(field_id::set_cookie), 2U);
    EXPECT_EQ(asked.body, "not here");
    EXPECT_EQ(asked.trailers_received.find("checksum"), "8");
    machine_->release(asked);
    world_->settle();
    EXPECT_FALSE(server_->requests[id].reset || server_->requests[id].stopped);
}

TEST_P(http3_machine, an_extended_connect_needs_a_server_that_takes_it_and_has_two_open_bodies) {
    request_head websocket = get("/chat");
    websocket.method = "CONNECT";
    websocket.protocol = "websocket";
    recording_stream refused;
    ASSERT_TRUE(until([&] { return machine_->knows_settings(); }));
    const auto done = machine_->request(websocket, std::nullopt, refused);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, error_code::unsupported);
    EXPECT_EQ(done.error().whose, culprit::peer);

    connect({}, {}, {}, true);
    EXPECT_FALSE(machine_->knows_settings());
    ASSERT_TRUE(until([&] { return machine_->takes_extended_connect(); }));
    recording_stream asked;
    asked.body_parts = {std::nullopt};
    const auto id = ask(asked, websocket, std::nullopt);
    EXPECT_EQ(server_->requests[id].field(":method"), "CONNECT");
    EXPECT_EQ(server_->requests[id].field(":protocol"), "websocket");
    EXPECT_EQ(server_->requests[id].field(":path"), "/chat");
    server_->head(id, {{":status", "200"}});
    ASSERT_TRUE(until([&] { return asked.head.has_value(); }));
    asked.body_parts = {"ping", std::nullopt};
    machine_->resume_sending(asked);
    ASSERT_TRUE(until([&] { return server_->requests[id].body == "ping"; }));
    server_->add(id, "pong");
    ASSERT_TRUE(until([&] { return asked.body == "pong"; }));
    EXPECT_FALSE(asked.ended || server_->requests[id].ended);
}

TEST_P(http3_machine, a_body_of_unknown_size_waits_for_its_source_and_ends_with_trailers) {
    recording_stream asked;
    asked.body_parts = {"one", std::nullopt, "two"};
    asked.trailers_to_send.append_valid("Checksum", "6");
    request_head head = get();
    head.method = "PUT";
    const auto id = ask(asked, head, std::nullopt);
    EXPECT_EQ(server_->requests[id].body, "one");
    EXPECT_FALSE(server_->requests[id].ended);
    machine_->resume_sending(asked);
    ASSERT_TRUE(until([&] { return server_->requests[id].ended; }));
    EXPECT_EQ(server_->requests[id].body, "onetwo");
    EXPECT_EQ(server_->requests[id].trailers, (lines{{"checksum", "6"}}));
}

TEST_P(http3_machine, a_large_body_arrives_whole_and_little_of_it_is_kept) {
    limits few;
    few.max_unacknowledged = 64 * 1024;
    connect({}, few);
    recording_stream asked;
    std::string body(3'000'000, ' ');
    for (std::size_t at = 0; at < body.size(); ++at) body[at] = static_cast<char>('a' + at % 23);
    asked.body_parts = {body};
    request_head head = get();
    head.method = "PUT";
    ASSERT_TRUE(machine_->request(head, body.size(), asked));
    ASSERT_TRUE(until([&] { return server_->requests[0].body.size() > 500'000; }));
    ASSERT_FALSE(asked.body_parts.empty());
    const std::size_t read = body.size() - asked.body_parts.front()->size();
    EXPECT_LE(read, server_->requests[0].body.size() + 2 * few.max_unacknowledged);
    ASSERT_TRUE(until([&] { return server_->requests[0].ended; }));
    EXPECT_TRUE(server_->requests[0].body == body);
}

TEST_P(http3_machine, a_body_that_is_not_what_was_announced_is_given_up) {
    for (const std::string_view body : {"four", "sixsix"}) {
        recording_stream asked;
        asked.body_parts = {std::string(body)};
        request_head head = get();
        head.method = "PUT";
        ASSERT_TRUE(machine_->request(head, 5, asked));
        ASSERT_TRUE(until([&] { return asked.failure.has_value(); })) << body;
        world_->settle();
        EXPECT_EQ(asked.failure->code, error_code::request_body_failed);
        for (const auto& [id, came] : server_->requests) EXPECT_FALSE(came.ended);
    }
}

TEST_P(http3_machine, a_source_that_fails_ends_its_stream_alone) {
    recording_stream failing, other;
    failing.body_parts = {"some"};
    failing.body_failure = error{error_code::request_body_failed, phase::write, culprit::caller, 0, "disk"};
    request_head head = get();
    head.method = "PUT";
    const auto id = ask(failing, head, std::nullopt);
    ASSERT_TRUE(until([&] { return server_->requests[id].reset.has_value(); }));
    EXPECT_FALSE(server_->requests[id].ended);
    server_->answer(ask(other), {{":status", "204"}});
    EXPECT_TRUE(until([&] { return other.ended; }));
}

TEST_P(http3_machine, what_is_not_consumed_stops_the_peer_at_the_streams_window_and_no_other_stream) {
    quic::limits windows;
    windows.max_stream_window = windows.stream_window;
    connect({}, {}, windows);
    recording_stream slow, quick;
    const auto first = ask(slow);
    const std::string large(3 * 1024 * 1024, 'x');
    server_->answer(first, {{":status", "200"}}, large);
    world_->settle(30s);
    EXPECT_LE(slow.body.size(), windows.stream_window);
    EXPECT_GE(slow.body.size(), windows.stream_window - 1024);
    const auto second = ask(quick);
    server_->answer(second, {{":status", "200"}}, "quick");
    EXPECT_TRUE(until([&] { return quick.ended; }));
    for (std::size_t consumed = 0; !slow.ended;) {
        ASSERT_LT(consumed, slow.body.size()) << "the peer was not told that there is room";
        machine_->consume(slow, slow.body.size() - consumed);
        consumed = slow.body.size();
        world_->settle(30s);
    }
    EXPECT_EQ(slow.body.size(), large.size());
}

TEST_P(http3_machine, a_stream_the_peer_ends_says_why) {
    recording_stream refused, cancelled, broken;
    const auto a = ask(refused), b = ask(cancelled), c = ask(broken);
    server_->reset(a, NGHTTP3_H3_REQUEST_REJECTED);
    server_->reset(b, NGHTTP3_H3_INTERNAL_ERROR);
    server_->head(c, {{":status", "200"}});
    ASSERT_TRUE(until([&] { return refused.failure && cancelled.failure && broken.head; }));
    server_->reset(c, NGHTTP3_H3_REQUEST_CANCELLED);
    ASSERT_TRUE(until([&] { return broken.failure.has_value(); }));
    EXPECT_TRUE(refused.unprocessed);
    EXPECT_EQ(refused.failure->code, error_code::connection_closed);
    EXPECT_FALSE(cancelled.unprocessed);
    EXPECT_EQ(cancelled.failure->code, error_code::stream_reset);
    EXPECT_NE(cancelled.failure->message.find("H3_INTERNAL_ERROR"), std::string::npos);
    EXPECT_EQ(broken.failure->code, error_code::body_incomplete);
    EXPECT_EQ(broken.failure->whose, culprit::peer);
}

/// RFC 9114 section 4.1: a server that needs no more of the request says so, and its response counts.
TEST_P(http3_machine, a_response_without_the_rest_of_the_request_is_a_response) {
    recording_stream asked;
    asked.body_parts = {"some", std::nullopt};
    request_head head = get();
    head.method = "PUT";
    const auto id = ask(asked, head, std::nullopt);
    server_->answer(id, {{":status", "413"}}, "too much");
    server_->stop(id, NGHTTP3_H3_NO_ERROR);
    ASSERT_TRUE(until([&] { return asked.ended; }));
    EXPECT_EQ(asked.body, "too much");
    EXPECT_FALSE(asked.failure);
    machine_->release(asked);
    EXPECT_TRUE(until([&] { return server_->requests[id].reset.has_value(); }));
}

TEST_P(http3_machine, a_peer_that_goes_away_finishes_what_it_said_it_would) {
    recording_stream kept, late;
    const auto first = ask(kept);
    server_->go_away();
    ASSERT_TRUE(until([&] { return goaways_ > 0; }));
    EXPECT_FALSE(machine_->accepts_streams());
    EXPECT_FALSE(kept.failure);
    server_->answer(first, {{":status", "200"}}, "bye");
    ASSERT_TRUE(until([&] { return kept.ended; }));
    EXPECT_EQ(kept.body, "bye");
}

TEST_P(http3_machine, what_a_peer_that_goes_away_has_not_looked_at_is_unprocessed) {
    quic::limits one;
    one.peer_streams = 1;
    connect(one);
    recording_stream kept, waiting;
    ask(kept);
    ASSERT_TRUE(machine_->request(root_, 0, waiting));
    server_->go_away();
    ASSERT_TRUE(until([&] { return waiting.failure.has_value(); }));
    EXPECT_TRUE(waiting.unprocessed);
    EXPECT_FALSE(kept.failure);
}

TEST_P(http3_machine, whoever_hears_that_a_peer_goes_away_may_let_go_of_others) {
    quic::limits one;
    one.peer_streams = 1;
    connect(one);
    recording_stream kept, first, second, third;
    ask(kept);
    for (recording_stream* waiting : {&first, &second, &third}) ASSERT_TRUE(machine_->request(root_, 0, *waiting));
    first.then = [&] { machine_->release(second); };
    server_->go_away();
    ASSERT_TRUE(until([&] { return third.failure.has_value(); }));
    EXPECT_TRUE(first.unprocessed && third.unprocessed);
    EXPECT_FALSE(second.failure);
    EXPECT_FALSE(kept.failure);
}

TEST_P(http3_machine, requests_wait_until_the_peer_allows_another_stream) {
    quic::limits two;
    two.peer_streams = 2;
    connect(two);
    std::vector<std::unique_ptr<recording_stream>> asked;
    for (int count = 0; count < 5; ++count) {
        asked.push_back(std::make_unique<recording_stream>());
        ASSERT_TRUE(machine_->request(root_, 0, *asked.back()));
    }
    world_->settle(3s);
    EXPECT_EQ(machine_->peer_capacity(), 2U);
    EXPECT_EQ(server_->requests.size(), 2U);
    machine_->release(*asked[4]);  // which was not sent yet, and never is
    for (std::size_t at = 0; at < 4; ++at) {
        ASSERT_TRUE(until([&] { return server_->requests.size() > at; }));
        server_->answer(server_->ids()[at], {{":status", "204"}});
        ASSERT_TRUE(until([&] { return asked[at]->ended; }));
        machine_->release(*asked[at]);
    }
    world_->settle(3s);
    EXPECT_EQ(server_->requests.size(), 4U);
    EXPECT_GE(capacity_changes_, 1);
}

TEST_P(http3_machine, a_stream_that_was_let_go_is_reset_and_heard_of_no_more) {
    const auto abandoned = std::make_unique<recording_stream>();
    const auto id = ask(*abandoned);
    server_->answer(id, {{":status", "200"}}, std::string(5'000'000, 'x'));
    machine_->release(*abandoned);
    world_->settle(3s);
    EXPECT_EQ(server_->requests[id].stopped, std::uint64_t{NGHTTP3_H3_REQUEST_CANCELLED});
    EXPECT_FALSE(abandoned->head || abandoned->ended || abandoned->failure);
    recording_stream other;
    server_->answer(ask(other), {{":status", "204"}});
    EXPECT_TRUE(until([&] { return other.ended; }));
}

TEST_P(http3_machine, heads_are_bounded) {
    lines many{{":status", "200"}}, large{{":status", "200"}};
    for (std::size_t count = 0; count <= limits{}.max_fields; ++count) many.emplace_back("x", "y");
    for (std::size_t size = 0; size <= limits{}.max_head; size += 1000) large.emplace_back("x", std::string(1000, 'y'));
    for (const lines& head : {many, large}) {
        recording_stream asked, other;
        server_->answer(ask(asked), head, "body");
        ASSERT_TRUE(until([&] { return asked.failure.has_value(); }));
        EXPECT_EQ(asked.failure->code, error_code::head_too_large);
        server_->answer(ask(other), {{":status", "200"}}, "fine");
        ASSERT_TRUE(until([&] { return other.ended; }));
    }
    EXPECT_FALSE(world_->client->failure());
}

TEST_P(http3_machine, informational_responses_are_bounded) {
    recording_stream asked;
    const auto id = ask(asked);
    for (unsigned count = 0; count <= max_informational_responses; ++count)
        server_->information(id, {{":status", "103"}});
    ASSERT_TRUE(until([&] { return asked.failure.has_value(); }));
    EXPECT_EQ(asked.informational.size(), max_informational_responses);
}

TEST_P(http3_machine, a_malformed_message_ends_its_stream_and_no_other) {
    for (const auto& [what, head] : {std::pair{"connection", lines{{":status", "200"}, {"connection", "close"}}},
                                     {"transfer-encoding", {{":status", "200"}, {"transfer-encoding", "chunked"}}},
                                     {"long status", {{":status", "2000"}}},
                                     {"no status", {{"x", "y"}}},
                                     {"two statuses", {{":status", "200"}, {":status", "200"}}},
                                     {"longer than announced", {{":status", "200"}, {"content-length", "3"}}},
                                     {"shorter than announced", {{":status", "200"}, {"content-length", "5"}}}}) {
        recording_stream asked, other;
        server_->answer(ask(asked), head, "body");
        ASSERT_TRUE(until([&] { return asked.ended || asked.failure; })) << what;
        EXPECT_FALSE(asked.ended) << what;
        if (!asked.failure) continue;
        EXPECT_EQ(asked.failure->code, error_code::malformed_message) << what;
        EXPECT_EQ(asked.failure->whose, culprit::peer) << what;
        server_->answer(ask(other), {{":status", "200"}}, "fine");
        ASSERT_TRUE(until([&] { return other.ended; })) << what;
    }
}

/// nghttp3 leaves them out instead of refusing the message.
TEST_P(http3_machine, fields_that_http3_forbids_never_reach_anybody) {
    recording_stream asked;
    server_->answer(ask(asked), {{":status", "200"}, {"feed", "a\nb"}, {"nul", {"a\0b", 3}}, {"x", "y"}});
    ASSERT_TRUE(until([&] { return asked.ended; }));
    for (const fields::field line : asked.head->headers) EXPECT_EQ(line.name, "x") << line.value;
    EXPECT_EQ(asked.head->headers.find("x"), "y");
}

TEST_P(http3_machine, going_away_tells_the_peer) {
    recording_stream asked;
    ask(asked);
    machine_->go_away();
    world_->loses = nullptr;
    ASSERT_TRUE(until([&] { return world_->server->failure().has_value(); }));
    EXPECT_NE(world_->server->failure()->message.find("code 256"), std::string::npos);
    EXPECT_FALSE(machine_->accepts_streams());
}

}  // namespace
}  // namespace pabal::http3
