#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "connection/http1_server_connection.hpp"
#include "connection/server_support.hpp"

namespace pabal::connection {
namespace {

using namespace testing;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

std::string upload(std::size_t size, std::string_view body = {}) {
    return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(body);
}

class http1_server : public ::testing::TestWithParam<path>, public server_side {
protected:
    http1_server() : server_side(GetParam()) {}
};
INSTANTIATE_TEST_SUITE_P(over, http1_server, ::testing::ValuesIn(all_paths()), name_of_path);

/// Cases that need to say when time passes, or how much a wire holds.
class http1_server_in_memory : public http1_server {};
INSTANTIATE_TEST_SUITE_P(over, http1_server_in_memory, ::testing::ValuesIn(memory_paths()), name_of_path);

void answer_at_once(served_request& request) { request.answer(); }

constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::size_t count_of(std::string_view text, std::string_view all) {
    std::size_t count = 0;
    for (std::size_t at = all.find(text); at != std::string_view::npos; at = all.find(text, at + text.size())) ++count;
    return count;
}

// --- Requests and responses ---------------------------------------------------------------------------------------------

TEST_P(http1_server, answers_and_keeps_the_connection) {
    script_ = answer_at_once;
    serve();
    for (std::size_t each = 1; each <= 5; ++each) {
        client_.say(get);
        ASSERT_TRUE(world_.turn_until([&] { return client_.heard.size() == each * ok.size(); }));
    }
    EXPECT_TRUE(client_.heard.starts_with(ok));
    EXPECT_FALSE(closed_);
    client_.hang_up();
    EXPECT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::peer_closed);
}

TEST_P(http1_server, answers_pipelined_requests_in_order_and_one_at_a_time) {
    serve();
    std::string all;
    for (int each = 0; each < 10; ++each) all += "GET /" + std::to_string(each) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    client_.say(all);
    for (std::size_t each = 0; each < 10; ++each) {
        ASSERT_TRUE(requests(each + 1));
        world_.settle();
        ASSERT_EQ(requests_.size(), each + 1) << "a request was begun while another was being answered";
        request(each).answer(request(each).target);
    }
    ASSERT_TRUE(hears("/9"));
    std::size_t at = 0;
    for (int each = 0; each < 10; ++each) {
        at = client_.heard.find("\r\n\r\n/" + std::to_string(each), at);
        ASSERT_NE(at, std::string::npos) << each;
    }
}

TEST_P(http1_server, reads_and_writes_chunks_as_they_come) {
    serve();
    client_.say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    ASSERT_TRUE(requests(1));
    EXPECT_EQ(request().exchange->request_body_size, std::nullopt);
    request().read();
    ASSERT_TRUE(world_.turn_until([&] { return request().body == "hello"; }));
    request().begin(200);
    request().add("first");
    ASSERT_TRUE(hears("5\r\nfirst\r\n")) << "a response may begin before the request is over";
    client_.say("6\r\n world\r\n0\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return request().body_over; }));
    EXPECT_EQ(request().body, "hello world");
    fields trailers;
    trailers.append_valid("Sum", "11");
    request().end(std::move(trailers));
    ASSERT_TRUE(hears("0\r\nSum: 11\r\n\r\n"));
    EXPECT_FALSE(closed_);
}

TEST_P(http1_server, a_body_of_known_length_is_read_to_its_end_and_no_further) {
    const std::string body = letters(50'000);
    script_ = [&](served_request& request) {
        request.on_body = [&] { request.answer(request.body.empty() ? "none" : "some"); };
        request.read();
    };
    serve();
    client_.say(upload(body.size(), body) + std::string(get));
    ASSERT_TRUE(hears("none"));
    EXPECT_EQ(request(0).body, body);
    EXPECT_EQ(request(1).body, "");
    EXPECT_EQ(request(1).exchange, nullptr);
}

TEST_P(http1_server, a_response_without_content_has_none) {
    script_ = answer_at_once;
    serve();
    client_.say("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + std::string(get));
    ASSERT_TRUE(hears("ok"));
    EXPECT_EQ(client_.heard, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + std::string(ok));
}

// RFC 9110 section 10.1.1: 100 (Continue) is sent when, and only when, somebody wants the body.
TEST_P(http1_server, says_continue_when_the_body_is_wanted) {
    serve();
    client_.say("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    ASSERT_TRUE(requests(1));
    world_.settle();
    EXPECT_EQ(client_.heard, "");
    request().read();
    ASSERT_TRUE(hears("HTTP/1.1 100 Continue\r\n\r\n"));
    client_.say("body");
    ASSERT_TRUE(world_.turn_until([&] { return request().body_over; }));
    EXPECT_EQ(request().body, "body");
    request().answer();
    ASSERT_TRUE(hears(ok));
    EXPECT_EQ(count_of("100 Continue", client_.heard), 1U);
    EXPECT_FALSE(closed_);
}

TEST_P(http1_server, an_answer_instead_of_continue_ends_the_connection) {
    script_ = answer_at_once;
    serve();
    client_.say("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_TRUE(client_.heard.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_NE(client_.heard.find("Connection: close\r\n"), std::string::npos);
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::body_unread);
}

TEST_P(http1_server, informational_responses_are_sent_to_whom_they_make_sense) {
    script_ = [](served_request& request) {
        response_head hints;
        hints.status = 103;
        request.exchange->on_informational(std::move(hints));
        request.answer();
    };
    serve();
    client_.say(get);
    ASSERT_TRUE(hears(ok));
    EXPECT_TRUE(client_.heard.starts_with("HTTP/1.1 103 Early Hints\r\n\r\n"));

    serve();
    client_.say("GET / HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(hears("ok"));
    EXPECT_EQ(client_.heard.find("103"), std::string::npos);
}

TEST_P(http1_server, an_http_1_0_client_gets_one_response_delimited_by_the_end) {
    script_ = [](served_request& request) {
        request.begin(200);
        request.add("all there is");
        request.end();
    };
    serve();
    client_.say("GET / HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_EQ(client_.heard.find("chunked"), std::string::npos);
    EXPECT_TRUE(client_.heard.ends_with("\r\n\r\nall there is"));
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::keep_alive_ended);
}

TEST_P(http1_server, an_http_1_0_client_may_ask_to_keep_the_connection) {
    script_ = answer_at_once;
    serve();
    client_.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ASSERT_TRUE(hears("ok"));
    client_.say("GET / HTTP/1.0\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_EQ(requests_.size(), 2U);
}

TEST_P(http1_server, a_client_that_says_close_gets_its_response_whole) {
    const std::string body = letters(700'000);
    script_ = [&](served_request& request) { request.answer(body); };
    serve();
    client_.say("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + std::string(get));
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_TRUE(client_.heard.ends_with(body));
    EXPECT_EQ(requests_.size(), 1U) << "what comes after it is no request any more";
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::keep_alive_ended);
}

// RFC 9112 section 9.6: who has ended its direction still waits for what it asked for.
TEST_P(http1_server, a_client_that_ends_its_direction_gets_its_response_whole) {
    const std::string body = letters(700'000);
    for (const bool late : {false, true}) {
        script_ = [&](served_request& request) {
            if (!late) request.answer(body);
        };
        serve();
        client_.say(get);
        ASSERT_TRUE(world_.turn_until([&] { return client_.has_said_all(); }));
        client_.finish();
        ASSERT_TRUE(requests(1));
        world_.settle();
        if (late) request().answer(body);
        ASSERT_TRUE(is_closed());
        EXPECT_EQ(closed_, server_close_reason::peer_closed);
        ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
        EXPECT_TRUE(client_.heard.ends_with(body));
    }
}

// --- Malformed requests -------------------------------------------------------------------------------------------------

TEST_P(http1_server, refuses_what_is_malformed_without_echoing_it) {
    script_ = answer_at_once;
    const std::vector<std::pair<std::string, int>> cases{
        {"GET /marker HTTP/1.1\r\n\r\n", 400},
        {"GET /marker HTTP/1.1\nHost: x\n\n", 400},
        {"GET /marker HTTP/1.1\r\nHost: x\r\nHost: marker\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/marker\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nmarker : y\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nmarker", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nmarker", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nmarker", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: marker, chunked\r\n\r\n", 501},
        {"GET /marker HTTP/7.0\r\nHost: x\r\n\r\n", 505},
        {"\x16\x03\x01marker\r\n\r\n", 400},
        {"GET /" + std::string(20'000, 'm') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
        {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(70'000, 'm') + "\r\n\r\n", 431},
    };
    for (const auto& [request, status] : cases) {
        SCOPED_TRACE(request.substr(0, 80));
        serve();
        client_.say(request + std::string(get));
        ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
        EXPECT_EQ(client_.heard.substr(0, 12), "HTTP/1.1 " + std::to_string(status));
        EXPECT_NE(client_.heard.find("Connection: close\r\n"), std::string::npos);
        EXPECT_EQ(client_.heard.find("marker"), std::string::npos);
        EXPECT_EQ(client_.heard.find("mmm"), std::string::npos);
        EXPECT_EQ(count_of("HTTP/1.1 ", client_.heard), 1U) << "nothing after it is answered";
        EXPECT_TRUE(requests_.empty());
        client_.hang_up();
        ASSERT_TRUE(is_closed());
        EXPECT_EQ(closed_, server_close_reason::malformed_request);
    }
}

TEST_P(http1_server, a_request_before_a_malformed_one_is_answered) {
    script_ = answer_at_once;
    serve();
    client_.say(std::string(get) + "GET / HTTP/1.1\r\nbroken\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_TRUE(client_.heard.starts_with(std::string(ok) + "HTTP/1.1 400"));
}

TEST_P(http1_server, a_malformed_body_is_the_clients_failure) {
    script_ = [](served_request& request) {
        request.on_body = [&] { request.fail(); };
        request.read();
    };
    serve();
    client_.say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nmarker\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_EQ(request().body, "hi");
    EXPECT_EQ(request().body_failure->code, error_code::malformed_message);
    EXPECT_TRUE(client_.heard.starts_with("HTTP/1.1 400"));
    EXPECT_EQ(client_.heard.find("marker"), std::string::npos);
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::malformed_request);
}

TEST_P(http1_server, a_body_that_is_cut_short_is_an_error_to_its_handler) {
    for (const std::string_view request :
         {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\ncut",
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ncut\r\n"}) {
        script_ = [](served_request& it) {
            it.on_body = [&] { it.fail(); };
            it.read();
        };
        serve();
        client_.say(request);
        client_.hang_up();
        ASSERT_TRUE(is_closed());
        EXPECT_EQ(this->request().body, "cut");
        EXPECT_EQ(this->request().body_failure->code, error_code::body_incomplete);
        EXPECT_EQ(this->request().body_failure->whose, culprit::peer);
    }
}

TEST_P(http1_server_in_memory, a_refused_client_is_listened_to_for_a_moment_so_that_it_hears_why) {
    serve();
    client_.say("nonsense\r\n\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    client_.say(letters(100'000));  // would be answered by a reset if nobody took it
    ASSERT_TRUE(world_.turn_until([&] { return client_.has_said_all(); }));
    EXPECT_FALSE(closed_);
    world_.pass(1100ms);
    EXPECT_EQ(closed_, server_close_reason::malformed_request);
}

TEST_P(http1_server_in_memory, a_refused_client_cannot_go_on_talking_for_ever) {
    serve({.linger = 20'000});
    client_.say("nonsense\r\n\r\n");
    client_.say(letters(100'000));
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::malformed_request);
}

// --- Bodies nobody read -------------------------------------------------------------------------------------------------

TEST_P(http1_server, a_short_body_nobody_read_is_drained_for_the_connections_sake) {
    script_ = answer_at_once;
    serve();
    const std::string body = letters(30'000);
    client_.say(upload(body.size(), body) + std::string(get));
    client_.say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" +
                std::string(get));
    ASSERT_TRUE(world_.turn_until([&] { return count_of(ok, client_.heard) == 4; }));
    EXPECT_FALSE(closed_);
}

TEST_P(http1_server, a_long_body_nobody_read_ends_the_connection_after_the_response) {
    script_ = answer_at_once;
    serve();
    client_.say(upload(10'000'000, letters(200'000)));
    ASSERT_TRUE(hears(ok));
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::body_unread);
}

TEST_P(http1_server, a_malformed_body_nobody_read_ends_the_connection_after_the_response) {
    script_ = answer_at_once;
    serve();
    client_.say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nmarker\r\n");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_EQ(client_.heard, ok);
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::malformed_request);
}

// --- Backpressure -------------------------------------------------------------------------------------------------------

TEST_P(http1_server, a_handler_is_told_to_pause_and_to_go_on) {
    serve({.write_buffer = 50'000});
    client_.listen(false);
    client_.say(get);
    ASSERT_TRUE(requests(1));
    const std::string piece = letters(10'000);
    std::size_t sent = 0;
    const auto send_all = [&] {
        while (sent < 800'000 && request().exchange) {
            sent += piece.size();
            if (request().add(piece) == flow::pause) return;
        }
        if (request().exchange) request().end();
    };
    request().begin(200);
    request().on_resume = send_all;
    send_all();
    world_.settle();
    EXPECT_LT(sent, 500'000U) << "nobody reads";
    client_.listen(true);
    ASSERT_TRUE(world_.turn_until([&] { return client_.heard.ends_with("\r\n0\r\n\r\n"); }));
    EXPECT_GT(request().resumed, 0);
    EXPECT_GT(client_.heard.size(), 800'000U);
    EXPECT_FALSE(closed_);
}

/// CVE-2026-54273: a client that sends requests without end and reads nothing. Its requests wait in its own socket.
TEST(server_backpressure, a_million_pipelined_requests_of_a_client_that_reads_nothing_stay_bounded) {
    server_side server(path{.name = "whole"});
    std::size_t answered = 0;
    server.script_ = [&](served_request& request) {
        ++answered;
        request.answer(letters(1000));
    };
    server.serve({.write_buffer = 100'000});
    server.client_.listen(false);
    std::string batch;
    for (int each = 0; each < 1000; ++each) batch += get;
    constexpr std::size_t million = 1'000'000;
    std::size_t said = 0;
    const auto talk = [&](std::size_t enough) {
        while (said < enough) {
            if (!server.client_.has_said_all()) return;
            server.client_.say(batch);
            said += 1000;
            server.world_.settle();
            server.requests_.clear();
        }
    };
    talk(million);
    EXPECT_LT(said, 10'000U) << "reading went on";
    EXPECT_LT(answered, 500U);
    EXPECT_FALSE(server.closed_);

    // When it does read, everything is answered.
    constexpr std::size_t all = 20'000;
    server.client_.on_heard = [&] { server.client_.heard.erase(0, server.client_.heard.size() - 100); };
    server.client_.listen(true);
    ASSERT_TRUE(server.world_.turn_until([&] {
        if (server.client_.has_said_all()) talk(all);
        return answered == said && said >= all;
    }));
}

// --- Time ---------------------------------------------------------------------------------------------------------------

TEST_P(http1_server_in_memory, a_client_that_asks_nothing_is_let_go) {
    serve({.head = 3s, .idle = 5s});
    world_.pass(3100ms);
    EXPECT_TRUE(client_.saw_end());
    EXPECT_EQ(client_.heard, "") << "there is nothing to answer";
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::idle_timeout);

    script_ = answer_at_once;
    serve({.head = 3s, .idle = 5s});
    client_.say(get);
    world_.pass(4900ms);
    EXPECT_FALSE(client_.saw_end());
    client_.say(get);
    world_.pass(4900ms);
    EXPECT_FALSE(client_.saw_end()) << "the second request began a new wait";
    world_.pass(200ms);
    EXPECT_TRUE(client_.saw_end());
    world_.pass(1100ms);
    EXPECT_EQ(closed_, server_close_reason::idle_timeout);
}

// Slow loris: every byte comes in time, the head does not.
TEST_P(http1_server_in_memory, a_head_in_single_drops_is_bounded_as_a_whole) {
    script_ = answer_at_once;
    for (const bool after_another : {false, true}) {
        serve({.head = 10s, .idle = 1min});
        if (after_another) client_.say(get);
        world_.pass(1s);
        client_.heard.clear();
        client_.say("GET / HTTP/1.1\r\nHost: x\r\n");
        for (int drop = 0; drop < 9; ++drop) {
            client_.say("X: y\r\n");
            world_.pass(1s);
        }
        EXPECT_FALSE(client_.saw_end());
        client_.say("X: y\r\n");
        world_.pass(1100ms);
        EXPECT_TRUE(client_.heard.starts_with("HTTP/1.1 408")) << client_.heard;
        EXPECT_TRUE(client_.saw_end());
        client_.hang_up();
        ASSERT_TRUE(is_closed());
        EXPECT_EQ(closed_, server_close_reason::request_timed_out);
    }
}

TEST_P(http1_server_in_memory, silence_in_a_body_is_bounded) {
    for (const bool begun : {false, true}) {
        serve({.body = 5s});
        client_.say(upload(100, "some"));
        ASSERT_TRUE(requests(1));
        request().read();
        if (begun) {
            request().begin(200);
            request().add("echo");
        }
        world_.pass(4s);
        client_.say("more");
        world_.pass(4s);
        EXPECT_EQ(request().body, "somemore");
        EXPECT_FALSE(request().cancelled);
        world_.pass(1100ms);
        EXPECT_TRUE(request().cancelled);
        EXPECT_EQ(client_.heard.starts_with("HTTP/1.1 408"), !begun);
        world_.pass(1100ms);
        EXPECT_EQ(closed_, server_close_reason::request_timed_out);
    }
}

TEST_P(http1_server_in_memory, silence_in_a_body_nobody_reads_is_bounded) {
    script_ = answer_at_once;
    serve({.body = 5s});
    client_.say(upload(100, "some"));
    world_.pass(4900ms);
    EXPECT_FALSE(closed_);
    world_.pass(200ms);
    EXPECT_EQ(closed_, server_close_reason::request_timed_out);
    EXPECT_EQ(client_.heard, ok);
}

TEST_P(http1_server_in_memory, a_handler_may_take_its_time) {
    serve({.head = 1s, .idle = 1s, .body = 1s, .write = 1s});
    client_.say(upload(8, "half"));
    ASSERT_TRUE(requests(1));
    request().read();
    world_.pass(500ms);
    client_.say("done");
    world_.pass(1h);
    ASSERT_TRUE(request().body_over);
    EXPECT_FALSE(request().cancelled);
    request().begin(200);
    request().add("still");
    world_.pass(1h);
    request().end();
    ASSERT_TRUE(hears("0\r\n\r\n"));
    EXPECT_FALSE(closed_);
}

TEST_P(http1_server_in_memory, a_client_that_takes_nothing_is_bounded_whatever_its_connection_is_at) {
    const std::string body = letters(300'000);
    const std::string closing = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for (const std::string& asked : {std::string(get), closing, std::string(get) + std::string(get)}) {
        script_ = [&](served_request& request) { request.answer(body); };
        serve({.idle = 1h, .write = 20s});
        client_.listen(false);
        client_.say(asked);
        world_.pass(19s);
        EXPECT_FALSE(closed_);
        world_.pass(1100ms);
        EXPECT_EQ(closed_, server_close_reason::write_timed_out);
        client_.listen(true);
    }
}

TEST_P(http1_server_in_memory, more_output_is_no_progress_of_the_client) {
    serve({.write = 20s});
    client_.listen(false);
    client_.say(get);
    ASSERT_TRUE(requests(1));
    request().begin(200);
    request().add(letters(80'000));
    for (int second = 0; second < 25 && !closed_; ++second) {
        world_.pass(1s);
        if (request().exchange) request().add("tick");
    }
    EXPECT_EQ(closed_, server_close_reason::write_timed_out);
    EXPECT_TRUE(request().cancelled);
}

TEST_P(http1_server_in_memory, a_slow_client_gets_everything_even_when_the_connection_ends_with_it) {
    const std::string body = letters(100'000);
    script_ = [&](served_request& request) { request.answer(body); };
    serve({.write = 20s}, world_.memory({}, {.capacity = 5000}));
    client_.listen(false);
    client_.say("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    world_.pass(1s);
    while (!closed_ && !client_.saw_end()) {
        client_.listen(true);
        client_.listen(false);
        world_.pass(5s);
    }
    client_.listen(true);
    world_.pass(2s);
    EXPECT_TRUE(client_.heard.ends_with(body));
    EXPECT_EQ(closed_, server_close_reason::keep_alive_ended);
}

// --- Handlers that do not do what they should ---------------------------------------------------------------------------

TEST_P(http1_server, a_handler_that_fails_before_its_response_is_a_500) {
    serve();
    client_.say(get);
    ASSERT_TRUE(requests(1));
    request().fail();
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_TRUE(client_.heard.starts_with("HTTP/1.1 500"));
    EXPECT_EQ(client_.heard.find("secret"), std::string::npos);
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::handler_failed);
}

TEST_P(http1_server, a_handler_that_fails_in_its_response_breaks_off) {
    serve();
    client_.say(get);
    ASSERT_TRUE(requests(1));
    request().begin(200);
    request().add("part");
    ASSERT_TRUE(hears("part"));
    request().fail();
    EXPECT_EQ(closed_, server_close_reason::handler_failed);
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_TRUE(client_.heard.ends_with("part\r\n")) << "no last chunk: it must not look complete (RFC 9112 section 8)";
}

TEST_P(http1_server, a_response_that_cannot_be_sent_is_a_500) {
    script_ = [](served_request& request) {
        response_head head;
        head.status = 42;
        request.exchange->on_response(std::move(head));
        EXPECT_TRUE(request.cancelled);
    };
    serve();
    client_.say(get);
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    EXPECT_TRUE(client_.heard.starts_with("HTTP/1.1 500"));
}

TEST_P(http1_server, a_body_that_does_not_match_its_length_breaks_off) {
    for (const std::string_view body : {"too long", "t"}) {
        serve();
        client_.say(get);
        ASSERT_TRUE(requests(1));
        request().begin(200, 3);
        request().add(body);
        if (request().exchange) request().end();
        ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
        client_.hang_up();
        ASSERT_TRUE(is_closed());
        EXPECT_EQ(closed_, server_close_reason::handler_failed);
    }
}

TEST_P(http1_server, a_handler_that_answers_after_the_client_left_finds_nobody) {
    serve();
    client_.say(get);
    ASSERT_TRUE(requests(1));
    client_.hang_up();
    world_.settle();
    request().begin(200);
    while (request().exchange && request().add(letters(10'000)) == flow::more && !closed_) world_.settle();
    ASSERT_TRUE(is_closed());
    EXPECT_TRUE(request().cancelled);
}

TEST_P(http1_server, an_exchange_outlives_its_connection) {
    serve();
    client_.say(upload(10));
    ASSERT_TRUE(requests(1));
    const exchange_ptr kept = request().exchange;
    connection_->close(server_close_reason::server_stopped);
    EXPECT_TRUE(request().cancelled);
    connection_.reset();
    std::array<char, 10> buffer;
    EXPECT_EQ(kept->read_request_body(buffer).error().code, error_code::connection_closed);
    kept->on_informational({});
    kept->on_response({.status = 200});
    EXPECT_EQ(kept->on_data("late"), flow::more);
    kept->on_end({});
    kept->on_error({});
    world_.settle();
    EXPECT_EQ(client_.heard, "");
}

TEST_P(http1_server, what_a_handler_says_after_its_end_is_not_heard) {
    serve();
    client_.say(get);
    ASSERT_TRUE(requests(1));
    const exchange_ptr kept = request().exchange;
    request().answer();
    kept->on_data("late");
    kept->on_end({});
    client_.say(get);
    ASSERT_TRUE(requests(2));
    request(1).answer();
    ASSERT_TRUE(world_.turn_until([&] { return client_.heard.size() == 2 * ok.size(); }));
    EXPECT_EQ(client_.heard, std::string(ok) + std::string(ok));
}

// --- Stopping -----------------------------------------------------------------------------------------------------------

TEST_P(http1_server, finishing_lets_go_of_an_idle_client_at_once) {
    serve();
    world_.settle();
    connection_->finish();
    EXPECT_FALSE(connection_->is_answering());
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    client_.hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::server_stopped);
}

TEST_P(http1_server, finishing_answers_what_was_begun_and_nothing_more) {
    for (const bool in_head : {false, true}) {
        serve();
        client_.say(get.substr(0, in_head ? 10 : get.size()));
        if (in_head) world_.settle();
        else ASSERT_TRUE(requests(1));
        EXPECT_EQ(connection_->is_answering(), !in_head);
        connection_->finish();
        client_.say(in_head ? get.substr(10) : get);
        ASSERT_TRUE(requests(1));
        request().answer();
        ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
        EXPECT_NE(client_.heard.find("Connection: close\r\n"), std::string::npos);
        EXPECT_EQ(requests_.size(), 1U);
        client_.hang_up();
        ASSERT_TRUE(is_closed());
        EXPECT_EQ(closed_, server_close_reason::keep_alive_ended);
    }
}

TEST_P(http1_server, closing_takes_the_request_away_from_its_handler) {
    serve();
    client_.say(get);
    ASSERT_TRUE(requests(1));
    request().begin(200);
    connection_->close(server_close_reason::server_stopped);
    EXPECT_TRUE(request().cancelled);
    EXPECT_EQ(closed_, server_close_reason::server_stopped);
    connection_->close(server_close_reason::server_stopped);
    connection_->finish();
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
}

TEST_P(http1_server_in_memory, a_client_may_go_at_any_byte) {
    const std::string request = upload(5, "hello") + std::string(get);
    for (std::size_t cut = 0; cut < request.size(); ++cut) {
        script_ = [](served_request& it) {
            it.on_body = [&] {
                if (it.body_failure) it.fail();
                else it.answer();
            };
            it.read();
        };
        serve();
        client_.say(std::string_view(request).substr(0, cut));
        client_.hang_up();
        ASSERT_TRUE(is_closed()) << cut;
        world_.settle();
    }
}

TEST(server_close_reason, every_reason_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    constexpr int count = static_cast<int>(server_close_reason::server_stopped) + 1;
    for (int each = 0; each < count; ++each) names.insert(name_of(static_cast<server_close_reason>(each)));
    EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
    EXPECT_FALSE(names.contains("unknown"));
}

}  // namespace
}  // namespace pabal::connection
