// The HTTP/2 server connection and its streams, against nghttp2's client at the far end of a wire.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "connection/http2_server_connection.hpp"
#include "connection/server_support.hpp"
#include "protocol/http2/http2_client.hpp"

namespace pabal::connection {
namespace {

using namespace testing;
using http2::testing::frame;
using http2::testing::get_lines;
using http2::testing::header_block;
using http2::testing::http2_client;
using http2::testing::lines;
using http2::testing::post_lines;

using settings = std::vector<nghttp2_settings_entry>;

class http2_server : public ::testing::TestWithParam<path>, public server_side {
protected:
    http2_server() : server_side(GetParam()) {
        client_.on_heard = [this] {
            h2_->receive(std::exchange(client_.heard, {}));
            if (!gone_) say();
        };
        open();
    }

    void open(const server_limits& limits = {}, settings said = {}, bool reads = true) {
        gone_ = false;
        h2_ = std::make_unique<http2_client>(std::move(said), reads);
        serve(limits);
        say();
        world_.settle();
    }
    void say() { client_.say(h2_->output()); }
    std::int32_t ask(const lines& head = get_lines(), std::string body = {}, lines trailers = {}) {
        const auto id = h2_->ask(head, std::move(body), std::move(trailers));
        say();
        return id;
    }
    std::int32_t begin(const lines& head = post_lines(), std::string body = {}) {
        const auto id = h2_->begin(head, std::move(body));
        say();
        return id;
    }
    http2_client::response& response(std::int32_t id) { return h2_->responses[id]; }
    bool ends(std::int32_t id) {
        return world_.turn_until([&] { return response(id).ended || response(id).reset; });
    }
    bool hears_body(std::int32_t id, std::size_t size) {
        return world_.turn_until([&] { return response(id).body.size() >= size; });
    }
    /// The client takes leave of nobody.
    void hang_up() {
        gone_ = true;
        client_.hang_up();
    }
    /// The connection still works.
    void expect_alive() {
        const auto script = std::exchange(script_, [](served_request& request) { request.answer("alive"); });
        const auto id = ask(get_lines("/alive"));
        EXPECT_TRUE(ends(id));
        EXPECT_EQ(response(id).body, "alive");
        EXPECT_FALSE(closed_);
        script_ = script;
    }

    std::unique_ptr<http2_client> h2_;
    bool gone_ = false;
};
INSTANTIATE_TEST_SUITE_P(over, http2_server, ::testing::ValuesIn(all_paths()), name_of_path);

/// Cases that need to say when time passes, or how much a wire holds.
class http2_server_in_memory : public http2_server {};
INSTANTIATE_TEST_SUITE_P(over, http2_server_in_memory, ::testing::ValuesIn(memory_paths()), name_of_path);

// --- Requests and responses ------------------------------------------------------------------------------------------

TEST_P(http2_server, many_requests_share_a_connection_and_are_answered_in_any_order) {
    std::vector<std::int32_t> ids;
    for (int count = 0; count < 20; ++count) ids.push_back(h2_->ask(get_lines("/" + std::to_string(count))));
    say();
    ASSERT_TRUE(requests(20));
    EXPECT_TRUE(connection_->is_answering());
    for (std::size_t at = 20; at-- > 0;) {
        EXPECT_EQ(request(at).version, http_version::http_2);
        EXPECT_EQ(request(at).exchange->request_body_size, 0U);
        request(at).answer(request(at).target);
    }
    for (std::size_t at = 0; at < 20; ++at) {
        ASSERT_TRUE(ends(ids[at]));
        EXPECT_EQ(response(ids[at]).status(), "200");
        EXPECT_EQ(response(ids[at]).body, "/" + std::to_string(at));
        EXPECT_EQ(response(ids[at]).reset, NGHTTP2_NO_ERROR);
    }
    world_.settle();
    EXPECT_FALSE(connection_->is_answering());
}

TEST_P(http2_server, a_body_is_read_to_its_end_and_trailers_follow_it) {
    const std::string body = letters(50'000);
    script_ = [](served_request& request) {
        request.on_body = [&request] {
            const fields* trailers = request.exchange->request_trailers();
            request.answer(trailers ? std::string(trailers->find("sum").value_or("none")) : "nothing");
        };
        request.read();
    };
    const auto with = ask(post_lines(), body, {{"sum", "50000"}});
    const auto without = ask(post_lines(), "short");
    ASSERT_TRUE(ends(with) && ends(without));
    EXPECT_EQ(request(0).body, body);
    EXPECT_EQ(request(1).body, "short");
    EXPECT_EQ(response(with).body, "50000");
    EXPECT_EQ(response(without).body, "none");
}

TEST_P(http2_server, both_bodies_come_as_they_are_written) {
    const auto id = begin(post_lines(), "hello");
    ASSERT_TRUE(requests(1));
    EXPECT_EQ(request().exchange->request_body_size, std::nullopt);
    request().read();
    ASSERT_TRUE(world_.turn_until([&] { return request().body == "hello"; }));
    request().begin(200);
    request().add("first");
    ASSERT_TRUE(hears_body(id, 5)) << "a response may begin before the request is over";
    h2_->add(id, " world");
    h2_->end(id);
    say();
    ASSERT_TRUE(world_.turn_until([&] { return request().body_over; }));
    EXPECT_EQ(request().body, "hello world");
    request().add("second");
    fields trailers;
    trailers.append_valid("Sum", "11");
    request().end(std::move(trailers));
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(response(id).body, "firstsecond");
    EXPECT_EQ(response(id).trailers, (lines{{"sum", "11"}}));
}

TEST_P(http2_server, a_response_without_content_has_none) {
    script_ = [](served_request& request) {
        if (request.target == "/204") {
            request.begin(204);
            request.end();
        } else {
            request.answer("content");
        }
    };
    lines head = get_lines();
    head[0].second = "HEAD";
    const auto asked = ask(head), none = ask(get_lines("/204"));
    ASSERT_TRUE(ends(asked) && ends(none));
    EXPECT_EQ(response(asked).field("content-length"), "7");
    EXPECT_EQ(response(asked).body, "");
    EXPECT_EQ(response(none).status(), "204");
    expect_alive();
}

// RFC 9110 section 10.1.1: 100 (Continue) is sent when, and only when, somebody wants the body.
TEST_P(http2_server, says_continue_when_the_body_is_wanted) {
    lines head = post_lines();
    head.emplace_back("expect", "100-continue");
    const auto id = begin(head);
    ASSERT_TRUE(requests(1));
    world_.settle();
    EXPECT_TRUE(response(id).heads.empty());
    request().read();
    ASSERT_TRUE(world_.turn_until([&] { return !response(id).heads.empty() && response(id).status() == "100"; }));
    h2_->add(id, "body");
    h2_->end(id);
    say();
    ASSERT_TRUE(world_.turn_until([&] { return request().body_over; }));
    EXPECT_EQ(request().body, "body");
    request().answer();
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(response(id).heads.size(), 2U);
}

TEST_P(http2_server, early_hints_come_before_the_response) {
    const auto id = ask();
    ASSERT_TRUE(requests(1));
    response_head hints;
    hints.status = 103;
    hints.headers.append_valid("Link", "</a>");
    request().exchange->on_informational(std::move(hints));
    request().answer();
    ASSERT_TRUE(ends(id));
    ASSERT_EQ(response(id).heads.size(), 2U);
    EXPECT_EQ(response(id).heads[0], (lines{{":status", "103"}, {"link", "</a>"}}));
    EXPECT_EQ(response(id).status(), "200");
}

// RFC 9113 section 8.1: RST_STREAM with NO_ERROR asks for no more of the request.
TEST_P(http2_server, an_early_answer_does_not_wait_for_the_request) {
    script_ = [](served_request& request) { request.answer("enough"); };
    const auto little = begin(post_lines(), letters(1000));
    ASSERT_TRUE(ends(little));
    EXPECT_EQ(response(little).body, "enough");
    world_.settle();
    EXPECT_FALSE(response(little).reset) << "a little more is taken in";
    h2_->add(little, letters(10'000));
    h2_->end(little);
    say();
    ASSERT_TRUE(world_.turn_until([&] { return response(little).reset.has_value(); }));
    EXPECT_EQ(response(little).reset, NGHTTP2_NO_ERROR);
    EXPECT_EQ(h2_->sent(little), 11'000U);

    const auto much = ask(post_lines(), letters(1'000'000));
    ASSERT_TRUE(world_.turn_until([&] { return response(much).reset.has_value(); }));
    EXPECT_EQ(response(much).reset, NGHTTP2_NO_ERROR);
    EXPECT_TRUE(response(much).ended);
    EXPECT_EQ(response(much).body, "enough");
    EXPECT_LT(h2_->sent(much), 1'000'000U);
    world_.settle();
    EXPECT_FALSE(connection_->is_answering());
    expect_alive();
}

TEST_P(http2_server, who_waits_for_continue_and_is_answered_need_not_go_on) {
    script_ = [](served_request& request) { request.answer("no"); };
    lines head = post_lines();
    head.emplace_back("expect", "100-continue");
    const auto id = begin(head);
    ASSERT_TRUE(world_.turn_until([&] { return response(id).reset.has_value(); }));
    EXPECT_EQ(response(id).reset, NGHTTP2_NO_ERROR);
    EXPECT_EQ(response(id).body, "no");
}

// --- Flow control ----------------------------------------------------------------------------------------------------

TEST_P(http2_server, a_handler_that_does_not_read_stops_its_client_and_nobody_else) {
    const std::size_t window = http2::server_limits.stream_window;
    const auto slow = ask(post_lines(), letters(window + 10'000));
    ASSERT_TRUE(world_.turn_until([&] { return h2_->sent(slow) == window; }));
    world_.settle();
    EXPECT_EQ(h2_->sent(slow), window);
    expect_alive();
    request(0).read();
    ASSERT_TRUE(world_.turn_until([&] { return request(0).body_over; }));
    EXPECT_EQ(request(0).body, letters(window + 10'000));
    request(0).answer();
    ASSERT_TRUE(ends(slow));
}

TEST_P(http2_server, a_handler_that_writes_more_than_is_taken_is_told_to_pause) {
    open({.write_buffer = 1000}, {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 5000}}, false);
    std::size_t written = 0;
    const auto write = [&](served_request& request) {
        while (written < 20'000) {
            written += 500;
            if (request.add(std::string(500, 'r')) == flow::pause) return;
        }
        if (request.exchange) request.end();
    };
    script_ = [&](served_request& request) {
        request.on_resume = [&] { write(request); };
        request.begin(200);
        write(request);
    };
    const auto id = ask();
    ASSERT_TRUE(hears_body(id, 5000));
    world_.settle();
    EXPECT_EQ(response(id).body.size(), 5000U);
    EXPECT_LE(written, 5000U + 2 * 1500U);
    for (int count = 0; count < 16; ++count) {
        h2_->open_window(id, 1000);
        say();
    }
    ASSERT_TRUE(ends(id)) << written << " " << response(id).body.size();
    EXPECT_EQ(response(id).body.size(), 20'000U);
    EXPECT_GT(request().resumed, 3);
}

TEST_P(http2_server, large_bodies_go_both_ways_at_once) {
    const std::string body = letters(600'000);
    script_ = [](served_request& request) {
        request.on_body = [&request] { request.answer(request.body); };
        request.read();
    };
    const auto first = ask(post_lines(), body), second = ask(post_lines(), body);
    ASSERT_TRUE(ends(first) && ends(second));
    EXPECT_EQ(response(first).body, body);
    EXPECT_EQ(response(second).body, body);
}

// --- Failures of one stream ------------------------------------------------------------------------------------------

TEST_P(http2_server, a_handler_that_fails_fails_alone) {
    const auto before = ask(), after = ask();
    ASSERT_TRUE(requests(2));
    request(0).fail();
    request(1).begin(200);
    request(1).add("some");
    ASSERT_TRUE(hears_body(after, 4));
    request(1).fail();
    ASSERT_TRUE(ends(before) && ends(after));
    EXPECT_EQ(response(before).status(), "500");
    EXPECT_EQ(response(before).body, "");
    EXPECT_FALSE(response(after).ended);
    EXPECT_EQ(response(after).reset, NGHTTP2_INTERNAL_ERROR);
    expect_alive();
}

TEST_P(http2_server, a_response_that_cannot_be_sent_becomes_500) {
    const auto id = ask();
    ASSERT_TRUE(requests(1));
    response_head head;
    head.status = 200;
    head.headers.append_valid("Content-Length", "many");
    request().exchange->on_response(std::move(head));
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(response(id).status(), "500");
    EXPECT_TRUE(request().cancelled);
    expect_alive();
}

TEST_P(http2_server, a_body_that_is_not_what_was_announced_is_never_complete) {
    const auto id = ask();
    ASSERT_TRUE(requests(1));
    request().begin(200, 10);
    request().add("short");
    request().end();
    ASSERT_TRUE(ends(id));
    EXPECT_FALSE(response(id).ended);
    EXPECT_EQ(response(id).reset, NGHTTP2_INTERNAL_ERROR);
    expect_alive();
}

TEST_P(http2_server, a_request_that_the_client_gives_up_is_cancelled) {
    const auto waiting = begin(), answering = ask(), silent = ask();
    ASSERT_TRUE(requests(3));
    request(0).read();
    request(1).begin(200);
    request(1).add("some");
    ASSERT_TRUE(hears_body(answering, 4));
    for (const auto id : {waiting, answering, silent}) h2_->reset(id);
    say();
    ASSERT_TRUE(
        world_.turn_until([&] { return request(0).cancelled && request(1).cancelled && request(2).cancelled; }));
    world_.settle();
    EXPECT_FALSE(connection_->is_answering());
    expect_alive();
}

TEST_P(http2_server, a_head_that_is_too_large_is_told_so) {
    lines head = get_lines();
    for (int count = 0; count < 300; ++count) head.emplace_back("a", "b");
    const auto id = ask(head);
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(response(id).status(), "431");
    EXPECT_TRUE(requests_.empty());
    expect_alive();
}

// --- The end of the connection ---------------------------------------------------------------------------------------

TEST_P(http2_server, a_client_that_hangs_up_cancels_all_it_asked_for) {
    begin();
    ask();
    ask();
    ASSERT_TRUE(requests(3));
    request(0).read();
    request(1).begin(200);
    world_.settle();
    hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::peer_closed);
    for (std::size_t at = 0; at < 3; ++at) EXPECT_TRUE(request(at).cancelled);
}

TEST_P(http2_server, a_client_that_breaks_the_rules_is_told_and_let_go) {
    ask();
    ASSERT_TRUE(requests(1));
    client_.say(frame(0, 0, 0, "data on no stream"));
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    ASSERT_EQ(h2_->goaways.size(), 1U);
    EXPECT_EQ(h2_->goaways[0].second, NGHTTP2_PROTOCOL_ERROR);
    EXPECT_TRUE(request().cancelled);
    hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::malformed_request);
}

TEST_P(http2_server, a_client_that_takes_leave_gets_what_it_asked_for) {
    const auto id = ask();
    h2_->go_away();
    say();
    ASSERT_TRUE(requests(1));
    request().answer("last");
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(response(id).body, "last");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::keep_alive_ended);
}

TEST_P(http2_server, an_idle_connection_ends_at_once_when_the_server_stops) {
    expect_alive();
    world_.settle();
    connection_->finish();
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    ASSERT_EQ(h2_->goaways.size(), 1U);
    EXPECT_EQ(h2_->goaways[0], (std::pair<std::int32_t, std::uint32_t>(1, NGHTTP2_NO_ERROR)));
    hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::server_stopped);
}

TEST_P(http2_server, requests_under_way_are_finished_when_the_server_stops) {
    const auto id = ask();
    ASSERT_TRUE(requests(1));
    connection_->finish();
    ASSERT_TRUE(world_.turn_until([&] { return h2_->goaways.size() == 2; }));
    EXPECT_EQ(h2_->goaways[1].first, id);
    EXPECT_FALSE(client_.saw_end());
    request().answer(letters(10'000));
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(response(id).body, letters(10'000));
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
    hang_up();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(closed_, server_close_reason::server_stopped);
}

TEST_P(http2_server, an_answer_that_comes_too_late_is_heard_by_nobody) {
    ask();
    begin();
    ASSERT_TRUE(requests(2));
    const exchange_ptr late = request(0).exchange, reading = request(1).exchange;
    connection_->close(server_close_reason::server_stopped);
    EXPECT_TRUE(request(0).cancelled && request(1).cancelled);
    std::array<char, 10> buffer;
    EXPECT_FALSE(reading->read_request_body(buffer));
    connection_.reset();
    response_head head;
    head.status = 200;
    late->on_response(std::move(head));
    late->on_data("nobody");
    late->on_end({});
    EXPECT_FALSE(reading->read_request_body(buffer));
}

/// Whatever a handler is told, it may end the connection before it returns.
TEST_P(http2_server, a_handler_may_end_the_connection_at_any_time) {
    const auto close = [this] { connection_->close(server_close_reason::server_stopped); };
    script_ = [&](served_request&) { close(); };
    ask();
    ask();
    ASSERT_TRUE(is_closed());
    EXPECT_EQ(requests_.size(), 1U);

    open();
    script_ = [&](served_request& request) {
        request.on_body = close;
        request.read();
    };
    ask(post_lines(), "body");
    ASSERT_TRUE(is_closed());

    open({.write_buffer = 100});
    script_ = [&](served_request& request) {
        request.on_resume = close;
        request.begin(200);
        EXPECT_EQ(request.add(std::string(200, 'r')), flow::pause);
    };
    ask();
    ASSERT_TRUE(is_closed());

    open();
    script_ = [&](served_request& request) {
        request.answer();
        close();
    };
    ask();
    ASSERT_TRUE(is_closed());

    open();
    script_ = [&](served_request& request) {
        connection_->finish();
        request.answer();
    };
    const auto id = ask();
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(response(id).body, "ok");
    ASSERT_TRUE(world_.turn_until([&] { return client_.saw_end(); }));
}

// --- Time ------------------------------------------------------------------------------------------------------------

TEST_P(http2_server_in_memory, a_connection_without_requests_is_let_go) {
    open({.idle = 5s});
    world_.pass(4900ms);
    EXPECT_FALSE(client_.saw_end());
    expect_alive();
    world_.pass(4900ms);
    EXPECT_FALSE(client_.saw_end()) << "the request began a new wait";
    h2_->ping();
    say();
    world_.pass(200ms);
    EXPECT_TRUE(client_.saw_end()) << "to ask how we are is no request";
    ASSERT_EQ(h2_->goaways.size(), 1U);
    EXPECT_EQ(h2_->goaways[0].second, NGHTTP2_NO_ERROR);
    world_.pass(1100ms);
    EXPECT_EQ(closed_, server_close_reason::idle_timeout);
}

TEST_P(http2_server_in_memory, a_connection_at_work_is_not_idle) {
    open({.idle = 5s});
    const auto id = ask();
    world_.pass(1h);
    EXPECT_FALSE(client_.saw_end());
    request().answer();
    ASSERT_TRUE(ends(id));
}

TEST_P(http2_server_in_memory, a_head_that_does_not_end_is_waited_for_that_long) {
    open({.head = 3s, .idle = 1h});
    ask();
    client_.say(frame(1, 1, 3, header_block(get_lines())));
    world_.pass(2900ms);
    EXPECT_FALSE(client_.saw_end());
    world_.pass(200ms);
    EXPECT_TRUE(client_.saw_end());
    EXPECT_TRUE(request().cancelled);
    world_.pass(1100ms);
    EXPECT_EQ(closed_, server_close_reason::request_timed_out);
}

TEST_P(http2_server_in_memory, a_body_that_does_not_come_is_waited_for_that_long) {
    open({.body = 5s});
    const auto id = begin(), other = begin();
    world_.pass(1h);
    ASSERT_EQ(requests_.size(), 2U);
    request(0).read();
    world_.pass(4s);
    h2_->add(id, "something");
    say();
    world_.pass(4s);
    EXPECT_FALSE(response(id).reset) << "the client was not silent";
    world_.pass(1100ms);
    EXPECT_EQ(response(id).status(), "408");
    EXPECT_TRUE(request(0).cancelled);
    EXPECT_FALSE(response(other).reset) << "nobody waits for that one";

    request(1).begin(200);
    request(1).read();
    world_.pass(5100ms);
    EXPECT_EQ(response(other).reset, NGHTTP2_CANCEL);
    EXPECT_TRUE(request(1).cancelled);
    const auto unread = begin();
    ASSERT_TRUE(requests(3));
    request(2).answer();
    world_.pass(4900ms);
    EXPECT_TRUE(response(unread).ended);
    EXPECT_FALSE(response(unread).reset);
    world_.pass(200ms);
    EXPECT_EQ(response(unread).reset, NGHTTP2_NO_ERROR) << "nobody waits for it for ever";
    expect_alive();
}

// A window that stays shut holds up one stream (CVE-2019-9517); a body that is awaited at the same time has its own time.
TEST_P(http2_server_in_memory, a_response_that_is_not_taken_is_given_up) {
    open({.body = 1h, .write = 5s}, {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10}}, false);
    const auto stuck = begin(), slow = ask();
    ASSERT_TRUE(requests(2));
    request(0).read();
    for (std::size_t at = 0; at < 2; ++at) {
        request(at).begin(200);
        request(at).add(letters(100));
    }
    for (int count = 0; count < 3; ++count) {
        world_.pass(4s);
        h2_->open_window(slow, 10);
        say();
    }
    EXPECT_EQ(response(stuck).reset, NGHTTP2_CANCEL);
    EXPECT_TRUE(request(0).cancelled);
    EXPECT_FALSE(response(slow).reset);
    world_.pass(11s);
    EXPECT_EQ(response(slow).reset, NGHTTP2_CANCEL);
    EXPECT_TRUE(request(1).cancelled);
    EXPECT_FALSE(closed_);
}

TEST_P(http2_server_in_memory, a_client_that_reads_nothing_is_let_go) {
    open({.write = 5s}, {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 30}});
    script_ = [](served_request& request) {
        request.begin(200);
        request.add(letters(60'000));
    };
    client_.listen(false);
    h2_->open_window(0, 1 << 30);
    for (int count = 0; count < 30; ++count) h2_->ask(get_lines());
    say();
    world_.pass(4900ms);
    EXPECT_FALSE(closed_);
    world_.pass(200ms);
    EXPECT_EQ(closed_, server_close_reason::write_timed_out);
    EXPECT_TRUE(request(0).cancelled);
}

}  // namespace
}  // namespace pabal::connection
