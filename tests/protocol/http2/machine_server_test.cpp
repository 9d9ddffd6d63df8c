// The server's half of the machine, against nghttp2's client and against frames that no client should send.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "protocol/http2/http2_client.hpp"
#include "protocol/http2/machine.hpp"
#include "support/body_parts.hpp"

namespace pabal::http2 {
namespace {

using testing::frame;
using testing::get_lines;
using testing::goaway_code;
using testing::header_block;
using testing::http2_client;
using testing::lines;
using testing::post_lines;
using testing::preface;

constexpr std::uint8_t end_stream = 1, end_headers = 4;

response_head head_of(int status, const lines& fields = {}) {
    response_head head;
    head.status = status;
    for (const auto& [name, value] : fields) head.headers.append_valid(name, value);
    return head;
}

/// A stream's owner that writes down what it hears, and answers when told to.
class served_stream final : public stream {
public:
    std::optional<request_head> head;
    std::optional<std::uint64_t> announced;
    bool too_large = false;
    std::string body;
    fields trailers_received;
    bool ended = false;
    std::optional<error> failure;
    bool was_sent = false;

    pabal::testing::body_parts body_parts;
    fields trailers_to_send;
    bool ends_with_its_parts = false;

    bool has_given_all() const override { return ends_with_its_parts && body_parts.empty(); }
    void on_request(request_head&& got, std::optional<std::uint64_t> size) override {
        head = std::move(got);
        announced = size;
    }
    void on_request_too_large() override { too_large = true; }
    void on_data(std::string_view data) override { body += data; }
    void on_end(fields&& got) override {
        ended = true;
        trailers_received = std::move(got);
    }
    void on_reset(error&& got, bool) override { failure = std::move(got); }
    void on_sent() override { was_sent = true; }
    result<read_outcome> read_body(std::span<char> buffer) override {
        return pabal::testing::read_parts(body_parts, buffer);
    }
    const fields* trailers() override { return &trailers_to_send; }
};

/// A server machine and a client, whose bytes pass whole or one by one.
class http2_server_machine : public ::testing::TestWithParam<std::size_t>, public machine_observer {
protected:
    stream* on_request_begun() override {
        if (refuses_) return nullptr;
        streams_.push_back(std::make_unique<served_stream>());
        return streams_.back().get();
    }
    void on_pong() override { ++pongs_; }

    void pass(std::string_view bytes, auto&& receive) const {
        const std::size_t piece = GetParam() == 0 ? bytes.size() : GetParam();
        for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) receive(bytes.substr(0, piece));
    }
    void feed(std::string_view bytes) {
        pass(bytes, [&](std::string_view part) {
            if (auto done = machine_->receive(part); !done && !failure_) failure_ = done.error();
        });
    }
    /// Until neither has anything to say.
    void exchange_bytes() {
        for (bool quiet = false; !quiet;) {
            const std::string out = client_->output();
            feed(out);
            std::string back;
            if (auto sent = machine_->send(back, 1 << 24); !sent && !failure_) failure_ = sent.error();
            pass(back, [&](std::string_view part) { client_->receive(part); });
            quiet = out.empty() && back.empty();
        }
    }
    served_stream& last() { return *streams_.back(); }
    http2_client::response& response(std::int32_t id) { return client_->responses[id]; }
    void answer(served_stream& of, int status, std::string body, const lines& fields = {}) {
        if (!body.empty()) of.body_parts.emplace_back(std::move(body));
        auto done = machine_->respond(head_of(status, fields), true, of);
        EXPECT_TRUE(done) << done.error().message;
        exchange_bytes();
    }
    /// The machine has ended the connection for that, and told the client.
    void expect_end(std::uint32_t code, std::string_view said = {}) {
        exchange_bytes();
        ASSERT_TRUE(machine_->failure());
        EXPECT_EQ(machine_->failure()->whose, culprit::peer);
        EXPECT_NE(machine_->failure()->message.find(said), std::string::npos) << machine_->failure()->message;
        ASSERT_EQ(client_->goaways.size(), 1U);
        EXPECT_EQ(client_->goaways.front().second, code) << nghttp2_http2_strerror(client_->goaways.front().second);
        EXPECT_TRUE(machine_->is_over());
    }

    /// A new connection.
    void renew(const limits& given = server_limits, std::unique_ptr<http2_client> client = {}) {
        streams_.clear();
        failure_.reset();
        client_ = client ? std::move(client) : std::make_unique<http2_client>();
        machine_ = std::make_unique<machine>(*this, given);
        exchange_bytes();
    }
    void SetUp() override { renew(); }

    std::unique_ptr<http2_client> client_;
    std::vector<std::unique_ptr<served_stream>> streams_;
    std::unique_ptr<machine> machine_;
    std::optional<error> failure_;
    bool refuses_ = false;
    int pongs_ = 0;
};

INSTANTIATE_TEST_SUITE_P(pieces, http2_server_machine, ::testing::Values(0, 1, 7));

// --- Requests and responses ------------------------------------------------------------------------------------------

TEST_P(http2_server_machine, a_request_arrives_and_is_answered) {
    lines head = get_lines("/price?of=btc");
    head.emplace_back("x-field", "value");
    const auto id = client_->ask(head);
    exchange_bytes();
    ASSERT_TRUE(last().head);
    EXPECT_EQ(last().head->method, "GET");
    EXPECT_EQ(last().head->target, "/price?of=btc");
    EXPECT_EQ(last().head->version, http_version::http_2);
    EXPECT_EQ(last().head->headers.find(field_id::host), "x.test");
    EXPECT_EQ(last().head->headers.find("x-field"), "value");
    EXPECT_EQ(last().announced, 0U);
    EXPECT_TRUE(last().ended);
    answer(
        last(), 200, "123.45",
        {{"Content-Type", "text/plain"}, {"Connection", "close"}, {"Transfer-Encoding", "chunked"}, {"X-Mixed", "V"}});
    EXPECT_TRUE(last().was_sent);
    const lines expected{{":status", "200"}, {"content-type", "text/plain"}, {"x-mixed", "V"}};
    EXPECT_EQ(response(id).heads, std::vector<lines>(1, expected));
    EXPECT_EQ(response(id).body, "123.45");
    EXPECT_TRUE(response(id).ended);
    EXPECT_EQ(response(id).reset, NGHTTP2_NO_ERROR);
    EXPECT_FALSE(last().failure);
}

TEST_P(http2_server_machine, an_extended_connect_is_taken_where_the_limits_say_so) {
    const lines websocket{{":method", "CONNECT"},
                          {":scheme", "https"},
                          {":authority", "x.test"},
                          {":path", "/chat"},
                          {":protocol", "websocket"}};
    EXPECT_EQ(client_->setting(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL), 0U);
    client_->begin(websocket);
    expect_end(NGHTTP2_PROTOCOL_ERROR);

    limits generous = server_limits;
    generous.extended_connect = true;
    renew(generous);
    EXPECT_EQ(client_->setting(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL), 1U);
    const auto id = client_->begin(websocket);
    exchange_bytes();
    ASSERT_TRUE(last().head);
    EXPECT_EQ(last().head->method, "CONNECT");
    EXPECT_EQ(last().head->protocol, "websocket");
    EXPECT_EQ(last().head->target, "/chat");
    last().body_parts = {"hello", std::nullopt};
    ASSERT_TRUE(machine_->respond(head_of(200), true, last()));
    exchange_bytes();
    client_->add(id, "ping");
    exchange_bytes();
    last().body_parts = {"pong", std::nullopt};
    machine_->resume_sending(last());
    exchange_bytes();
    EXPECT_EQ(last().body, "ping");
    EXPECT_EQ(response(id).body, "hellopong");
    EXPECT_FALSE(last().ended || response(id).ended);
}

// --- Priorities (RFC 9218) ---------------------------------------------------------------------------------------------

TEST_P(http2_server_machine, what_is_urgent_leaves_first) {
    const auto ask = [this](std::string_view priority) {
        lines head = get_lines();
        if (!priority.empty()) head.emplace_back("priority", priority);
        const auto id = client_->ask(head);
        exchange_bytes();
        return id;
    };
    const auto background = ask("u=6"), usual = ask(""), urgent = ask("u=1"), promoted = ask("u=7");
    client_->prioritise(promoted, "u=0");
    exchange_bytes();
    for (const auto& each : streams_) {
        each->body_parts.emplace_back(std::string(10'000, '.'));
        ASSERT_TRUE(machine_->respond(head_of(200), true, *each));
    }
    exchange_bytes();
    EXPECT_EQ(client_->order_of_ends, (std::vector<std::int32_t>{promoted, urgent, usual, background}));
}

TEST_P(http2_server_machine, what_is_incremental_leaves_by_turns) {
    const auto order = [this](std::string_view priority) {
        renew();
        for (int count = 0; count < 2; ++count) {
            lines head = get_lines();
            head.emplace_back("priority", priority);
            client_->ask(head);
        }
        exchange_bytes();
        for (const auto& each : streams_) {
            each->body_parts.emplace_back(std::string(30'000, '.'));
            EXPECT_TRUE(machine_->respond(head_of(200), true, *each));
        }
        std::string first;
        EXPECT_TRUE(machine_->send(first, 20'000));
        client_->receive(first);
        return response(1).body.size() > 0 && response(3).body.size() > 0;
    };
    EXPECT_TRUE(order("u=3, i"));
    EXPECT_FALSE(order("u=3"));
}

TEST_P(http2_server_machine, a_body_and_trailers_arrive) {
    lines head = post_lines();
    head.emplace_back("content-length", "5");
    client_->ask(head, "hello", {{"sum", "5"}});
    exchange_bytes();
    EXPECT_EQ(last().announced, 5U);
    EXPECT_EQ(last().body, "hello");
    EXPECT_TRUE(last().ended);
    EXPECT_EQ(last().trailers_received.find("sum"), "5");
    const auto unknown = client_->begin(post_lines());
    exchange_bytes();
    EXPECT_EQ(last().announced, std::nullopt);
    EXPECT_FALSE(last().ended);
    client_->add(unknown, "more");
    client_->end(unknown);
    exchange_bytes();
    EXPECT_EQ(last().body, "more");
    EXPECT_TRUE(last().ended);
}

TEST_P(http2_server_machine, early_hints_and_trailers_leave) {
    const auto id = client_->ask(get_lines());
    exchange_bytes();
    ASSERT_TRUE(machine_->inform(head_of(103, {{"Link", "</a>"}}), last()));
    last().trailers_to_send.append_valid("Sum", "3");
    answer(last(), 200, "abc");
    ASSERT_EQ(response(id).heads.size(), 2U);
    EXPECT_EQ(response(id).heads.front(), (lines{{":status", "103"}, {"link", "</a>"}}));
    EXPECT_EQ(response(id).body, "abc");
    EXPECT_EQ(response(id).trailers, (lines{{"sum", "3"}}));
    EXPECT_TRUE(response(id).ended);
}

TEST_P(http2_server_machine, a_response_without_a_body_is_its_head) {
    const auto first = client_->ask(get_lines()), second = client_->ask(get_lines());
    exchange_bytes();
    ASSERT_TRUE(machine_->respond(head_of(204), false, *streams_[0]));
    ASSERT_TRUE(machine_->respond(head_of(200, {{"Content-Length", "0"}}), true, *streams_[1]));
    EXPECT_TRUE(streams_[0]->sent_all());
    EXPECT_TRUE(streams_[1]->sent_all());
    machine_->release(*streams_[0]);
    machine_->release(*streams_[1]);
    exchange_bytes();
    for (const auto id : {first, second}) {
        EXPECT_TRUE(response(id).ended);
        EXPECT_EQ(response(id).reset, NGHTTP2_NO_ERROR);
    }
}

TEST_P(http2_server_machine, a_body_that_comes_late_waits_for_its_source) {
    const auto id = client_->ask(get_lines());
    exchange_bytes();
    last().body_parts = {std::nullopt};
    ASSERT_TRUE(machine_->respond(head_of(200), true, last()));
    exchange_bytes();
    EXPECT_EQ(response(id).status(), "200");
    EXPECT_FALSE(response(id).ended);
    last().body_parts = {"late"};
    machine_->resume_sending(last());
    exchange_bytes();
    EXPECT_EQ(response(id).body, "late");
    EXPECT_TRUE(response(id).ended);
}

TEST_P(http2_server_machine, a_body_that_is_not_what_was_announced_is_given_up) {
    for (const std::string body : {"toolong", "shrt"}) {
        renew();
        const auto id = client_->ask(get_lines());
        exchange_bytes();
        answer(last(), 200, body, {{"Content-Length", "5"}});
        ASSERT_TRUE(last().failure);
        EXPECT_EQ(last().failure->whose, culprit::caller);
        EXPECT_FALSE(response(id).ended);
        EXPECT_EQ(response(id).reset, NGHTTP2_INTERNAL_ERROR);
    }
}

TEST_P(http2_server_machine, what_cannot_be_sent_is_the_callers_error) {
    client_->ask(get_lines());
    exchange_bytes();
    EXPECT_FALSE(machine_->respond(head_of(103), true, last()));
    EXPECT_FALSE(machine_->respond(head_of(200, {{"Content-Length", "many"}}), true, last()));
    EXPECT_FALSE(machine_->respond(head_of(200, {{"Large", std::string(70'000, 'x')}}), true, last()));
    EXPECT_FALSE(machine_->inform(head_of(200), last()));
    EXPECT_FALSE(machine_->inform(head_of(101), last()));
    answer(last(), 200, "still possible");
    EXPECT_EQ(client_->responses.begin()->second.body, "still possible");
}

// RFC 9113 section 8.1: a response may be complete before its request is.
TEST_P(http2_server_machine, an_early_response_asks_for_no_more_of_the_request) {
    const auto id = client_->begin(post_lines(), "first");
    exchange_bytes();
    answer(last(), 413, "enough");
    machine_->release(last());
    exchange_bytes();
    EXPECT_EQ(response(id).body, "enough");
    EXPECT_TRUE(response(id).ended);
    EXPECT_EQ(response(id).reset, NGHTTP2_NO_ERROR);
    // What was on its way is no fault.
    feed(frame(0, end_stream, id, "second"));
    exchange_bytes();
    EXPECT_FALSE(machine_->failure());
    EXPECT_EQ(last().body, "first");
}

// --- Flow control ----------------------------------------------------------------------------------------------------

TEST_P(http2_server_machine, what_is_not_consumed_stops_the_client_at_the_streams_window_and_no_other_stream) {
    const std::size_t window = server_limits.stream_window;
    const auto slow = client_->ask(post_lines(), std::string(window + 1000, 's'));
    exchange_bytes();
    EXPECT_EQ(client_->sent(slow), window);
    client_->ask(post_lines(), std::string(window, 'q'));
    exchange_bytes();
    EXPECT_TRUE(streams_[1]->ended);
    machine_->consume(*streams_[0], window);
    exchange_bytes();
    EXPECT_EQ(streams_[0]->body.size(), window + 1000);
    EXPECT_TRUE(streams_[0]->ended);
}

/// Uploads 24 MiB to each of so many streams at once, whose handlers take what comes. How many round trips that takes.
TEST_P(http2_server_machine, windows_of_handlers_who_keep_up_grow_and_no_further_than_all_together_may) {
    const std::size_t size = 24 * 1024 * 1024;
    const auto upload = [&](std::size_t streams) {
        renew();
        std::vector<std::int32_t> ids;
        for (std::size_t count = 0; count < streams; ++count)
            ids.push_back(client_->ask(post_lines(), std::string(size, 'x')));
        int round_trips = 0;
        std::vector<std::size_t> consumed(streams, 0);
        for (bool all = false; !all && round_trips < 1000; ++round_trips) {
            const std::string out = client_->output();
            EXPECT_LE(out.size(), streams * server_limits.stream_window + server_limits.most_growth + (1U << 20U));
            EXPECT_TRUE(machine_->receive(out));
            all = true;
            for (std::size_t at = 0; at < streams_.size(); ++at) {
                served_stream& each = *streams_[at];
                machine_->consume(each, each.body.size() - std::exchange(consumed[at], each.body.size()));
                all = all && each.body.size() == size;
            }
            all = all && streams_.size() == streams;
            std::string back;
            EXPECT_TRUE(machine_->send(back, 1 << 20));
            client_->receive(back);
        }
        return round_trips;
    };
    EXPECT_LE(upload(1), 16) << "96 without growth";
    EXPECT_LE(upload(4), 96);
    EXPECT_FALSE(machine_->failure());
}

TEST_P(http2_server_machine, an_end_that_is_known_needs_no_frame_of_its_own_even_where_the_window_is_used_up) {
    renew(server_limits, std::make_unique<http2_client>(
                             std::vector<nghttp2_settings_entry>{{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}}, false));
    const auto id = client_->ask(get_lines());
    exchange_bytes();
    last().body_parts = {std::string(1000, 'x')};
    last().ends_with_its_parts = true;
    ASSERT_TRUE(machine_->respond(head_of(200), true, last()));
    exchange_bytes();
    EXPECT_EQ(response(id).body.size(), 1000U);
    EXPECT_TRUE(response(id).ended) << "without another window";
    EXPECT_TRUE(last().was_sent);
}

TEST_P(http2_server_machine, a_response_keeps_to_the_clients_windows) {
    renew(server_limits, std::make_unique<http2_client>(
                             std::vector<nghttp2_settings_entry>{{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}}, false));
    const auto id = client_->ask(get_lines());
    exchange_bytes();
    answer(last(), 200, std::string(2500, 'r'));
    EXPECT_EQ(response(id).body.size(), 1000U);
    client_->open_window(id, 1000);
    exchange_bytes();
    EXPECT_EQ(response(id).body.size(), 2000U);
    client_->open_window(id, 1000);
    exchange_bytes();
    EXPECT_EQ(response(id).body.size(), 2500U);
    EXPECT_TRUE(response(id).ended);
}

// --- Streams that end early ------------------------------------------------------------------------------------------

TEST_P(http2_server_machine, a_stream_that_the_client_gives_up_says_so_once) {
    const auto id = client_->begin(post_lines());
    exchange_bytes();
    client_->reset(id);
    exchange_bytes();
    ASSERT_TRUE(last().failure);
    EXPECT_EQ(last().failure->code, error_code::stream_reset);
    EXPECT_EQ(last().failure->whose, culprit::peer);
}

TEST_P(http2_server_machine, a_stream_that_was_let_go_is_reset_and_heard_of_no_more) {
    const auto id = client_->begin(post_lines(), "body");
    exchange_bytes();
    machine_->release(last(), error_reason::internal_error);
    exchange_bytes();
    EXPECT_EQ(response(id).reset, NGHTTP2_INTERNAL_ERROR);
    EXPECT_FALSE(last().failure);
}

TEST_P(http2_server_machine, a_request_that_is_refused_was_not_processed) {
    refuses_ = true;
    const auto id = client_->ask(get_lines());
    exchange_bytes();
    EXPECT_EQ(response(id).reset, NGHTTP2_REFUSED_STREAM);
    EXPECT_TRUE(streams_.empty());
    refuses_ = false;
    client_->ask(get_lines());
    exchange_bytes();
    EXPECT_EQ(streams_.size(), 1U);
    EXPECT_FALSE(machine_->is_in_head());
}

TEST_P(http2_server_machine, an_end_that_is_announced_lets_in_what_is_on_its_way) {
    const auto first = client_->ask(get_lines());
    exchange_bytes();
    machine_->announce_end();
    const auto second = client_->ask(get_lines());  // it has not heard yet
    exchange_bytes();
    EXPECT_EQ(pongs_, 1);
    ASSERT_EQ(streams_.size(), 2U);
    machine_->finish();
    exchange_bytes();
    ASSERT_EQ(client_->goaways.size(), 2U);
    EXPECT_EQ(client_->goaways[0], (std::pair<std::int32_t, std::uint32_t>(0x7fffffff, NGHTTP2_NO_ERROR)));
    EXPECT_EQ(client_->goaways[1], (std::pair<std::int32_t, std::uint32_t>(second, NGHTTP2_NO_ERROR)));
    feed(frame(1, end_stream | end_headers, second + 2, header_block(get_lines())));
    EXPECT_EQ(streams_.size(), 2U) << "none is begun after the end";
    answer(*streams_[1], 200, "two");
    EXPECT_FALSE(machine_->is_over());
    answer(*streams_[0], 200, "one");
    EXPECT_EQ(response(first).body + response(second).body, "onetwo");
    EXPECT_TRUE(machine_->is_over());
    EXPECT_FALSE(machine_->failure());
}

// --- What breaks the rules -------------------------------------------------------------------------------------------

lines with(lines head, const std::string& name, const std::string& value) {
    head.emplace_back(name, value);
    return head;
}

// RFC 9113 section 5.4.1 lets an endpoint take an error of a stream for one of the connection; nghttp2 does.
TEST_P(http2_server_machine, requests_that_break_the_rules_of_the_wire_end_the_connection) {
    lines no_path = get_lines(), user = get_lines();
    no_path.pop_back();
    user[2].second = "user@x.test";
    for (const lines& head :
         {with(get_lines(), "connection", "close"), with(get_lines(), "transfer-encoding", "chunked"),
          with(get_lines(), "te", "gzip"), with(get_lines(), ":path", "/b"), with(post_lines(), "content-length", "1"),
          no_path, user}) {
        renew();
        feed(frame(1, end_stream | end_headers, 1, header_block(head)));
        EXPECT_FALSE(last().head) << head.back().first << " was handed on";
        expect_end(NGHTTP2_PROTOCOL_ERROR);
    }
}

TEST_P(http2_server_machine, malformed_requests_are_reset_alone) {
    for (const lines& head : {with(get_lines(), "host", "y.test"), with(get_lines(), "a b", "v"),
                              with(get_lines(), "x", "a\r\nb: c"), get_lines("/a#b")}) {
        renew();
        const auto good = client_->begin(post_lines());
        exchange_bytes();
        const auto bad = client_->ask(head);
        exchange_bytes();
        EXPECT_EQ(response(bad).reset, NGHTTP2_PROTOCOL_ERROR) << head.back().first;
        ASSERT_EQ(streams_.size(), 2U);
        EXPECT_FALSE(last().head) << head.back().first << " was handed on";
        ASSERT_TRUE(last().failure);
        EXPECT_EQ(last().failure->code, error_code::malformed_message);
        EXPECT_FALSE(machine_->failure()) << head.back().first;
        client_->end(good);
        exchange_bytes();
        answer(*streams_[0], 200, "good");
        EXPECT_EQ(response(good).body, "good");
    }
}

TEST_P(http2_server_machine, a_body_that_contradicts_content_length_is_never_complete) {
    client_->ask(with(post_lines(), "content-length", "3"), "four");
    expect_end(NGHTTP2_PROTOCOL_ERROR);
    EXPECT_FALSE(last().ended);
}

TEST_P(http2_server_machine, frames_on_streams_that_the_client_has_ended_end_the_connection) {
    const auto id = client_->ask(get_lines());
    exchange_bytes();
    answer(last(), 200, "done");
    feed(frame(0, end_stream, id, "more"));
    expect_end(NGHTTP2_STREAM_CLOSED, "STREAM_CLOSED");

    renew();
    const auto given_up = client_->begin(post_lines());
    exchange_bytes();
    client_->reset(given_up);
    exchange_bytes();
    feed(frame(1, end_headers, given_up, header_block({{"sum", "1"}})));
    expect_end(NGHTTP2_STREAM_CLOSED);
}

TEST_P(http2_server_machine, what_comes_before_a_broken_rule_counts) {
    const auto id = client_->begin(post_lines(), "before");
    exchange_bytes();
    feed(frame(0, end_stream, id, " it") + frame(0, 0, id, "after"));
    EXPECT_EQ(last().body, "before it");
    expect_end(NGHTTP2_STREAM_CLOSED);
}

TEST_P(http2_server_machine, identifiers_that_go_back_end_the_connection) {
    feed(frame(1, end_stream | end_headers, 5, header_block(get_lines())) +
         frame(1, end_stream | end_headers, 3, header_block(get_lines())));
    expect_end(NGHTTP2_PROTOCOL_ERROR);
}

TEST_P(http2_server_machine, a_priority_of_no_stream_ends_the_connection) {
    feed(frame(2, 0, 0, std::string("\0\0\0\1\1", 5)));
    expect_end(NGHTTP2_PROTOCOL_ERROR);
}

TEST_P(http2_server_machine, what_is_not_http2_ends_the_connection) {
    machine_ = std::make_unique<machine>(*this);
    feed("GET / HTTP/1.1\r\nHost: x.test\r\n\r\n");
    ASSERT_TRUE(failure_);
    EXPECT_EQ(failure_->whose, culprit::peer);
}

// --- Defences --------------------------------------------------------------------------------------------------------

TEST_P(http2_server_machine, a_head_that_is_too_large_is_told_so) {
    for (const bool many : {true, false}) {
        renew();
        lines head = get_lines();
        if (many) {
            for (int count = 0; count < 300; ++count) head.emplace_back("a", "b");
        } else {
            for (int count = 0; count < 5; ++count) head.emplace_back("large", std::string(14'000, 'x'));
        }
        const auto id = client_->ask(head);
        exchange_bytes();
        EXPECT_FALSE(last().head);
        EXPECT_TRUE(last().too_large);
        ASSERT_TRUE(machine_->respond(head_of(431), false, last()));
        exchange_bytes();
        EXPECT_EQ(response(id).status(), "431");
        EXPECT_FALSE(machine_->failure());
    }
}

TEST_P(http2_server_machine, trailers_that_are_too_large_are_reset) {
    const auto id = client_->begin(post_lines());
    exchange_bytes();
    lines many;
    for (int count = 0; count < 300; ++count) many.emplace_back("a", "b");
    feed(frame(1, end_stream | end_headers, id, header_block(many)));
    exchange_bytes();
    ASSERT_TRUE(last().failure);
    EXPECT_EQ(last().failure->code, error_code::head_too_large);
    EXPECT_FALSE(machine_->failure());
}

// A large field in the dynamic table costs its sender one byte each time (RFC 7541 section 6.1).
TEST_P(http2_server_machine, a_compression_bomb_ends_the_connection) {
    std::string bomb = header_block(get_lines());
    const std::string value(3000, 'x');
    bomb += std::string("\x40\x01x\x7f", 4);
    for (std::size_t left = value.size() - 127; left > 0; left /= 128)
        bomb += static_cast<char>(left >= 128 ? left % 128 + 128 : left);
    bomb += value;
    bomb += std::string(1000, '\xbe');  // the newest entry, index 62
    feed(frame(1, end_stream | end_headers, 1, bomb));
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, "head without end");
}

// CVE-2023-44487.
TEST_P(http2_server_machine, rapid_resets_end_the_connection) {
    std::string flood;
    for (std::int32_t id = 1; id < 2 * 600; id += 2)
        flood += frame(1, end_stream | end_headers, id, header_block(get_lines())) +
                 frame(3, 0, id, std::string("\0\0\0\x8", 4));
    feed(flood);
    EXPECT_LE(streams_.size(), server_limits.max_resets + 2U);
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM, "nobody waits for");
}

// CVE-2025-8671: the client has the server reset its streams, by what is an error of the stream alone: here, endless trailers.
TEST_P(http2_server_machine, resets_that_the_client_has_the_server_make_end_the_connection) {
    std::string out;
    const lines trailers(300, {"a", "b"});
    for (std::int32_t id = 1; id < 2 * 600 && !machine_->failure(); id += 2) {
        feed(frame(1, end_headers, id, header_block(post_lines())) +
             frame(1, end_stream | end_headers, id, header_block(trailers)));
        ASSERT_TRUE(machine_->send(out, 1 << 20));
    }
    EXPECT_LE(streams_.size(), server_limits.max_resets + 2U);
    EXPECT_EQ(goaway_code(out), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_P(http2_server_machine, who_resets_now_and_then_is_borne) {
    for (int times = 0; times < 2; ++times) {
        for (int count = 0; count < 400; ++count) {
            const auto id = client_->begin(post_lines());
            exchange_bytes();
            client_->reset(id);
            exchange_bytes();
        }
        machine_->renew_allowances();
    }
    EXPECT_FALSE(machine_->failure());
}

TEST_P(http2_server_machine, who_waits_for_as_much_as_he_resets_is_borne) {
    for (int count = 0; count < 1200; ++count) {
        const auto given_up = client_->begin(post_lines());
        exchange_bytes();
        client_->reset(given_up);
        client_->begin(get_lines());
        exchange_bytes();
        answer(last(), 200, "");
        exchange_bytes();
    }
    EXPECT_FALSE(machine_->failure());
}

TEST_P(http2_server_machine, streams_at_once_are_bounded) {
    EXPECT_EQ(client_->setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), server_limits.concurrent_streams);
    std::string all;
    const auto count = static_cast<std::int32_t>(server_limits.concurrent_streams);
    for (std::int32_t id = 1; id < 2 * (count + 10); id += 2)
        all += frame(1, end_stream | end_headers, id, header_block(get_lines()));
    feed(all);
    EXPECT_EQ(streams_.size(), server_limits.concurrent_streams);
}

TEST_P(http2_server_machine, floods_that_bring_nothing_end_the_connection) {
    const auto post = frame(1, end_headers, 1, header_block(post_lines()));
    const std::string empty_data = frame(0, 0, 1);
    const std::string padded_data = frame(0, 8, 1, std::string("\x03\0\0\0", 4));
    const std::string ping = frame(6, 0, 0, "12345678");
    const std::string settings = frame(4, 0, 0);
    const std::string priority = frame(2, 0, 1, std::string("\0\0\0\x05\x01", 5));
    const std::string reset = frame(3, 0, 1, std::string("\0\0\0\x8", 4));
    for (const std::string& piece : {empty_data, padded_data, ping, settings, priority, reset}) {
        renew();
        feed(post);
        std::string out;
        // The client reads all the time: it is the work that is bounded, not only what waits to be sent.
        for (int count = 0; count < 1200 && !machine_->failure(); count += 100) {
            for (int each = 0; each < 100; ++each) feed(piece);
            (void)machine_->send(out, 1 << 20);
        }
        (void)machine_->send(out, 1 << 20);
        EXPECT_EQ(goaway_code(out), NGHTTP2_ENHANCE_YOUR_CALM) << int(piece[3]);
        EXPECT_TRUE(machine_->is_over());
    }
}

TEST_P(http2_server_machine, who_asks_for_something_may_ask_how_we_are) {
    for (int count = 0; count < 2000; ++count) {
        client_->ping();
        const auto id = client_->ask(get_lines());
        exchange_bytes();
        answer(last(), 200, "ok");
        ASSERT_TRUE(response(id).ended) << count;
    }
    EXPECT_EQ(client_->pongs, 2000);
}

// RFC 9113 section 10.5: what the client does not read must not pile up.
TEST_P(http2_server_machine, a_client_that_does_not_read_what_it_asks_for_ends_the_connection) {
    limits patient = server_limits;
    patient.max_idle_frames = 1'000'000;
    renew(patient);
    std::string flood;
    for (int count = 0; count < 2000; ++count) flood += frame(6, 0, 0, "12345678");
    feed(flood);
    EXPECT_TRUE(failure_);
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM);
}

// CVE-2019-9511: a window of one byte at a time.
TEST_P(http2_server_machine, a_response_that_is_taken_in_crumbs_ends_the_connection) {
    renew(server_limits, std::make_unique<http2_client>(
                             std::vector<nghttp2_settings_entry>{{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}}, false));
    const auto id = client_->ask(get_lines());
    exchange_bytes();
    answer(last(), 200, std::string(5000, 'r'));
    for (int count = 0; count < 1100 && !machine_->failure(); ++count) {
        client_->open_window(id, 1);
        exchange_bytes();
    }
    EXPECT_LE(response(id).body.size(), server_limits.max_idle_frames + 1);
    expect_end(NGHTTP2_ENHANCE_YOUR_CALM);
}

// CVE-2024-27316.
TEST_P(http2_server_machine, continuations_are_bounded) {
    std::string flood = frame(1, end_stream, 1, header_block(get_lines()));
    for (int count = 0; count < 100; ++count) flood += frame(9, 0, 1, header_block({{"a", "b"}}));
    feed(flood);
    EXPECT_TRUE(failure_);
    exchange_bytes();
    ASSERT_EQ(client_->goaways.size(), 1U);
    EXPECT_EQ(client_->goaways.front().second, NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_P(http2_server_machine, a_head_that_does_not_end_is_known) {
    EXPECT_FALSE(machine_->is_in_head());
    feed(frame(1, end_stream, 1, header_block(get_lines())));
    EXPECT_TRUE(machine_->is_in_head());
    feed(frame(9, end_headers, 1, header_block({{"a", "b"}})));
    EXPECT_FALSE(machine_->is_in_head());
    EXPECT_EQ(last().head->headers.find("a"), "b");
}

}  // namespace
}  // namespace pabal::http2
