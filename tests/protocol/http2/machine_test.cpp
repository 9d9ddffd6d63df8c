#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "protocol/http/recording_stream.hpp"
#include "protocol/http2/http2_server.hpp"
#include "protocol/http2/machine.hpp"

namespace pabal::http2 {
namespace {

using testing::http2_server;
using testing::lines;

using recording_stream = http::testing::recording_stream<stream>;

using http::testing::get;

/// A client machine and a server, whose bytes pass whole or one by one.
class http2_machine : public ::testing::TestWithParam<std::size_t>, public machine_observer {
protected:
    void on_capacity_changed() override { ++capacity_changes_; }
    void on_going_away() override { ++goaways_; }
    void on_pong() override { ++pongs_; }

    void pass(std::string_view bytes, auto&& receive) const {
        const std::size_t piece = GetParam() == 0 ? bytes.size() : GetParam();
        for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) receive(bytes.substr(0, piece));
    }
    /// Until neither has anything to say.
    void exchange_bytes() {
        for (bool quiet = false; !quiet;) {
            std::string out;
            ASSERT_TRUE(machine_->send(out, 1 << 20));
            pass(out, [&](std::string_view part) { server_->receive(part); });
            const std::string back = server_->output();
            quiet = out.empty() && back.empty();
            pass(back, [&](std::string_view part) {
                if (auto done = machine_->receive(part); !done && !failure_) failure_ = done.error();
            });
        }
    }
    std::int32_t ask(recording_stream& opened, const request_head& head = get(),
                     std::optional<std::uint64_t> size = 0) {
        auto done = machine_->request(head, size, opened);
        EXPECT_TRUE(done) << done.error().message;
        exchange_bytes();
        return server_->ids().back();
    }

    /// A new connection.
    void renew() {
        server_ = std::make_unique<http2_server>();
        machine_ = std::make_unique<machine>("https", *this);
        failure_.reset();
    }
    void SetUp() override { renew(); }

    std::unique_ptr<http2_server> server_;
    std::unique_ptr<machine> machine_;
    std::optional<error> failure_;
    int capacity_changes_ = 0;
    int goaways_ = 0;
    int pongs_ = 0;
};

INSTANTIATE_TEST_SUITE_P(pieces, http2_machine, ::testing::Values(0, 1, 7));

TEST_P(http2_machine, a_request_becomes_pseudo_fields_and_fields) {
    const http::testing::request_of_all_kinds posted;
    recording_stream asked;
    asked.body_parts = {"hel", "lo"};
    const auto id = ask(asked, posted.head, 5);
    EXPECT_EQ(server_->requests[id].head, posted.carried);
    EXPECT_EQ(server_->requests[id].body, "hello");
    EXPECT_TRUE(server_->requests[id].ended);
}

TEST_P(http2_machine, what_cannot_be_sent_is_the_callers_error_and_costs_nothing) {
    request_head no_host = get(), two_hosts = get(), connect = get(), target = get("/a b"), length = get(),
                 method = get();
    no_host.headers.clear();
    two_hosts.headers.append_valid("Host", "other.test");
    connect.method = "CONNECT";
    length.headers.append_valid("Content-Length", "7");
    method.method = "G T";
    for (const request_head& wrong : {no_host, two_hosts, connect, target, length, method}) {
        recording_stream asked;
        const auto done = machine_->request(wrong, 5, asked);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().whose, culprit::caller);
        EXPECT_EQ(done.error().where, phase::prepare);
    }
    recording_stream asked;
    EXPECT_EQ(ask(asked), 1);  // no identifier was used up
}

TEST_P(http2_machine, an_extended_connect_needs_a_server_that_takes_it) {
    request_head websocket = get("/chat");
    websocket.method = "CONNECT";
    websocket.protocol = "websocket";
    recording_stream early, late;
    const auto refused = machine_->request(websocket, std::nullopt, early);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, error_code::unsupported);
    EXPECT_FALSE(machine_->knows_settings());
    exchange_bytes();
    EXPECT_TRUE(machine_->knows_settings());
    EXPECT_FALSE(machine_->takes_extended_connect());
    const auto still_refused = machine_->request(websocket, std::nullopt, late);
    ASSERT_FALSE(still_refused);
    EXPECT_EQ(still_refused.error().whose, culprit::peer);
    websocket.method = "GET";
    EXPECT_EQ(machine_->request(websocket, std::nullopt, late).error().whose, culprit::caller);
}

TEST_P(http2_machine, the_bodies_of_an_extended_connect_go_both_ways_while_both_are_open) {
    server_ = std::make_unique<http2_server>(
        std::vector<nghttp2_settings_entry>{{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}});
    exchange_bytes();
    ASSERT_TRUE(machine_->takes_extended_connect());
    request_head websocket = get("/chat");
    websocket.method = "CONNECT";
    websocket.protocol = "websocket";
    recording_stream asked;
    asked.body_parts = {std::nullopt};
    const auto id = ask(asked, websocket, std::nullopt);
    EXPECT_EQ(server_->requests[id].head, (lines{{":method", "CONNECT"},
                                                 {":scheme", "https"},
                                                 {":authority", "example.test"},
                                                 {":path", "/chat"},
                                                 {":protocol", "websocket"}}));
    server_->head(id, {{":status", "200"}});
    exchange_bytes();
    ASSERT_TRUE(asked.head);
    for (int count = 0; count < 3; ++count) {
        asked.body_parts.emplace_back("ping");
        asked.body_parts.emplace_back(std::nullopt);
        machine_->resume_sending(asked);
        exchange_bytes();
        server_->add(id, "pong");
        exchange_bytes();
    }
    EXPECT_EQ(server_->requests[id].body, "pingpingping");
    EXPECT_EQ(asked.body, "pongpongpong");
    EXPECT_FALSE(asked.ended || server_->requests[id].ended);
}

TEST_P(http2_machine, a_response_arrives_with_early_hints_and_trailers) {
    recording_stream asked;
    const auto id = ask(asked);
    server_->head(id, {{":status", "103"}, {"link", "</a>"}});
    server_->answer(id,
                    {{":status", "404"}, {"content-type", "text/plain"}, {"set-cookie", "a=1"}, {"set-cookie", "b=2"}},
                    "not here", {{"checksum", "8"}});
    exchange_bytes();
    ASSERT_TRUE(asked.ended);
    EXPECT_EQ(asked.informational, std::vector<int>{103});
    EXPECT_EQ(asked.head->status, 404);
    EXPECT_EQ(asked.head->reason, "Not Found");
    EXPECT_EQ(asked.head->version, http_version::http_2);
    EXPECT_EQ(asked.head->headers.size(), 3U);
    EXPECT_EQ(asked.head->headers.count(field_id::set_cookie), 2U);
    EXPECT_EQ(asked.body, "not here");
    EXPECT_EQ(asked.trailers_received.find("checksum"), "8");
    machine_->release(asked);
    exchange_bytes();
    EXPECT_EQ(server_->requests[id].reset, 0U);
}

TEST_P(http2_machine, a_body_of_unknown_size_waits_for_its_source_and_ends_with_trailers) {
    recording_stream asked;
    asked.body_parts = {"one", std::nullopt, "two"};
    asked.trailers_to_send.append_valid("Checksum", "6");
    request_head head = get();
    head.method = "PUT";
    const auto id = ask(asked, head, std::nullopt);
    EXPECT_EQ(server_->requests[id].body, "one");
    EXPECT_FALSE(server_->requests[id].ended);
    machine_->resume_sending(asked);
    exchange_bytes();
    EXPECT_EQ(server_->requests[id].body, "onetwo");
    EXPECT_EQ(server_->requests[id].trailers, (lines{{"checksum", "6"}}));
    EXPECT_TRUE(server_->requests[id].ended);
}

TEST_P(http2_machine, a_body_that_is_not_what_was_announced_is_given_up) {
    for (const std::string_view body : {"four", "sixsix"}) {
        recording_stream asked;
        asked.body_parts = {std::string(body)};
        request_head head = get();
        head.method = "PUT";
        const auto id = ask(asked, head, 5);
        ASSERT_TRUE(asked.failure) << body;
        EXPECT_EQ(asked.failure->code, error_code::request_body_failed);
        EXPECT_FALSE(server_->requests[id].ended);
        EXPECT_NE(server_->requests[id].reset, 0U);
    }
}

TEST_P(http2_machine, a_source_that_fails_ends_its_stream_alone) {
    recording_stream failing, other;
    failing.body_parts = {"some"};
    failing.body_failure = error{error_code::request_body_failed, phase::write, culprit::caller, 0, "disk"};
    request_head head = get();
    head.method = "PUT";
    const auto id = ask(failing, head, std::nullopt);
    EXPECT_NE(server_->requests[id].reset, 0U);
    const auto next = ask(other);
    server_->answer(next, {{":status", "204"}});
    exchange_bytes();
    EXPECT_TRUE(other.ended);
}

TEST_P(http2_machine, what_is_not_consumed_stops_the_peer_at_the_streams_window_and_no_other_stream) {
    recording_stream slow, quick;
    const auto first = ask(slow);
    const std::string large(3 * 1024 * 1024, 'x');
    server_->answer(first, {{":status", "200"}}, large);
    exchange_bytes();
    EXPECT_EQ(slow.body.size(), limits{}.stream_window);
    const auto second = ask(quick);
    server_->answer(second, {{":status", "200"}}, "quick");
    exchange_bytes();
    EXPECT_TRUE(quick.ended);
    for (std::size_t consumed = 0; !slow.ended;) {
        ASSERT_LT(consumed, slow.body.size()) << "the peer was not told that there is room";
        machine_->consume(slow, slow.body.size() - consumed);
        consumed = slow.body.size();
        exchange_bytes();
    }
    EXPECT_EQ(slow.body.size(), large.size());
}

TEST_P(http2_machine, the_window_of_a_reader_who_keeps_up_grows_until_it_holds_what_the_path_does) {
    recording_stream quick;
    const auto id = ask(quick);
    const std::string large(40 * 1024 * 1024, 'x');
    server_->answer(id, {{":status", "200"}}, large);
    std::size_t most = 0;
    int round_trips = 0;
    for (std::size_t consumed = 0; !quick.ended && round_trips < 100; ++round_trips) {
        // A path that holds all that the window lets through: one exchange of bytes is a round trip.
        const std::string back = server_->output();
        ASSERT_TRUE(machine_->receive(back));
        machine_->consume(quick, quick.body.size() - std::exchange(consumed, quick.body.size()));
        most = std::max(most, back.size());
        std::string out;
        ASSERT_TRUE(machine_->send(out, 1 << 20));
        server_->receive(out);
    }
    EXPECT_EQ(quick.body.size(), large.size());
    EXPECT_LE(round_trips, 14) << "forty without growth";
    EXPECT_LE(most, limits{}.largest_stream_window * 9 / 8);
    EXPECT_LE(server_->pings, 12);
}

TEST_P(http2_machine, the_window_of_a_reader_who_takes_his_time_stays) {
    recording_stream slow;
    const auto id = ask(slow);
    const std::string large(8 * 1024 * 1024, 'x');
    server_->answer(id, {{":status", "200"}}, large);
    exchange_bytes();
    for (std::size_t consumed = 0; !slow.ended; consumed += 64 * 1024) {
        machine_->consume(slow, 64 * 1024);
        exchange_bytes();
        ASSERT_LE(slow.body.size(), consumed + 64 * 1024 + limits{}.stream_window);
    }
}

TEST_P(http2_machine, a_stream_the_peer_ends_says_why) {
    recording_stream refused, cancelled, broken;
    const auto a = ask(refused), b = ask(cancelled), c = ask(broken);
    server_->reset(a, NGHTTP2_REFUSED_STREAM);
    server_->reset(b, NGHTTP2_INTERNAL_ERROR);
    server_->head(c, {{":status", "200"}});
    exchange_bytes();
    server_->reset(c, NGHTTP2_CANCEL);
    exchange_bytes();
    EXPECT_TRUE(refused.unprocessed);
    EXPECT_EQ(refused.failure->code, error_code::connection_closed);
    EXPECT_FALSE(cancelled.unprocessed);
    EXPECT_EQ(cancelled.failure->code, error_code::stream_reset);
    EXPECT_NE(cancelled.failure->message.find("INTERNAL_ERROR"), std::string::npos);
    EXPECT_EQ(broken.failure->code, error_code::body_incomplete);
    EXPECT_EQ(broken.failure->whose, culprit::peer);
}

TEST_P(http2_machine, a_peer_that_goes_away_finishes_what_it_said_it_would) {
    recording_stream kept, refused;
    const auto first = ask(kept);
    ask(refused);
    server_->go_away(first);
    exchange_bytes();
    EXPECT_EQ(goaways_, 1);
    EXPECT_FALSE(machine_->accepts_streams());
    EXPECT_TRUE(refused.unprocessed);
    EXPECT_FALSE(kept.failure);
    server_->answer(first, {{":status", "200"}}, "bye");
    exchange_bytes();
    EXPECT_TRUE(kept.ended);
    EXPECT_EQ(kept.body, "bye");
}

TEST_P(http2_machine, the_peers_limit_of_streams_is_known_once_it_says_so) {
    EXPECT_EQ(machine_->peer_capacity(), limits{}.assumed_concurrent_streams);
    server_->settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 7}});
    exchange_bytes();
    EXPECT_EQ(machine_->peer_capacity(), 7U);
    EXPECT_GE(capacity_changes_, 1);
}

TEST_P(http2_machine, a_stream_that_was_let_go_is_reset_and_heard_of_no_more) {
    const auto abandoned = std::make_unique<recording_stream>();
    const auto id = ask(*abandoned);
    machine_->release(*abandoned);
    server_->answer(id, {{":status", "200"}}, std::string(100'000, 'x'));
    exchange_bytes();
    EXPECT_EQ(server_->requests[id].reset, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
    EXPECT_FALSE(abandoned->head || abandoned->ended || abandoned->failure);
    recording_stream other;
    server_->answer(ask(other), {{":status", "204"}});
    exchange_bytes();
    EXPECT_TRUE(other.ended);
}

TEST_P(http2_machine, a_request_that_was_let_go_before_it_was_sent_is_never_sent) {
    recording_stream asked;
    ASSERT_TRUE(machine_->request(get(), 0, asked));
    machine_->release(asked);
    exchange_bytes();
    EXPECT_TRUE(server_->requests.empty());
}

TEST_P(http2_machine, heads_are_bounded) {
    lines many{{":status", "200"}}, large{{":status", "200"}};
    for (std::size_t count = 0; count <= limits{}.max_fields; ++count) many.emplace_back("x", "y");
    for (std::size_t size = 0; size <= limits{}.max_head; size += 1000) large.emplace_back("x", std::string(1000, 'y'));
    for (const lines& head : {many, large}) {
        recording_stream asked, other;
        server_->answer(ask(asked), head, "body");
        exchange_bytes();
        ASSERT_TRUE(asked.failure);
        EXPECT_EQ(asked.failure->code, error_code::head_too_large);
        server_->answer(ask(other), {{":status", "200"}}, "fine");
        exchange_bytes();
        EXPECT_TRUE(other.ended);
    }
    EXPECT_FALSE(failure_);
}

TEST_P(http2_machine, informational_responses_are_bounded) {
    recording_stream asked;
    const auto id = ask(asked);
    for (unsigned count = 0; count <= max_informational_responses; ++count) server_->head(id, {{":status", "103"}});
    exchange_bytes();
    ASSERT_TRUE(asked.failure);
    EXPECT_EQ(asked.informational.size(), max_informational_responses);
    EXPECT_EQ(server_->requests[id].reset, static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
}

/// nghttp2 takes them for faults of the connection, which RFC 9113 section 5.4.2 allows.
TEST_P(http2_machine, messages_that_http2_forbids_end_the_connection) {
    for (const auto& [what, head] : {std::pair{"connection", lines{{":status", "200"}, {"connection", "close"}}},
                                     {"transfer-encoding", {{":status", "200"}, {"transfer-encoding", "chunked"}}},
                                     {"line feed", {{":status", "200"}, {"x", "a\nb"}}},
                                     {"NUL", {{":status", "200"}, {"x", std::string("a\0b", 3)}}},
                                     {"long status", {{":status", "2000"}}},
                                     {"status zero", {{":status", "000"}}},
                                     {"small status", {{":status", "019"}}},
                                     {"no status", {{"x", "y"}}},
                                     {"late status", {{"x", "y"}, {":status", "200"}}},
                                     {"two statuses", {{":status", "200"}, {":status", "200"}}},
                                     {"pseudo-field of requests", {{":status", "200"}, {":path", "/"}}},
                                     {"longer than announced", {{":status", "200"}, {"content-length", "3"}}},
                                     {"shorter than announced", {{":status", "200"}, {"content-length", "5"}}}}) {
        renew();
        recording_stream asked;
        server_->answer(ask(asked), head, "body");
        exchange_bytes();
        EXPECT_FALSE(asked.ended) << what;
        const auto& failure = asked.failure ? asked.failure : machine_->failure();
        ASSERT_TRUE(failure) << what;
        EXPECT_EQ(failure->code, error_code::malformed_message) << what;
        EXPECT_EQ(failure->whose, culprit::peer) << what;
    }
}

TEST_P(http2_machine, what_is_not_http2_ends_the_connection) {
    pass("HTTP/1.1 400 Bad Request\r\n\r\n", [&](std::string_view part) {
        if (auto done = machine_->receive(part); !done && !failure_) failure_ = done.error();
    });
    std::string out;
    (void)machine_->send(out, 1 << 20);
    if (!failure_) failure_ = machine_->failure();
    ASSERT_TRUE(failure_);
    EXPECT_EQ(failure_->code, error_code::malformed_message);
    EXPECT_EQ(failure_->whose, culprit::peer);
}

TEST_P(http2_machine, a_priority_of_no_stream_ends_the_connection) {
    recording_stream asked;
    ask(asked);
    const std::string_view priority("\0\0\5\2\0\0\0\0\0\0\0\0\0\0", 14);  // RFC 9113 section 6.3
    pass(priority, [&](std::string_view part) { (void)machine_->receive(part); });
    exchange_bytes();
    ASSERT_TRUE(machine_->failure());
    EXPECT_EQ(machine_->failure()->message, "the server broke HTTP/2 (PROTOCOL_ERROR)");
}

TEST_P(http2_machine, pings_are_answered_and_asked) {
    machine_->ping();
    exchange_bytes();
    EXPECT_EQ(server_->pings, 1);
    EXPECT_EQ(pongs_, 1);
}

TEST_P(http2_machine, a_flood_of_pings_that_nobody_could_answer_ends_the_connection) {
    exchange_bytes();
    const std::string ping("\0\0\x08\x06\0\0\0\0\0"
                           "12345678",
                           17);
    bool refused = false;
    for (int count = 0; count < 5000 && !refused; ++count) refused = !machine_->receive(ping);
    EXPECT_TRUE(refused);
}

TEST_P(http2_machine, going_away_says_so) {
    exchange_bytes();
    machine_->go_away();
    exchange_bytes();
    EXPECT_EQ(server_->goaways, std::vector<std::uint32_t>{NGHTTP2_NO_ERROR});
    EXPECT_TRUE(machine_->is_over());
}

TEST(name_of_error_reason, is_the_rfcs) {
    EXPECT_EQ(name_of(error_reason::no_error), "NO_ERROR");
    EXPECT_EQ(name_of(error_reason::http_1_1_required), "HTTP_1_1_REQUIRED");
    EXPECT_EQ(name_of(error_reason{255}), "0xff");
}

}  // namespace
}  // namespace pabal::http2
