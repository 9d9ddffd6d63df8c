#include "connection/http1_client_support.hpp"

namespace pabal::connection {
namespace {

using namespace testing;

INSTANTIATE_TEST_SUITE_P(over, http1_client, ::testing::ValuesIn(all_paths()), name_of_path);
INSTANTIATE_TEST_SUITE_P(over, http1_client_in_memory, ::testing::ValuesIn(memory_paths()), name_of_path);

// --- Bodies -------------------------------------------------------------------------------------------------------------

TEST_P(http1_client, pushes_a_response_and_is_idle_again) {
    const auto got = make_get("/price");
    ASSERT_TRUE(run(got, hello));
    EXPECT_EQ(server_.heard, "GET /price HTTP/1.1\r\nHost: example.test\r\n\r\n");
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(got->head->status, 200);
    EXPECT_EQ(got->body, "hello");
    EXPECT_TRUE(got->request_sent);
    EXPECT_FALSE(got->on_reused_connection);
    EXPECT_EQ(got->answered_by(), nullptr);
    EXPECT_EQ(idle_, 1);
    EXPECT_TRUE(connection_->usable());
}

TEST_P(http1_client, serves_one_exchange_after_another) {
    for (int each = 0; each < 20; ++each) {
        const auto got = make_get();
        got->wants = each % 3 == 0 ? delivery::pull : delivery::push;
        ask(got);
        server_.say(each % 2 == 0 ? hello : hello_chunked);
        if (got->wants == delivery::pull) {
            EXPECT_EQ(pull(got, 64), "hello<end>");
        } else {
            ASSERT_TRUE(finish(got));
            EXPECT_EQ(got->body, "hello");
        }
        EXPECT_TRUE(got->succeeded());
        EXPECT_EQ(got->on_reused_connection, each > 0);
        ASSERT_EQ(idle_, each + 1);
    }
    EXPECT_FALSE(closed_);
}

TEST_P(http1_client, decodes_chunks_and_hands_over_trailers) {
    const auto got = make_get();
    ASSERT_TRUE(run(got, hello_chunked));
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(got->trailers.find("sum"), "5");
    EXPECT_EQ(idle_, 1);
}

TEST_P(http1_client, a_body_up_to_the_end_of_the_connection_ends_with_it) {
    const auto got = make_get();
    ask(got);
    server_.say(hello_until_close);
    server_.hang_up();
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(closed_, close_reason::body_until_close);
}

TEST_P(http1_client, a_long_body_is_received_where_the_requester_wants_it) {
    const std::string long_body = letters(200'000);
    for (const bool chunked : {false, true}) {
        const auto got = make_get();
        got->place.assign(long_body.size(), ' ');
        const std::string head =
            chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n"
                    : "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(long_body.size()) + "\r\n\r\n";
        ASSERT_TRUE(run(got, head + long_body + (chunked ? "\r\n0\r\n\r\n" : "")));
        EXPECT_TRUE(got->succeeded());
        EXPECT_EQ(got->body, long_body);
        EXPECT_GT(got->received_in_place, 100'000U);
    }
    EXPECT_EQ(idle_, 2);
}

TEST_P(http1_client, a_requester_may_pause_after_every_piece) {
    for (const auto response : {hello, hello_chunked}) {
        const auto got = make_get();
        got->pauses = true;
        ask(got);
        server_.say(response);
        for (int resumed = 0; !got->over(); ++resumed) {
            ASSERT_TRUE(world_.turn_until([&] { return got->over() || got->paused > resumed; }));
            const std::string seen = got->body;
            world_.settle();
            EXPECT_EQ(got->body, seen) << "data came during a pause";
            if (!got->over()) got->answered_by()->resume(*got);
        }
        EXPECT_EQ(got->body, "hello");
        EXPECT_TRUE(got->succeeded());
    }
    EXPECT_EQ(idle_, 2);
}

TEST_F(http1_client_on_a_wide_wire, a_small_response_is_not_late_behind_a_fast_large_one) {
    const std::string large = letters(1'000'000);
    for (const delivery wanted : {delivery::push, delivery::pull}) {
        const auto got = make_get();
        got->wants = wanted;
        ask(got);
        server_.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + large.substr(0, 600'000));
        std::string body;
        if (wanted == delivery::pull) body = pull(got, 1'000'000, large.substr(599'990, 10));
        else world_.settle();
        server_.say(large.substr(600'000));
        if (wanted == delivery::pull) body += pull(got, 1'000'000);
        else ASSERT_TRUE(finish(got));
        EXPECT_EQ(wanted == delivery::pull ? body : got->body + "<end>", large + "<end>");
        const auto next = make_get();
        ASSERT_TRUE(run(next, hello));
        EXPECT_EQ(next->body, "hello");
    }
}

TEST_P(http1_client, a_long_body_received_in_place_may_be_paused_too) {
    const std::string long_body = letters(100'000);
    const auto got = make_get();
    got->place.assign(long_body.size(), ' ');
    got->pauses = true;
    ask(got);
    server_.say("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(long_body.size()) + "\r\n\r\n" + long_body);
    ASSERT_TRUE(world_.turn_until([&] {
        if (!got->over() && got->paused > 0) got->answered_by()->resume(*got);
        return got->over();
    }));
    EXPECT_EQ(got->body, long_body);
}

TEST_P(http1_client, resuming_what_is_not_paused_changes_nothing) {
    const auto got = make_get();
    got->in_data = [&] { got->answered_by()->resume(*got); };
    got->in_head = [&] { got->answered_by()->resume(*got); };
    ASSERT_TRUE(run(got, hello_chunked));
    EXPECT_EQ(got->body, "hello");
    connection_->resume(*got);
    EXPECT_EQ(idle_, 1);
}

TEST_P(http1_client, a_consumer_pulls_in_pieces_of_its_own_size) {
    for (const std::size_t piece : {1U, 3U, 4096U}) {
        for (const auto response : {hello, hello_chunked}) {
            const auto got = make_get();
            got->wants = delivery::pull;
            ask(got);
            server_.say(response);
            EXPECT_EQ(pull(got, piece), "hello<end>");
            EXPECT_TRUE(got->succeeded());
            EXPECT_EQ(got->trailers.contains("sum"), response == hello_chunked);
        }
    }
    EXPECT_EQ(idle_, 6);
    EXPECT_FALSE(closed_);
}

TEST_P(http1_client, a_consumer_pulls_what_is_long) {
    const std::string long_body = letters(100'000);
    for (const std::size_t piece : {1000U, 300'000U}) {
        const auto got = make_get();
        got->wants = delivery::pull;
        ask(got);
        server_.say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long_body);
        EXPECT_EQ(pull(got, piece), long_body + "<end>");
    }
    EXPECT_EQ(idle_, 2);
}

TEST_P(http1_client, a_consumer_pulls_nothing_where_there_is_nothing) {
    for (const auto response : {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
                                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
        const auto got = make_get();
        got->wants = delivery::pull;
        ask(got);
        server_.say(response);
        EXPECT_EQ(pull(got, 10), "<end>") << response;
    }
    EXPECT_EQ(idle_, 3);
}

TEST_P(http1_client, a_consumer_pulls_up_to_the_end_of_the_connection) {
    const auto got = make_get();
    got->wants = delivery::pull;
    ask(got);
    server_.say(hello_until_close);
    server_.hang_up();
    EXPECT_EQ(pull(got, 2), "hello<end>");
    EXPECT_EQ(closed_, close_reason::body_until_close);
    EXPECT_EQ(pull(got, 2), "<end>") << "the end stays the end";
}

TEST_P(http1_client, a_consumer_without_a_buffer_gets_nothing_and_loses_nothing) {
    const auto got = make_get();
    got->wants = delivery::pull;
    ask(got);
    server_.say(hello);
    ASSERT_TRUE(world_.turn_until([&] { return got->readable > 0; }));
    EXPECT_EQ(connection_->read_response(*got, {})->what, read_outcome::kind::would_block);
    EXPECT_EQ(pull(got, 3), "hello<end>");
}

// RFC 9112 section 6.3: these have no content, whatever their head says.
TEST_P(http1_client, responses_without_content_leave_the_connection_in_step) {
    const auto asked = make_get("/", "HEAD");
    ASSERT_TRUE(run(asked, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
    EXPECT_TRUE(asked->succeeded());
    for (const auto response :
         {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"}) {
        const auto got = make_get();
        ASSERT_TRUE(run(got, response));
        EXPECT_TRUE(got->succeeded());
        EXPECT_EQ(got->body, "");
    }
    const auto last = make_get();
    ASSERT_TRUE(run(last, hello));
    EXPECT_EQ(last->body, "hello");
    EXPECT_EQ(idle_, 4);
}

// --- The request's body -------------------------------------------------------------------------------------------------

TEST_P(http1_client, sends_a_body_that_lies_in_memory) {
    const std::string body = letters(100'000);
    const auto got = make_upload({}, body.size());
    got->request_body = body;
    server_.on_heard = [&] {
        if (server_.heard.ends_with(body)) server_.say(hello);
    };
    connection_->start(got);
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
    EXPECT_NE(server_.heard.find("Content-Length: 100000\r\n"), std::string::npos);
    EXPECT_EQ(idle_, 1);
}

TEST_P(http1_client, streams_a_body_of_known_length) {
    const std::string body = letters(50'000);
    const auto got = make_upload({body.substr(0, 20'000), body.substr(20'000)}, body.size());
    server_.on_heard = [&] {
        if (server_.heard.ends_with(body)) server_.say(hello);
    };
    connection_->start(got);
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(idle_, 1);
}

TEST_P(http1_client, streams_chunks_and_trailers_and_waits_for_its_source) {
    const auto got = make_upload({std::nullopt, "first", std::nullopt, "second", std::nullopt});
    got->trailers_to_send.append_valid("Sum", "11");
    ask(got);
    EXPECT_EQ(server_.heard.find("first"), std::string::npos);
    got->answered_by()->request_body_ready(*got);
    ASSERT_TRUE(hears("5\r\nfirst\r\n"));
    got->answered_by()->request_body_ready(*got);
    ASSERT_TRUE(hears("6\r\nsecond\r\n"));
    world_.settle();
    EXPECT_TRUE(server_.heard.ends_with("second\r\n")) << "the body is not over";
    got->answered_by()->request_body_ready(*got);
    ASSERT_TRUE(hears("0\r\nSum: 11\r\n\r\n"));
    server_.say(hello);
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(idle_, 1);
}

TEST_P(http1_client, a_source_that_fails_is_reported_as_it_failed) {
    const auto got = make_upload({"some", std::nullopt});
    got->body_failure = error{error_code::request_body_failed, phase::write, culprit::caller, 0, "the file is gone"};
    connection_->start(got);
    ASSERT_TRUE(hears("some"));
    connection_->request_body_ready(*got);
    ASSERT_TRUE(got->over());
    EXPECT_EQ(got->failure->message, "the file is gone");
    EXPECT_EQ(closed_, close_reason::request_unfinished);
}

TEST_P(http1_client, a_source_must_give_what_was_announced) {
    const auto shorter = make_upload({"1234"}, 5);
    connection_->start(shorter);
    ASSERT_TRUE(finish(shorter));
    EXPECT_EQ(shorter->failure->code, error_code::request_body_failed);
    EXPECT_EQ(shorter->failure->whose, culprit::caller);
    EXPECT_EQ(closed_, close_reason::request_unfinished);

    connect(world_.pair());
    const auto longer = make_upload({"1234", "5678"}, 5);
    connection_->start(longer);
    ASSERT_TRUE(finish(longer));
    EXPECT_EQ(longer->failure->code, error_code::request_body_failed);
    EXPECT_EQ(closed_, close_reason::request_unfinished);
}

TEST_P(http1_client, a_request_that_cannot_be_sent_costs_no_connection) {
    const auto bad = make_get("/two words");
    connection_->start(bad);
    ASSERT_TRUE(bad->over());
    EXPECT_EQ(bad->failure->whose, culprit::caller);
    EXPECT_FALSE(bad->request_sent);
    EXPECT_EQ(idle_, 1);
    const auto good = make_get();
    ASSERT_TRUE(run(good, hello));
    EXPECT_TRUE(good->succeeded());
    EXPECT_FALSE(good->on_reused_connection);
}

// --- Interim responses and early ones -----------------------------------------------------------------------------------

TEST_P(http1_client, informational_responses_come_before_the_final_one) {
    const auto got = make_get();
    ASSERT_TRUE(
        run(got, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + std::string(hello)));
    EXPECT_EQ(got->informational, (std::vector{102, 103}));
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(idle_, 1);
}

TEST_P(http1_client, a_body_waits_for_100_continue) {
    for (const bool streamed : {false, true}) {
        const auto got = streamed ? make_upload({"patient"}) : make_upload({}, 7);
        if (!streamed) got->request_body = "patient";
        got->request.headers.append_valid("Expect", "100-continue");
        ask(got);
        world_.settle();
        EXPECT_EQ(server_.heard.find("patient"), std::string::npos);
        server_.say("HTTP/1.1 100 Continue\r\n\r\n");
        ASSERT_TRUE(hears("patient"));
        server_.say(hello);
        ASSERT_TRUE(finish(got));
        EXPECT_EQ(got->informational, (std::vector{100}));
        EXPECT_TRUE(got->succeeded());
    }
    EXPECT_EQ(idle_, 2);
}

// A source pulled while the response is parsed must not spoil what is parsed: both pass through the scratch buffer.
TEST_P(http1_client, what_came_with_100_continue_survives_the_sending_of_the_body) {
    const auto got = make_upload({letters(9000)});
    got->request.headers.append_valid("Expect", "100-continue");
    ASSERT_TRUE(run(got, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + std::string(hello_chunked)));
    EXPECT_TRUE(got->succeeded()) << got->failure->message;
    EXPECT_EQ(got->body, "hello");
}

TEST_P(http1_client, a_requester_may_feed_its_body_from_what_it_receives) {
    const auto got = make_upload({std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt});
    got->in_data = [&] {
        got->body_parts.insert(got->body_parts.begin(), letters(5000));
        got->answered_by()->request_body_ready(*got);
    };
    ASSERT_TRUE(run(got, hello_chunked));
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(got->body, "hello");
}

TEST_P(http1_client, exchanges_may_be_started_and_read_from_within_another_ones_callbacks) {
    client_side other(GetParam());
    const auto inner = make_upload({letters(5000)});
    const auto pulled = make_get();
    pulled->wants = delivery::pull;
    auto pair = world_.pair();
    http1_client_connection second(environment_, std::move(pair.first), other);
    peer second_server(std::move(pair.second));

    const auto outer = make_get();
    bool started = false;
    outer->in_data = [&] {
        if (!std::exchange(started, true)) second.start(inner);
    };
    ASSERT_TRUE(run(outer, hello_chunked));
    EXPECT_TRUE(outer->succeeded());
    EXPECT_EQ(outer->body, "hello");
    cancel(inner);
    world_.settle();
}

TEST_P(http1_client_in_memory, without_100_continue_the_body_is_sent_after_a_while) {
    // An exchange before it leaves a timer behind, which must not cut the wait short.
    const auto earlier = make_get();
    earlier->limits.read = 500ms;
    ASSERT_TRUE(run(earlier, hello));
    server_.heard.clear();
    const auto got = make_upload({}, 7);
    got->request_body = "patient";
    got->limits.write = 200ms;  // bounds the silence of a peer that should take bytes, not this wait
    got->request.headers.append_valid("Expect", "100-continue");
    connection_->start(got);
    world_.pass(900ms);
    EXPECT_EQ(server_.heard.find("patient"), std::string::npos);
    world_.pass(200ms);
    EXPECT_NE(server_.heard.find("patient"), std::string::npos);
    server_.say(hello);
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(idle_, 2);
}

TEST_P(http1_client_in_memory, a_final_response_instead_of_100_continue_keeps_the_body_back) {
    const auto got = make_upload({}, 7);
    got->request_body = "patient";
    got->request.headers.append_valid("Expect", "100-continue");
    ask(got);
    server_.say("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 4\r\n\r\nno");
    world_.pass(5s);
    EXPECT_EQ(server_.heard.find("patient"), std::string::npos);
    server_.say("no");
    ASSERT_TRUE(finish(got));
    EXPECT_EQ(got->head->status, 417);
    EXPECT_EQ(got->body, "nono");
    EXPECT_EQ(closed_, close_reason::request_unfinished);
}

TEST_P(http1_client_in_memory, a_response_that_keeps_the_body_back_must_come_in_time_as_well) {
    const auto got = make_upload({}, 7);
    got->request_body = "patient";
    got->limits.read = 3s;
    got->request.headers.append_valid("Expect", "100-continue");
    ask(got);
    server_.say("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 4\r\n\r\nno");
    world_.pass(4s);
    ASSERT_TRUE(got->over());
    EXPECT_EQ(got->failure->where, phase::read);
}

TEST_P(http1_client, an_answer_before_the_request_is_complete_is_good_but_ends_the_connection) {
    const auto got = make_upload({"part", std::nullopt});
    connection_->start(got);
    ASSERT_TRUE(hears("part"));
    server_.say(hello);
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(got->body, "hello");
    EXPECT_EQ(closed_, close_reason::request_unfinished);
}

// RFC 9112 section 9.5: a response is worth more than the failure to send the rest of the request.
TEST_P(http1_client, an_answer_of_a_server_that_hangs_up_on_a_large_request_is_heard) {
    const std::string body = letters(2'000'000);
    const auto got = make_upload({}, body.size());
    got->request_body = body;
    server_.listen(false);
    connection_->start(got);
    server_.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    server_.hang_up();
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded()) << got->failure->message;
    EXPECT_EQ(got->head->status, 413);
    EXPECT_EQ(got->body, "big");
    EXPECT_TRUE(closed_);
}

TEST_P(http1_client, an_answer_that_came_with_100_continue_is_heard_although_the_body_cannot_be_sent) {
    const auto got = make_upload({letters(500'000)});
    got->request.headers.append_valid("Expect", "100-continue");
    ask(got);
    server_.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    server_.hang_up();
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded()) << got->failure->message;
    EXPECT_EQ(got->head->status, 403);
    EXPECT_EQ(got->body, "no");
}

// --- Tunnels ------------------------------------------------------------------------------------------------------------

/// RFC 9110 section 7.8. The peer's first bytes come with the head of its 101, as they do in practice.
class http1_client_tunnel : public http1_client {
protected:
    recording_ptr begin(delivery wants) {
        auto got = make_get();
        got->request.headers.append_valid("Connection", "Upgrade");
        got->request.headers.append_valid("Upgrade", "echo");
        got->wants = wants;
        // More than one part, so that sending begins while the bytes after the head are still in the buffer.
        got->body_parts = {letters(3000), std::nullopt, "ping", std::nullopt};
        ask(got);
        server_.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nwelcome ");
        EXPECT_TRUE(hears(letters(3000))) << "sent as it is, not in chunks";
        got->answered_by()->request_body_ready(*got);
        EXPECT_TRUE(hears("ping"));
        server_.say("pong");
        return got;
    }
};
INSTANTIATE_TEST_SUITE_P(over, http1_client_tunnel, ::testing::ValuesIn(all_paths()), name_of_path);

TEST_P(http1_client_tunnel, carries_raw_bytes_both_ways_until_the_server_closes) {
    const auto got = begin(delivery::push);
    ASSERT_TRUE(world_.turn_until([&] { return got->body.ends_with("pong"); }));
    EXPECT_EQ(got->head->status, 101);
    EXPECT_EQ(got->body, "welcome pong");
    server_.hang_up();
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
    EXPECT_EQ(closed_, close_reason::upgraded);
}

TEST_P(http1_client_tunnel, is_pulled_as_well) {
    const auto got = begin(delivery::pull);
    EXPECT_EQ(pull(got, 5, "pong"), "welcome pong");
    server_.hang_up();
    EXPECT_EQ(pull(got, 5), "<end>");
    EXPECT_EQ(closed_, close_reason::upgraded);
}

TEST_P(http1_client_tunnel, ends_our_direction_when_our_source_ends) {
    const auto got = begin(delivery::push);
    got->answered_by()->request_body_ready(*got);
    ASSERT_TRUE(world_.turn_until([&] { return server_.saw_end(); }));
    server_.say("bye");
    ASSERT_TRUE(world_.turn_until([&] { return got->body.ends_with("bye"); }));
    server_.hang_up();
    ASSERT_TRUE(finish(got));
    EXPECT_TRUE(got->succeeded());
}

TEST_P(http1_client_tunnel, is_abandoned_by_cancelling) {
    const auto got = begin(delivery::push);
    cancel(got);
    EXPECT_EQ(closed_, close_reason::response_unread);
}

TEST_P(http1_client, a_switch_nobody_asked_for_is_the_servers_fault) {
    const auto got = make_get();
    ASSERT_TRUE(run(got, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n"));
    EXPECT_EQ(got->failure->code, error_code::malformed_message);
    EXPECT_EQ(closed_, close_reason::protocol_error);
}

}  // namespace
}  // namespace pabal::connection
