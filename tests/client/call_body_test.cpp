#include "client/call.hpp"
#include "client/call_support.hpp"
#include "protocol/http/encoders.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using testing::body_of;
using testing::failure_of;
using testing::scripted_peer;
using testing::simulated_route;
using testing::to;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// --- Content codings ----------------------------------------------------------------------------------------------------

class decoding : public testing::scripted_calling, public ::testing::WithParamInterface<bool> {
protected:
    bool streamed() const { return GetParam(); }
    struct outcome {
        std::string body;
        std::string failure;
    };
    /// The body of an answer with that coding, buffered or streamed.
    outcome decoded(std::string coding, std::string body, std::size_t piece = 16 * 1024) {
        answer({.body = std::move(body), .headers = {{"Content-Encoding", std::move(coding)}}, .piece = piece});
        watcher.received.clear();
        auto asked = to("http://a.example/");
        asked.streams_response = streamed();
        const auto done = send(std::move(asked));
        return {streamed() ? watcher.received : body_of(*done), failure_of(*done)};
    }
    const std::string text = [] {
        std::string made;
        for (int line = 0; line < 3000; ++line) made += "line " + std::to_string(line * line) + "\n";
        return made;
    }();
};

INSTANTIATE_TEST_SUITE_P(body, decoding, ::testing::Values(false, true),
                         [](const auto& streamed) { return streamed.param ? "streamed" : "buffered"; });

TEST_P(decoding, every_coding_is_removed) {
    EXPECT_TRUE(decoded("gzip", http::testing::gzip(text)).body == text);
    EXPECT_TRUE(decoded("x-gzip", http::testing::gzip(text)).body == text);
    EXPECT_TRUE(decoded("deflate", http::testing::zlib(text)).body == text);
    EXPECT_TRUE(decoded("br", http::testing::brotli(text)).body == text);
    EXPECT_TRUE(decoded("zstd", http::testing::zstd(text)).body == text);
    EXPECT_TRUE(decoded("identity", text).body == text);
    EXPECT_TRUE(decoded("gzip", http::testing::gzip(text), 7).body == text) << "in small pieces";
}

TEST_P(decoding, stacked_codings_come_off_in_reverse) {
    EXPECT_TRUE(decoded("gzip, br", http::testing::brotli(http::testing::gzip(text))).body == text);
    EXPECT_EQ(decoded("gzip, gzip, gzip, gzip, gzip, gzip", "x").failure, "content_coding_failed in read by peer");
}

TEST_P(decoding, an_unknown_coding_is_handed_on) { EXPECT_EQ(decoded("aes128gcm", "as is").body, "as is"); }

TEST_P(decoding, an_empty_body_is_fine_whatever_it_claims_to_be) {
    EXPECT_EQ(decoded("gzip", "").failure, "none");
    EXPECT_EQ(decoded("br", "").body, "");
}

TEST_P(decoding, corrupt_and_truncated_data_is_the_peers_fault) {
    std::string corrupt = http::testing::gzip(text);
    corrupt[corrupt.size() / 2] ^= 0x55;
    EXPECT_EQ(decoded("gzip", corrupt).failure, "content_coding_failed in read by peer");
    const std::string whole = http::testing::gzip(text);
    EXPECT_EQ(decoded("gzip", whole.substr(0, whole.size() - 9)).failure, "content_coding_failed in read by peer");
    EXPECT_EQ(decoded("gzip", "not gzip at all").failure, "content_coding_failed in read by peer");
    answer({.body = "fine"});
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "none") << "the next request is served";
}

TEST_P(decoding, a_head_response_is_not_decoded) {
    answer({.body = text, .headers = {{"Content-Encoding", "gzip"}}});
    auto asked = to("http://a.example/", "HEAD");
    asked.streams_response = streamed();
    EXPECT_EQ(failure_of(*send(std::move(asked))), "none");
}

// CVE-2026-21441 and its kin: what a small response expands to is bounded by what its reader holds.
class with_a_small_limit : public testing::scripted_calling {
protected:
    with_a_small_limit() {
        session_limits limits;
        limits.max_body = 100'000;
        world.session = std::make_unique<session>(*world.engine, limits);
    }
};

TEST_F(with_a_small_limit, a_bomb_is_stopped_when_it_is_buffered) {
    const std::string bomb = http::testing::gzip(std::string(50'000'000, '0'));
    ASSERT_LT(bomb.size(), 100'000U);
    answer({.body = bomb, .headers = {{"Content-Encoding", "gzip"}}});
    const auto done = send(to("http://a.example/"));
    EXPECT_EQ(failure_of(*done), "body_too_large in read by peer");
    EXPECT_LT(done->body().capacity(), 2'000'000U);
}

TEST_F(with_a_small_limit, a_stacked_bomb_as_well) {
    answer({.body = http::testing::gzip(http::testing::gzip(std::string(50'000'000, '0'))),
            .headers = {{"Content-Encoding", "gzip, gzip"}}});
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "body_too_large in read by peer");
}

TEST_F(with_a_small_limit, a_bomb_can_still_be_read_in_pieces) {
    answer({.body = http::testing::gzip(std::string(1'000'000, '0')), .headers = {{"Content-Encoding", "gzip"}}});
    auto asked = to("http://a.example/");
    asked.streams_response = true;
    EXPECT_EQ(failure_of(*send(std::move(asked))), "none");
    EXPECT_EQ(watcher.received.size(), 1'000'000U);
}

/// A bound for what is read in pieces, too: of one request, or of the session.
class with_a_bounded_stream : public testing::scripted_calling, public ::testing::WithParamInterface<bool> {
protected:
    call_request asked() {
        auto made = to("http://a.example/");
        made.streams_response = true;
        if (GetParam()) {
            made.max_body = 100'000;
        } else {
            session_limits limits;
            limits.max_streamed_body = 100'000;
            world.session = std::make_unique<session>(*world.engine, limits);
        }
        return made;
    }
};

INSTANTIATE_TEST_SUITE_P(by, with_a_bounded_stream, ::testing::Values(true, false),
                         [](const auto& by) { return by.param ? "request" : "session"; });

TEST_P(with_a_bounded_stream, a_bomb_is_stopped_where_the_bound_is_reached) {
    const std::string bomb = http::testing::gzip(std::string(50'000'000, '0'));
    answer({.body = bomb, .headers = {{"Content-Encoding", "gzip"}}});
    const auto done = send(asked());
    EXPECT_EQ(failure_of(*done), "body_too_large in read by peer");
    EXPECT_NE(done->failure()->message.find("100000 bytes"), std::string::npos) << done->failure()->message;
    EXPECT_NE(done->failure()->message.find("were received"), std::string::npos) << done->failure()->message;
    EXPECT_LE(watcher.received.size(), 100'000U);
    EXPECT_GT(watcher.received.size(), 100'000U - watcher.buffer_size);
}

TEST_P(with_a_bounded_stream, what_is_as_long_as_it_may_be_is_read) {
    answer({.body = http::testing::gzip(std::string(100'000, '0')), .headers = {{"Content-Encoding", "gzip"}}});
    EXPECT_EQ(failure_of(*send(asked())), "none");
    EXPECT_EQ(watcher.received.size(), 100'000U);
}

TEST_P(with_a_bounded_stream, plain_bodies_are_counted_and_announced_ones_refused_at_once) {
    answer({.body = std::string(1'000'000, 'x'), .chunked = true});
    EXPECT_EQ(failure_of(*send(asked())), "body_too_large in read by peer");
    EXPECT_EQ(world.engine->pool().open_connections(), 0U) << "the rest is not read";
    watcher.received.clear();
    answer({.body = std::string(100'001, 'x')});
    EXPECT_EQ(failure_of(*send(asked())), "body_too_large in read by peer");
    EXPECT_EQ(watcher.received, "");
}

TEST_F(with_a_small_limit, a_request_may_have_its_own) {
    answer({.body = std::string(150'000, 'x')});
    auto more = to("http://a.example/");
    more.max_body = 150'000;
    EXPECT_EQ(body_of(*send(std::move(more))).size(), 150'000U);
    auto less = to("http://a.example/");
    less.max_body = 10;
    EXPECT_EQ(failure_of(*send(std::move(less))), "body_too_large in read by peer");
}

TEST_F(with_a_small_limit, the_body_of_a_redirect_is_neither_decoded_nor_counted) {
    world.handler.answer = [](const testing::seen_request& seen) -> testing::scripted_answer {
        if (seen.head.target != "/") return {.body = "there"};
        return {.status = 302,
                .body = http::testing::gzip(std::string(50'000'000, '0')),
                .headers = {{"Location", "/next"}, {"Content-Encoding", "gzip"}}};
    };
    EXPECT_EQ(body_of(*send(to("http://a.example/"))), "there");
}

TEST_F(with_a_small_limit, an_announced_size_is_believed_at_once) {
    reply_by_peer({"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"});
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "body_too_large in read by peer");
    requests = 0;
    reply_by_peer({"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n"});
    EXPECT_EQ(failure_of(*send(to("http://a.example/", "HEAD"))), "none") << "no body will come";
}

TEST_F(with_a_small_limit, a_body_of_unknown_size_is_counted) {
    answer({.body = std::string(100'000, 'x'), .chunked = true});
    EXPECT_EQ(body_of(*send(to("http://a.example/"))).size(), 100'000U);
    answer({.body = std::string(100'001, 'x'), .chunked = true});
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "body_too_large in read by peer");
    EXPECT_EQ(world.engine->pool().open_connections(), 0U) << "the rest is not read";
}

// --- Streaming ----------------------------------------------------------------------------------------------------------

class streaming : public testing::scripted_calling {
protected:
    call_request asked() const {
        call_request made = to("http://a.example/");
        made.streams_response = true;
        return made;
    }
};

TEST_F(streaming, the_reader_gets_everything_whatever_its_buffer) {
    const std::string body(300'000, 's');
    for (const bool chunked : {false, true}) {
        for (const std::size_t size : {1UL, 1000UL, 1'000'000UL}) {
            answer({.body = size == 1 ? body.substr(0, 2000) : body, .chunked = chunked});
            watcher.received.clear();
            watcher.buffer_size = size;
            const auto done = send(asked());
            EXPECT_EQ(failure_of(*done), "none");
            EXPECT_EQ(watcher.received.size(), size == 1 ? 2000U : body.size());
        }
    }
    EXPECT_EQ(watcher.heads, 6);
    EXPECT_EQ(world.network->dialled.size(), 1U);
}

TEST_F(streaming, nothing_is_taken_in_that_nobody_reads) {
    world.network->route = [](const dial::target&) { return simulated_route{.to_client = {.capacity = 50'000}}; };
    answer({.body = std::string(10'000'000, 's')});
    watcher.reads = false;
    const auto slow = start(asked());
    world.run_for(10s);
    EXPECT_EQ(watcher.heads, 1);
    EXPECT_FALSE(slow->is_done());
    EXPECT_TRUE(world.handler.is_answering()) << "the handler was told to pause";
    watcher.reads = true;
    watcher.read_all(*slow);
    ASSERT_TRUE(world.run_until([&] { return slow->is_done(); }));
    EXPECT_EQ(watcher.received.size(), 10'000'000U);
}

TEST_F(streaming, a_slow_reader_is_not_taken_for_a_silent_server) {
    use_peers();
    on_peer = [](scripted_peer& peer) {
        peer.on_received = [](scripted_peer& at) { at.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"); };
    };
    auto slowly = asked();
    slowly.limits.read = 1s;
    const auto slow = start(std::move(slowly));
    ASSERT_TRUE(world.run_until([&] { return watcher.heads == 1; }));
    watcher.reads = false;
    peers.front().send("12345");  // the reader was waiting, and now does something else for a while
    world.run_for(10s);
    ASSERT_EQ(failure_of(*slow), "none");
    watcher.reads = true;
    watcher.read_all(*slow);
    EXPECT_EQ(watcher.received, "12345");
    world.run_for(10s);
    EXPECT_EQ(failure_of(*slow), "timed_out in read by peer") << "now the server is silent";
    EXPECT_EQ(watcher.done, 1);
}

TEST_F(streaming, a_body_that_breaks_off_is_told_to_the_reader_after_what_came) {
    use_peers();
    on_peer = [](scripted_peer& peer) {
        peer.on_received = [](scripted_peer& at) {
            at.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
            at.close();
        };
    };
    const auto done = send(asked());
    EXPECT_EQ(watcher.received, "12345");
    ASSERT_TRUE(watcher.read_failure);
    EXPECT_EQ(watcher.read_failure->code, error_code::body_incomplete);
    EXPECT_NE(watcher.read_failure->message.find("received 5 of 10 bytes"), std::string::npos);
    EXPECT_EQ(failure_of(*done), "body_incomplete in read by peer");
    char more[10];
    const auto again = done->read(more);
    ASSERT_FALSE(again) << "the same error as often as it is asked for";
    EXPECT_EQ(again.error().code, error_code::body_incomplete);
}

TEST_F(streaming, the_connection_is_free_once_the_last_byte_is_read) {
    answer({.body = "12345"});
    watcher.reads = false;
    const auto reading = start(asked());
    ASSERT_TRUE(world.run_until([&] { return watcher.heads == 1; }));
    world.run_for(1s);
    char buffer[5];
    EXPECT_EQ(reading->read(buffer)->size, 5U);
    EXPECT_EQ(world.engine->pool().idle_connections(), 1U);
    EXPECT_EQ(reading->read(buffer)->what, read_outcome::kind::end);
}

TEST_F(streaming, a_connection_that_ended_behind_a_streamed_response_serves_nobody) {
    session_limits one;
    one.max_connections_per_host = 1;
    testing::simulated_client narrow(one);
    narrow.network->accept = [this](const dial::target&, transport::transport_ptr end) {
        peers.emplace_back(std::move(end)).on_received = [](scripted_peer& at) {
            at.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345");
            at.finish();
        };
    };
    watcher.reads = false;
    const auto reading = base::make_counted<call>(asked(), &watcher);
    reading->start(*narrow.session);
    const auto waiting = base::make_counted<call>(to("http://a.example/", "POST", "x"), &watcher);
    waiting->start(*narrow.session);
    narrow.run_for(1s);  // the response and the end of the connection are there, and nobody has read them
    ASSERT_EQ(peers.size(), 1U);
    watcher.read_all(*reading);
    ASSERT_TRUE(narrow.run_until([&] { return waiting->is_done(); }));
    EXPECT_EQ(failure_of(*waiting), "none");
    EXPECT_EQ(peers.size(), 2U);
    peers.clear();
}

TEST_F(streaming, a_failing_source_of_the_request_body_is_reported_as_it_is) {
    watcher.body_failure = error{error_code::request_body_failed, phase::write, culprit::caller, 0, "disk"};
    auto up = to("http://a.example/", "POST");
    up.streams_body = true;
    up.streamed_size = 10;
    EXPECT_EQ(failure_of(*send(std::move(up))), "request_body_failed in write by caller");
}

}  // namespace
}  // namespace pabal::client
