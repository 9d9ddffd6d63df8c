// The HTTP/2 client connection and its streams, against nghttp2's server at the far end of a wire.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "connection/connection_support.hpp"
#include "connection/http2_client_connection.hpp"
#include "protocol/http2/http2_server.hpp"

namespace pabal::connection {
namespace {

using namespace testing;
using http2::testing::http2_server;
using http2::testing::lines;

/// A connection and the server at the far end of it.
class http2_client : public ::testing::TestWithParam<path>, public client_connection_observer {
protected:
    explicit http2_client(std::vector<nghttp2_settings_entry> of_the_server = {}) : server_(std::move(of_the_server)) {}
    void SetUp() override {
        auto pair = world_.pair();
        connection_ = std::make_unique<http2_client_connection>(environment_, std::move(pair.first), *this,
                                                                http2::limits{}, ping_interval_);
        wire_.on_heard = [this] { serve(); };
        wire_.connect(std::move(pair.second));
    }
    void TearDown() override {
        connection_.reset();
        world_.settle();
        EXPECT_EQ(recording_exchange::alive, 0) << "an exchange was leaked";
    }
    void on_room(client_connection& which) override {
        EXPECT_EQ(&which, connection_.get());
        ++room_;
        if (in_room) std::exchange(in_room, nullptr)();
    }
    void on_closed(client_connection&, close_reason reason) override {
        EXPECT_FALSE(closed_) << "closed twice";
        closed_ = reason;
    }

    void serve() {
        server_.receive(std::exchange(wire_.heard, {}));
        if (automatic_) {
            for (const auto id : server_.ids()) {
                if (server_.requests[id].ended && answered_.insert(id).second)
                    server_.answer(id, {{":status", "200"}}, server_.requests[id].field(":path"));
            }
        }
        say();
    }
    void say() { wire_.say(server_.output()); }
    /// Starts it and waits until its request has arrived, whole if it has an end. Its identifier.
    std::int32_t ask(const recording_ptr& exchange) {
        const auto before = server_.requests.size();
        connection_->start(exchange);
        EXPECT_TRUE(world_.turn_until(
            [&] { return server_.requests.size() > before && server_.requests.rbegin()->second.head.size() >= 4; }));
        return server_.ids().back();
    }
    bool finish(const recording_ptr& exchange) {
        return world_.turn_until([&] { return exchange->over(); });
    }
    std::string pull(const recording_ptr& exchange, std::size_t piece) {
        return pull_through(exchange, piece, [this](auto&& done) { return world_.turn_until(done); });
    }

    world world_{GetParam()};
    std::string scratch_ = std::string(64 * 1024, ' ');
    environment environment_{world_.reactor(), scratch_};
    http2_server server_;
    peer wire_;
    std::unique_ptr<http2_client_connection> connection_;
    std::chrono::milliseconds ping_interval_{0};
    std::optional<close_reason> closed_;
    int room_ = 0;
    std::function<void()> in_room;
    bool automatic_ = false;
    std::set<std::int32_t> answered_;
};

INSTANTIATE_TEST_SUITE_P(paths, http2_client, ::testing::ValuesIn(all_paths()), name_of_path);

TEST_P(http2_client, many_exchanges_share_one_connection_and_end_in_any_order) {
    std::vector<recording_ptr> asked;
    std::vector<std::int32_t> ids;
    for (int count = 0; count < 20; ++count) {
        asked.push_back(make_get("/" + std::to_string(count)));
        connection_->start(asked.back());
    }
    EXPECT_EQ(connection_->exchanges(), 20U);
    EXPECT_TRUE(connection_->usable());
    ASSERT_TRUE(
        world_.turn_until([&] { return server_.requests.size() == 20 && server_.requests.rbegin()->second.ended; }));
    ids = server_.ids();
    for (auto id = ids.rbegin(); id != ids.rend(); ++id)
        server_.answer(*id, {{":status", "200"}}, server_.requests[*id].field(":path"));
    say();
    for (std::size_t at = 0; at < asked.size(); ++at) {
        ASSERT_TRUE(finish(asked[at]));
        EXPECT_EQ(asked[at]->body, "/" + std::to_string(at));
        EXPECT_EQ(asked[at]->head->version, http_version::http_2);
        EXPECT_EQ(asked[at]->on_reused_connection, at > 0);
        EXPECT_TRUE(asked[at]->request_sent);
    }
    EXPECT_EQ(connection_->exchanges(), 0U);
    EXPECT_TRUE(connection_->usable());
    EXPECT_FALSE(closed_);
}

TEST_P(http2_client, the_first_of_several_leaves_with_the_others_once_there_were_several) {
    automatic_ = true;
    world_.settle();
    const auto started = [this] {
        auto exchange = make_get();
        connection_->start(exchange);
        return exchange;
    };
    const auto alone = started();
    EXPECT_TRUE(alone->request_sent);
    const auto follower = started();
    EXPECT_FALSE(follower->request_sent);
    ASSERT_TRUE(finish(alone) && finish(follower));

    const auto patient = started(), companion = started();
    EXPECT_FALSE(patient->request_sent);
    ASSERT_TRUE(world_.turn_until([&] { return patient->request_sent; }));
    EXPECT_TRUE(companion->request_sent);
    ASSERT_TRUE(finish(patient) && finish(companion));

    const auto in_vain = started();
    EXPECT_FALSE(in_vain->request_sent);
    ASSERT_TRUE(finish(in_vain));
    const auto at_once = started();
    EXPECT_TRUE(at_once->request_sent);
    ASSERT_TRUE(finish(at_once));
}

class http2_client_of_a_generous_server : public http2_client {
protected:
    http2_client_of_a_generous_server() : http2_client({{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}}) {}
};
INSTANTIATE_TEST_SUITE_P(paths, http2_client_of_a_generous_server, ::testing::ValuesIn(all_paths()), name_of_path);

TEST_P(http2_client_of_a_generous_server, an_extended_connect_waits_until_it_is_known_whether_the_server_takes_it) {
    const auto websocket = [] {
        auto made = make_upload({std::nullopt});
        made->request.method = "CONNECT";
        made->request.protocol = "websocket";
        return made;
    };
    const auto given_up = websocket(), asked = websocket();
    connection_->start(given_up);
    connection_->start(asked);
    EXPECT_EQ(connection_->exchanges(), 2U);
    given_up->answered_by()->cancel(*given_up);
    ASSERT_TRUE(
        world_.turn_until([&] { return server_.requests.size() == 1 && server_.requests[1].head.size() >= 5; }));
    EXPECT_EQ(server_.requests[1].field(":protocol"), "websocket");
    server_.head(1, {{":status", "200"}});
    server_.add(1, "hello");
    say();
    ASSERT_TRUE(world_.turn_until([&] { return asked->body == "hello"; }));
    EXPECT_FALSE(asked->over());
    asked->answered_by()->cancel(*asked);
}

TEST_P(http2_client, an_extended_connect_fails_where_the_server_does_not_take_it) {
    const auto asked = make_get();
    asked->request.method = "CONNECT";
    asked->request.protocol = "websocket";
    asked->request_body_size = std::nullopt;
    connection_->start(asked);
    EXPECT_FALSE(asked->over());
    ASSERT_TRUE(finish(asked));
    ASSERT_TRUE(asked->failure);
    EXPECT_EQ(asked->failure->code, error_code::unsupported);
    EXPECT_EQ(asked->failure->whose, culprit::peer);
    world_.settle();
    EXPECT_TRUE(connection_->usable());
}

TEST_P(http2_client, what_cannot_be_sent_fails_alone) {
    const auto wrong = make_get("not a target");
    connection_->start(wrong);
    ASSERT_TRUE(wrong->failure);
    EXPECT_EQ(wrong->failure->whose, culprit::caller);
    automatic_ = true;
    const auto right = make_get();
    connection_->start(right);
    ASSERT_TRUE(finish(right));
    EXPECT_TRUE(right->succeeded());
}

TEST_P(http2_client, bodies_go_out_from_memory_and_from_a_source_with_trailers) {
    automatic_ = true;
    const auto in_memory = make_get("/memory", "POST");
    const std::string body = letters(200'000);
    in_memory->request_body = body;
    in_memory->request_body_size = body.size();
    const auto streamed = make_upload({"one", std::nullopt, "two"});
    streamed->trailers_to_send.append_valid("Sum", "6");
    connection_->start(in_memory);
    connection_->start(streamed);
    ASSERT_TRUE(world_.turn_until([&] { return server_.requests[3].body == "one"; }));
    streamed->answered_by()->request_body_ready(*streamed);
    ASSERT_TRUE(finish(in_memory) && finish(streamed));
    EXPECT_EQ(server_.requests[1].body, body);
    EXPECT_EQ(server_.requests[1].field("content-length"), "200000");
    EXPECT_EQ(server_.requests[3].body, "onetwo");
    EXPECT_EQ(server_.requests[3].trailers, (lines{{"sum", "6"}}));
}

TEST_P(http2_client, a_body_source_that_fails_ends_its_exchange_alone) {
    const auto failing = make_upload({"some"});
    failing->body_failure = error{error_code::request_body_failed, phase::write, culprit::caller, 0, "disk"};
    connection_->start(failing);
    ASSERT_TRUE(finish(failing));
    EXPECT_EQ(failing->failure->message, "disk");
    automatic_ = true;
    const auto other = make_get();
    connection_->start(other);
    ASSERT_TRUE(finish(other));
    EXPECT_TRUE(other->succeeded());
}

TEST_P(http2_client, a_paused_requester_gets_the_rest_when_he_goes_on) {
    const auto asked = make_get();
    asked->pauses = true;
    const auto id = ask(asked);
    server_.answer(id, {{":status", "200"}}, letters(50'000), {{"sum", "1"}});
    say();
    while (!asked->over()) {
        const auto before = asked->paused;
        ASSERT_TRUE(world_.turn_until([&] { return asked->over() || asked->paused > 0; }));
        world_.settle();
        if (responder* answering = asked->answered_by()) answering->resume(*asked);
        ASSERT_TRUE(asked->over() || asked->paused > before || asked->answered_by());
    }
    EXPECT_EQ(asked->body, letters(50'000));
    EXPECT_EQ(asked->trailers.find("sum"), "1");
}

TEST_P(http2_client, a_pulled_body_arrives_no_faster_than_it_is_read) {
    const auto asked = make_get();
    asked->wants = delivery::pull;
    const auto id = ask(asked);
    const std::string body = letters(3 * 1024 * 1024);
    server_.answer(id, {{":status", "200"}}, body);
    say();
    world_.settle();
    EXPECT_GE(server_.sent(id), 1024U * 1024);  // the stream's window
    EXPECT_LE(server_.sent(id), 1024U * 1024 + 256 * 1024) << "more than that may not wait to be read";
    EXPECT_EQ(pull(asked, 10'000), body + "<end>");
    EXPECT_TRUE(asked->succeeded());
    EXPECT_EQ(connection_->exchanges(), 0U);
}

/// A wire that carries a megabyte at once, for bodies that come faster than they are read.
class http2_client_on_a_wide_wire : public http2_client {};

INSTANTIATE_TEST_SUITE_P(paths, http2_client_on_a_wide_wire,
                         ::testing::Values(path{.name = "wide", .wire = {.capacity = 1024 * 1024}}), name_of_path);

TEST_P(http2_client_on_a_wide_wire, a_fast_body_wakes_its_reader_a_few_records_at_a_time) {
    const auto asked = make_get();
    asked->wants = delivery::pull;
    const auto id = ask(asked);
    const std::string body = letters(8 * 1024 * 1024);
    server_.answer(id, {{":status", "200"}, {"content-length", std::to_string(body.size())}}, body);
    wire_.on_heard = [this] { server_.receive(std::exchange(wire_.heard, {})); };
    std::string received;
    std::string unsaid;
    std::string buffer(64 * 1024, ' ');
    int slices = 0;
    while (received.size() < body.size()) {
        if (unsaid.empty()) unsaid = server_.output();
        ASSERT_FALSE(unsaid.empty() && slices > 1000) << "the server may not go on";
        wire_.say(std::string_view(unsaid).substr(0, 16 * 1024));
        unsaid.erase(0, 16 * 1024);
        ++slices;
        world_.pass(100us);
        while (responder* answering = asked->answered_by()) {
            const auto got = answering->read_response(*asked, buffer);
            if (!got || got->what != read_outcome::kind::data) break;
            received.append(buffer, 0, got->size);
        }
    }
    EXPECT_TRUE(received == body);
    EXPECT_LT(asked->readable, slices / 3);
}

TEST_P(http2_client_on_a_wide_wire, what_a_lone_reader_leaves_stays_in_the_transport_no_longer_than_a_turn) {
    const auto asked = make_get();
    asked->wants = delivery::pull;
    const auto id = ask(asked);
    const std::string body = letters(900'000);
    server_.answer(id, {{":status", "200"}, {"content-length", std::to_string(body.size())}}, body);
    server_.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 7}});
    say();
    world_.settle();  // nobody reads
    EXPECT_EQ(connection_->capacity(), 7U) << "what came behind the body is heard";
    EXPECT_EQ(pull(asked, 10'000), body + "<end>");
    EXPECT_TRUE(connection_->usable());
}

TEST_P(http2_client_on_a_wide_wire, a_lone_reader_who_comes_back_takes_what_the_transport_has) {
    const auto asked = make_get();
    asked->wants = delivery::pull;
    const auto id = ask(asked);
    const std::string body = letters(600'000);
    server_.answer(id, {{":status", "200"}, {"content-length", std::to_string(body.size())}}, body);
    say();
    ASSERT_TRUE(world_.turn_until([&] { return asked->readable > 0; }));
    std::string received;
    std::string buffer(10'000, ' ');
    while (responder* answering = asked->answered_by()) {  // and no turn in between
        const auto got = answering->read_response(*asked, buffer);
        ASSERT_TRUE(got);
        ASSERT_EQ(got->what, read_outcome::kind::data);
        received.append(buffer, 0, got->size);
    }
    EXPECT_TRUE(received == body);
    EXPECT_TRUE(asked->succeeded());
    EXPECT_TRUE(connection_->usable());
}

TEST_P(http2_client_on_a_wide_wire, a_lone_reader_who_gives_up_leaves_a_connection_that_serves_others) {
    const auto asked = make_get();
    asked->wants = delivery::pull;
    const auto id = ask(asked);
    server_.answer(id, {{":status", "200"}, {"content-length", "900000"}}, letters(900'000));
    say();
    ASSERT_TRUE(world_.turn_until([&] { return asked->readable > 0; }));
    asked->given_up = true;
    asked->answered_by()->cancel(*asked);
    EXPECT_TRUE(connection_->usable());
    const auto next = make_get();
    server_.answer(ask(next), {{":status", "200"}}, "next");
    say();
    ASSERT_TRUE(finish(next));
    EXPECT_EQ(next->body, "next");
}

TEST_P(http2_client_on_a_wide_wire, a_small_response_is_not_late_behind_a_fast_large_one_that_was_given_up) {
    const auto asked = make_get();
    const auto id = ask(asked);
    const std::string body = letters(8 * 1024 * 1024);
    server_.answer(id, {{":status", "200"}, {"content-length", std::to_string(body.size())}}, body);
    wire_.on_heard = [this] { server_.receive(std::exchange(wire_.heard, {})); };
    say();
    world_.settle();
    EXPECT_GE(asked->body.size(), 1000U * 1000);
    asked->given_up = true;
    asked->answered_by()->cancel(*asked);
    const auto next = make_get();
    server_.answer(ask(next), {{":status", "200"}}, "small");
    say();
    ASSERT_TRUE(finish(next));  // in no time: this clock does not move by itself
    EXPECT_EQ(next->body, "small");
}

TEST_P(http2_client, what_has_arrived_can_be_pulled_after_the_connection_is_gone) {
    const auto whole = make_get(), half = make_get(), pushed = make_get();
    whole->wants = half->wants = delivery::pull;
    const auto first = ask(whole), second = ask(half);
    ask(pushed);
    server_.answer(first, {{":status", "200"}}, "complete");
    server_.head(second, {{":status", "200"}});
    say();
    wire_.hang_up();
    ASSERT_TRUE(finish(pushed));
    EXPECT_EQ(pushed->failure->code, error_code::connection_closed);
    EXPECT_FALSE(connection_->usable());
    EXPECT_FALSE(closed_) << "two readers are not done";
    EXPECT_EQ(pull(whole, 3), "complete<end>");
    EXPECT_EQ(pull(half, 3), "<body_incomplete>");
    EXPECT_EQ(closed_, close_reason::transport_failed);
}

TEST_P(http2_client, a_cancelled_exchange_is_reset_and_the_others_go_on) {
    const auto cancelled = make_get(), other = make_get();
    const auto first = ask(cancelled), second = ask(other);
    cancelled->given_up = true;
    cancelled->answered_by()->cancel(*cancelled);
    server_.answer(second, {{":status", "200"}}, "still here");
    say();
    ASSERT_TRUE(finish(other));
    EXPECT_EQ(other->body, "still here");
    ASSERT_TRUE(world_.turn_until([&] { return server_.requests[first].reset != 0; }));
    EXPECT_EQ(server_.requests[first].reset, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
    EXPECT_FALSE(closed_);
}

TEST_P(http2_client, a_requester_may_cancel_from_within_every_callback) {
    for (const auto where : {&recording_exchange::in_head, &recording_exchange::in_data}) {
        const auto asked = make_get();
        (*asked).*where = [&] {
            asked->given_up = true;
            asked->answered_by()->cancel(*asked);
        };
        const auto id = ask(asked);
        server_.answer(id, {{":status", "200"}}, "body");
        say();
        ASSERT_TRUE(world_.turn_until([&] { return asked->given_up; }));
        world_.settle();
        EXPECT_EQ(connection_->exchanges(), 0U);
    }
    EXPECT_FALSE(closed_);
}

TEST_P(http2_client, closing_from_within_a_callback_ends_all) {
    const auto asked = make_get(), other = make_get();
    const auto id = ask(asked);
    ask(other);
    asked->in_head = [&] { connection_->close(close_reason::session_closed); };
    server_.answer(id, {{":status", "200"}}, "body");
    say();
    ASSERT_TRUE(finish(asked) && finish(other));
    EXPECT_EQ(asked->failure->code, error_code::session_closed);
    EXPECT_EQ(other->failure->code, error_code::session_closed);
    EXPECT_EQ(closed_, close_reason::session_closed);
}

TEST_P(http2_client, refused_streams_were_not_sent_and_others_may_have_been) {
    const auto refused = make_get("/", "POST"), reset = make_get("/", "POST");
    const auto first = ask(refused), second = ask(reset);
    server_.reset(first, NGHTTP2_REFUSED_STREAM);
    server_.reset(second, NGHTTP2_INTERNAL_ERROR);
    say();
    ASSERT_TRUE(finish(refused) && finish(reset));
    EXPECT_FALSE(refused->request_sent);
    EXPECT_EQ(refused->failure->code, error_code::connection_closed);
    EXPECT_TRUE(reset->request_sent);
    EXPECT_EQ(reset->failure->code, error_code::stream_reset);
}

TEST_P(http2_client, a_server_that_goes_away_gets_no_more_and_finishes_what_it_has) {
    const auto kept = make_get();
    const auto id = ask(kept);
    server_.go_away(id);
    say();
    ASSERT_TRUE(world_.turn_until([&] { return !connection_->usable(); }));
    EXPECT_FALSE(closed_);
    server_.answer(id, {{":status", "200"}}, "bye");
    say();
    ASSERT_TRUE(finish(kept));
    EXPECT_EQ(kept->body, "bye");
    EXPECT_EQ(closed_, close_reason::peer_said_close);
}

TEST_P(http2_client, the_peers_limit_of_streams_is_kept_and_news_of_it_is_told) {
    server_.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}});
    say();
    ASSERT_TRUE(world_.turn_until([&] { return connection_->capacity() == 2; }));
    const auto first = make_get(), second = make_get();
    ask(first);
    EXPECT_TRUE(connection_->usable());
    ask(second);
    EXPECT_FALSE(connection_->usable());
    const int before = room_;
    server_.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 3}});
    say();
    ASSERT_TRUE(world_.turn_until([&] { return room_ > before; }));
    EXPECT_TRUE(connection_->usable());
    connection_->close(close_reason::session_closed);
}

TEST_P(http2_client, the_next_exchange_may_start_from_within_the_end_of_the_last) {
    automatic_ = true;
    const auto first = make_get("/first"), second = make_get("/second");
    in_room = nullptr;
    connection_->start(first);
    first->in_end = [&] { connection_->start(second); };
    ASSERT_TRUE(finish(second));
    EXPECT_EQ(second->body, "/second");
}

TEST_P(http2_client, a_server_that_breaks_the_protocol_is_told_and_left) {
    const auto asked = make_get();
    ask(asked);
    wire_.say(std::string("\0\0\x04\x08\0\0\0\0\0\0\0\0\0", 13));  // a window update of nothing
    ASSERT_TRUE(finish(asked));
    EXPECT_EQ(asked->failure->code, error_code::malformed_message);
    EXPECT_EQ(asked->failure->whose, culprit::peer);
    EXPECT_NE(asked->failure->message.find("PROTOCOL_ERROR"), std::string::npos) << asked->failure->message;
    EXPECT_EQ(closed_, close_reason::protocol_error);
    if (GetParam().wire.capacity < 64 || GetParam().wire.fragment_seed != 0) return;  // it is not waited for
    ASSERT_TRUE(world_.turn_until([&] { return !server_.goaways.empty(); }));
    EXPECT_EQ(server_.goaways.front(), static_cast<std::uint32_t>(NGHTTP2_PROTOCOL_ERROR));
}

TEST_P(http2_client, an_idle_connection_that_its_peer_closes_says_so) {
    automatic_ = true;
    const auto asked = make_get();
    connection_->start(asked);
    ASSERT_TRUE(finish(asked));
    wire_.hang_up();
    ASSERT_TRUE(world_.turn_until([&] { return closed_.has_value(); }));
    EXPECT_EQ(closed_, close_reason::peer_closed_idle);
}

// --- Time ------------------------------------------------------------------------------------------------------------

class http2_client_in_time : public http2_client {};
INSTANTIATE_TEST_SUITE_P(paths, http2_client_in_time, ::testing::ValuesIn(memory_paths()), name_of_path);

TEST_P(http2_client_in_time, silence_ends_an_exchange_and_not_its_connection) {
    const auto silent = make_get(), other = make_get();
    silent->limits.read = 100ms;
    const auto first = ask(silent), second = ask(other);
    world_.pass(99ms);
    EXPECT_FALSE(silent->over());
    world_.pass(10ms);
    ASSERT_TRUE(silent->failure);
    EXPECT_EQ(silent->failure->code, error_code::timed_out);
    EXPECT_EQ(silent->failure->where, phase::read);
    world_.settle();
    EXPECT_NE(server_.requests[first].reset, 0U);
    server_.answer(second, {{":status", "200"}});
    say();
    ASSERT_TRUE(finish(other));
    EXPECT_TRUE(other->succeeded());
}

TEST_P(http2_client_in_time, a_server_that_lets_a_request_run_out_of_time_is_asked_whether_it_is_there) {
    const auto silent = make_get();
    silent->limits.read = 100ms;
    ask(silent);
    wire_.on_heard = nullptr;
    world_.pass(110ms);
    ASSERT_TRUE(silent->failure);
    EXPECT_FALSE(connection_->usable()) << "until it has answered";
    serve();
    ASSERT_TRUE(world_.turn_until([&] { return connection_->usable(); }));
    EXPECT_EQ(server_.pings, 1);
    EXPECT_GT(room_, 0);
    world_.pass(10s);
    EXPECT_FALSE(closed_);
}

TEST_P(http2_client_in_time, a_server_that_has_vanished_takes_no_more_requests_and_its_connection_ends) {
    const auto first = make_get(), second = make_get();
    first->limits.read = 100ms;
    ask(first);
    ask(second);
    wire_.on_heard = nullptr;
    world_.pass(110ms);
    ASSERT_TRUE(first->failure);
    EXPECT_FALSE(connection_->usable());
    world_.pass(4800ms);
    EXPECT_FALSE(closed_);
    world_.pass(300ms);
    EXPECT_EQ(closed_, close_reason::timed_out);
    ASSERT_TRUE(second->failure);
    EXPECT_EQ(second->failure->code, error_code::connection_reset);
    EXPECT_NE(second->failure->message.find("PING"), std::string::npos);
}

class http2_client_that_asks : public http2_client {
protected:
    http2_client_that_asks() { ping_interval_ = 30s; }
};
INSTANTIATE_TEST_SUITE_P(paths, http2_client_that_asks, ::testing::ValuesIn(memory_paths()), name_of_path);

TEST_P(http2_client_that_asks, a_silent_connection_is_kept_alive_and_one_that_is_not_silent_needs_no_help) {
    world_.pass(29s);
    EXPECT_EQ(server_.pings, 0);
    automatic_ = true;
    const auto asked = make_get();
    connection_->start(asked);
    ASSERT_TRUE(finish(asked));
    world_.pass(29s);
    EXPECT_EQ(server_.pings, 0);
    world_.pass(2s);
    EXPECT_EQ(server_.pings, 1);
    world_.pass(60s);
    EXPECT_EQ(server_.pings, 3);
    wire_.on_heard = nullptr;
    world_.pass(32s);
    EXPECT_TRUE(connection_->usable()) << "nobody has waited in vain";
    world_.pass(4s);
    EXPECT_EQ(closed_, close_reason::peer_closed_idle);
}

TEST_P(http2_client_in_time, a_reader_who_takes_his_time_does_not_count_as_silence) {
    const auto asked = make_get();
    asked->limits.read = 100ms;
    asked->wants = delivery::pull;
    const auto id = ask(asked);
    server_.answer(id, {{":status", "200"}}, letters(10'000));
    say();
    world_.pass(10s);
    EXPECT_EQ(pull(asked, 5'000), letters(10'000) + "<end>");
}

TEST_P(http2_client_in_time, an_expectation_is_waited_for_a_second) {
    automatic_ = true;
    for (const bool answers : {true, false}) {
        const auto asked = make_get("/", "POST");
        asked->request.headers.append_valid("Expect", "100-continue");
        asked->request_body = "body";
        asked->request_body_size = 4;
        const auto id = ask(asked);
        world_.settle();
        EXPECT_EQ(server_.requests[id].body, "");
        if (answers) {
            server_.head(id, {{":status", "100"}});
            say();
        } else {
            world_.pass(1100ms);
        }
        ASSERT_TRUE(finish(asked));
        EXPECT_EQ(server_.requests[id].body, "body");
    }
}

}  // namespace
}  // namespace pabal::connection
