#include "client/call.hpp"
#include "client/call_support.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using testing::body_of;
using testing::failure_of;
using testing::recorder;
using testing::scripted_answer;
using testing::scripted_peer;
using testing::seen_request;
using testing::simulated_route;
using testing::to;

class a_call : public testing::scripted_calling {};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(a_call, brings_status_fields_body_and_trailers) {
    reply_by_peer({"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nX-a: 2\r\n\r\n"
                   "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"});
    const auto done = send(to("http://a.example/"));
    ASSERT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(done->response().status, 201);
    EXPECT_EQ(done->response().reason, "Made");
    EXPECT_EQ(done->response().headers.joined("x-a"), "1, 2");
    EXPECT_EQ(body_of(*done), "abcde");
    EXPECT_EQ(done->trailers().find("x-sum"), "5");
}

TEST_F(a_call, says_how_much_of_a_broken_body_came) {
    use_peers();
    on_peer = [](scripted_peer& peer) {
        peer.on_received = [](scripted_peer& at) {
            at.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
            at.close();
        };
    };
    const auto done = send(to("http://a.example/"));
    EXPECT_EQ(failure_of(*done), "body_incomplete in read by peer");
    EXPECT_NE(done->failure()->message.find("received 5 of 10 bytes"), std::string::npos) << done->failure()->message;
}

TEST_F(a_call, tells_how_long_the_head_took) {
    answer({.delay = 250ms});
    const auto done = send(to("http://a.example/"));
    EXPECT_GE(done->elapsed(), 250ms);
    EXPECT_LE(done->elapsed(), 260ms);
}

TEST_F(a_call, a_failure_names_the_request_without_its_secrets) {
    world.network->route = [](const dial::target&) {
        return simulated_route{.failure =
                                   error{error_code::connection_refused, phase::connect, culprit::peer, 111, "no"}};
    };
    const auto done = send(to("http://user:secret@a.example/path"));
    ASSERT_TRUE(done->failure());
    EXPECT_EQ(done->failure()->message, "no [GET http://a.example/path]");
    EXPECT_FALSE(done->has_head());
}

TEST_F(a_call, that_was_answered_before_can_be_shown) {
    response_head head;
    head.status = 302;
    const auto shown = call::answered(to("http://a.example/"), std::move(head));
    EXPECT_TRUE(shown->is_done());
    EXPECT_TRUE(shown->has_head());
    EXPECT_EQ(shown->response().status, 302);
}

// --- Replay: RFC 9112 section 9.3.1 -------------------------------------------------------------------------------------

class replaying : public a_call {
protected:
    /// After one good exchange, the peer closes the kept-alive connection when it sees the next request.
    void meet_a_stale_connection(std::vector<std::string> then = {ok}) {
        std::vector<std::string> replies{ok, "close"};
        replies.insert(replies.end(), then.begin(), then.end());
        reply_by_peer(std::move(replies));
        EXPECT_FALSE(send(to("http://a.example/"))->failure());
        EXPECT_EQ(requests, 1U);
    }
};

TEST_F(replaying, an_idempotent_request_is_sent_again_on_a_fresh_connection) {
    for (const auto* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
        requests = 0;
        meet_a_stale_connection(
            {std::string_view(method) == "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : ok});
        const auto done = send(to("http://a.example/again", method));
        EXPECT_FALSE(done->failure()) << method << " " << failure_of(*done);
        EXPECT_EQ(requests, 3U) << method;
        world.engine->pool().close_idle(connection::close_reason::evicted);
    }
}

TEST_F(replaying, other_methods_never_are) {
    for (const auto* method : {"POST", "PATCH", "LOCK"}) {
        requests = 0;
        meet_a_stale_connection();
        const auto done = send(to("http://a.example/again", method));
        EXPECT_EQ(failure_of(*done), "connection_closed in read by peer") << method;
        EXPECT_EQ(requests, 2U) << method;
    }
}

TEST_F(replaying, a_post_that_could_not_be_written_at_all_is) {
    use_peers();
    on_peer = [this](scripted_peer& peer) {
        peer.on_received = [this](scripted_peer& at) { ++requests, at.send(ok); };
    };
    EXPECT_FALSE(send(to("http://a.example/"))->failure());
    // The peer closes, and the news of it is under way while the next request begins: nothing has been sent.
    peers.front().close();
    const auto done = send(to("http://a.example/", "POST", "x"));
    EXPECT_FALSE(done->failure()) << failure_of(*done);
    EXPECT_EQ(requests, 2U);
}

TEST_F(replaying, informational_responses_of_the_lost_exchange_are_forgotten) {
    use_peers();
    on_peer = [this](scripted_peer& peer) {
        peer.on_received = [this](scripted_peer& at) {
            const bool redirects = ++requests == 1;
            at.send("HTTP/1.1 103 Early Hints\r\nLink: <" + std::to_string(requests) + ">\r\n\r\n");
            if (redirects) at.send("HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n");
            else at.send(ok);
        };
    };
    const auto asked = send(to("http://a.example/1"));
    ASSERT_FALSE(asked->failure());
    ASSERT_EQ(asked->informational().size(), 1U);
    EXPECT_EQ(asked->informational()[0].status, 103);
    EXPECT_EQ(asked->informational()[0].headers.find("link"), "<2>");
}

TEST_F(replaying, it_happens_once) {
    // A stale connection, and a fresh one that closes as well: the second loss is reported.
    use_peers();
    on_peer = [this](scripted_peer& peer) {
        peer.on_received = [this](scripted_peer& at) {
            if (++requests <= 2) at.send(ok);
            else at.close();
        };
    };
    const auto first = start(to("http://a.example/1"));
    const auto second = start(to("http://a.example/2"));
    ASSERT_TRUE(world.run_until([&] { return watcher.done == 2; }));
    ASSERT_EQ(world.engine->pool().idle_connections(), 2U);
    EXPECT_EQ(failure_of(*send(to("http://a.example/3"))), "connection_closed in read by peer");
    EXPECT_EQ(requests, 4U);
}

TEST_F(replaying, the_second_attempt_has_a_connection_of_its_own) {
    // Two kept-alive connections, both stale, as behind a server that closes after every response and does not say so.
    use_peers();
    on_peer = [this](scripted_peer& peer) {
        peer.on_received = [this, served = 0](scripted_peer& at) mutable {
            ++requests;
            if (++served == 1) at.send(ok);
            else at.close();
        };
    };
    start(to("http://a.example/1"));
    start(to("http://a.example/2"));
    ASSERT_TRUE(world.run_until([&] { return watcher.done == 2; }));
    ASSERT_EQ(world.engine->pool().idle_connections(), 2U);
    EXPECT_FALSE(send(to("http://a.example/3"))->failure());
    EXPECT_EQ(requests, 4U);
}

TEST_F(replaying, a_fresh_connection_that_closes_is_an_error) {
    reply_by_peer({"close"});
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "connection_closed in read by peer");
    EXPECT_EQ(requests, 1U);
}

TEST_F(replaying, a_connection_lost_after_response_bytes_is_an_error) {
    use_peers();
    on_peer = [this](scripted_peer& peer) {
        peer.on_received = [this](scripted_peer& at) {
            if (++requests == 1) return at.send(ok);
            at.send("HTTP/1.1 2");
            at.close();
        };
    };
    EXPECT_FALSE(send(to("http://a.example/"))->failure());
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "body_incomplete in read by peer");
    EXPECT_EQ(requests, 2U);
}

TEST_F(replaying, a_dial_that_fails_after_a_redirect_is_no_stale_connection) {
    // What the earlier hop's connection was says nothing about the next hop's.
    answer(testing::redirect_to(302, "http://b.example/"));
    auto staying = to("http://a.example/");
    staying.follow_redirects = false;
    EXPECT_FALSE(send(std::move(staying))->failure());
    world.network->route = [](const dial::target&) {
        return simulated_route{.failure = error{error_code::connection_reset, phase::tls, culprit::peer, 104, "reset"}};
    };
    EXPECT_EQ(failure_of(*send(to("http://a.example/"))), "connection_reset in tls by peer");
    EXPECT_EQ(world.network->dialled.size(), 2U) << "b.example was dialled once";
}

TEST_F(replaying, a_streamed_body_goes_again_only_if_it_can_be_rewound) {
    for (const bool rewindable : {false, true}) {
        requests = 0;
        meet_a_stale_connection({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
        for (scripted_peer& peer : peers) {
            peer.on_received = [this](scripted_peer& at) {
                if (at.received.find("body") != std::string::npos) ++requests, at.close();
            };
        }
        on_peer = [this](scripted_peer& peer) {
            peer.on_received = [this](scripted_peer& at) {
                if (at.received.ends_with("body")) ++requests, at.send(ok);
            };
        };
        watcher.body = "the whole body";
        watcher.given = 0;
        watcher.rewindable = rewindable;
        auto asked = to("http://a.example/", "PUT");
        asked.streams_body = true;
        asked.streamed_size = watcher.body.size();
        const auto done = send(std::move(asked));
        EXPECT_EQ(failure_of(*done), rewindable ? "none" : "connection_closed in read by peer");
        EXPECT_EQ(peers.size(), rewindable ? 3U : 1U);
        world.engine->pool().close_idle(connection::close_reason::evicted);
    }
}

// --- Time ---------------------------------------------------------------------------------------------------------------

class the_total_limit : public a_call {
protected:
    /// Sends with a total limit of a second; the verdict and how long it took.
    std::string verdict(call_request asked) {
        asked.limits.total = 1s;
        const auto began = world.clock->now();
        const auto done = send(std::move(asked));
        const auto took = world.clock->now() - began;
        EXPECT_GE(took, 1s);
        EXPECT_LE(took, 1200ms);
        EXPECT_EQ(world.engine->pool().waiting(), 0U);
        EXPECT_EQ(world.engine->pool().dialling(), 0U);
        return failure_of(*done);
    }
    const std::string total = "timed_out in total by peer";
};

TEST_F(the_total_limit, bounds_the_dial) {
    world.network->route = [](const dial::target&) { return simulated_route{.delay = 5s}; };
    EXPECT_EQ(verdict(to("http://a.example/")), total);
    world.run_for(1s);
    EXPECT_EQ(world.network->attempts, 0) << "nothing is left behind";
}

TEST_F(the_total_limit, bounds_the_wait_for_a_connection) {
    session_limits one;
    one.max_connections_per_host = 1;
    testing::simulated_client narrow(one);
    narrow.handler.answer = [](const seen_request&) { return scripted_answer{.never = true}; };
    auto first = base::make_counted<call>(to("http://a.example/"), nullptr);
    first->start(*narrow.session);
    auto asked = to("http://a.example/");
    asked.limits.total = 1s;
    auto second = base::make_counted<call>(asked, &watcher);
    second->start(*narrow.session);
    ASSERT_TRUE(narrow.run_until([&] { return second->is_done(); }));
    EXPECT_EQ(failure_of(*second), total);
    EXPECT_EQ(narrow.engine->pool().waiting(), 0U);
    first->cancel();
}

TEST_F(the_total_limit, bounds_sending) {
    world.network->route = [](const dial::target&) { return simulated_route{.to_server = {.capacity = 10}}; };
    world.network->accept = [this](const dial::target&, transport::transport_ptr end) {
        kept.push_back(std::move(end));  // nobody reads
    };
    EXPECT_EQ(verdict(to("http://a.example/", "POST", std::string(100'000, 'x'))), total);
    kept.clear();
}

TEST_F(the_total_limit, bounds_a_source_that_gives_nothing) {
    watcher.body = "begin";
    watcher.body_is_endless = true;
    auto asked = to("http://a.example/", "POST");
    asked.streams_body = true;
    asked.streamed_size = std::nullopt;
    EXPECT_EQ(verdict(std::move(asked)), total);
}

TEST_F(the_total_limit, bounds_the_wait_for_the_head) {
    answer({.never = true});
    EXPECT_EQ(verdict(to("http://a.example/")), total);
}

TEST_F(the_total_limit, bounds_the_body) {
    use_peers();
    on_peer = [](scripted_peer& peer) {
        peer.on_received = [](scripted_peer& at) { at.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"); };
    };
    EXPECT_EQ(verdict(to("http://a.example/")), total);
}

TEST_F(the_total_limit, bounds_all_redirects_together) {
    answer({.status = 302, .headers = {{"Location", "/again"}}, .delay = 300ms});
    EXPECT_EQ(verdict(to("http://a.example/")), total);
    EXPECT_EQ(world.handler.seen.size(), 4U);
}

TEST_F(the_total_limit, bounds_the_body_of_a_redirect) {
    use_peers();
    on_peer = [](scripted_peer& peer) {
        peer.on_received = [](scripted_peer& at) {
            at.send("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 10\r\n\r\n12345");
        };
    };
    EXPECT_EQ(verdict(to("http://a.example/")), total);
}

TEST_F(the_total_limit, of_a_streamed_response_ends_with_its_head) {
    answer({.body = std::string(1000, 's'), .delay = 900ms});
    world.network->route = [](const dial::target&) {
        return simulated_route{.to_client = {.max_per_read = 10, .latency = 50ms}};
    };
    auto asked = to("http://a.example/");
    asked.streams_response = true;
    asked.limits.total = 1s;
    watcher.reads = false;
    const auto slow = start(std::move(asked));
    world.run_for(10s);
    EXPECT_FALSE(slow->is_done());
    watcher.reads = true;
    watcher.read_all(*slow);
    ASSERT_TRUE(world.run_until([&] { return slow->is_done(); }));
    EXPECT_EQ(failure_of(*slow), "none");
}

TEST_F(the_total_limit, can_be_off) {
    answer({.delay = 50s});
    auto asked = to("http://a.example/");
    asked.limits.total = 0ms;
    EXPECT_EQ(failure_of(*send(std::move(asked))), "none");
}

TEST_F(a_call, each_phase_has_its_own_limit) {
    auto connect = to("http://a.example/");
    connect.limits.connect = 200ms;
    world.network->route = [](const dial::target&) { return simulated_route{.delay = 5s}; };
    EXPECT_EQ(failure_of(*send(std::move(connect))), "timed_out in connect by network");
    world.network->route = nullptr;
    answer({.never = true});
    auto read = to("http://a.example/");
    read.limits.read = 200ms;
    EXPECT_EQ(failure_of(*send(std::move(read))), "timed_out in read by peer");
    world.network->route = [](const dial::target&) { return simulated_route{.to_server = {.capacity = 10}}; };
    world.network->accept = [this](const dial::target&, transport::transport_ptr end) {
        kept.push_back(std::move(end));
    };
    auto write = to("http://a.example/", "POST", std::string(100'000, 'x'));
    write.limits.write = 200ms;
    EXPECT_EQ(failure_of(*send(std::move(write))), "timed_out in write by peer");
    kept.clear();
}

// --- Cancelling ---------------------------------------------------------------------------------------------------------

class cancelling : public a_call {
protected:
    /// Cancels, twice, and checks that nobody hears of it and nothing is left.
    void cancel(const call_ptr& under_way) {
        const int done = watcher.done;
        ASSERT_FALSE(under_way->is_done());
        under_way->cancel();
        under_way->cancel();
        EXPECT_TRUE(under_way->is_done());
        EXPECT_EQ(failure_of(*under_way), "cancelled in none by caller");
        EXPECT_EQ(under_way->reference_count(), 1U) << "nobody else holds it";
        world.run_for(400s);
        EXPECT_EQ(watcher.done, done);
        EXPECT_EQ(world.engine->pool().waiting(), 0U);
        EXPECT_EQ(world.engine->pool().dialling(), 0U);
        EXPECT_EQ(world.engine->pool().open_connections(), world.engine->pool().idle_connections());
        EXPECT_EQ(world.network->attempts, 0);
    }
};

TEST_F(cancelling, before_it_began) {
    auto prepared = base::make_counted<call>(to("http://a.example/"), &watcher);
    cancel(prepared);
}

TEST_F(cancelling, while_dialling) {
    world.network->route = [](const dial::target&) { return simulated_route{.delay = 5s}; };
    cancel(start(to("http://a.example/")));
}

TEST_F(cancelling, while_sending) {
    world.network->route = [](const dial::target&) {
        return simulated_route{.to_server = {.capacity = 100, .latency = 1s}};
    };
    const auto sending = start(to("http://a.example/", "POST", std::string(100'000, 'x')));
    world.run_for(1500ms);
    cancel(sending);
}

TEST_F(cancelling, while_waiting_for_the_head) {
    answer({.never = true});
    const auto waiting = start(to("http://a.example/"));
    world.run_for(1s);
    cancel(waiting);
}

TEST_F(cancelling, while_collecting_the_body) {
    world.network->route = [](const dial::target&) {
        return simulated_route{.to_client = {.capacity = 1000, .latency = 1s}};
    };
    answer({.body = std::string(100'000, 'x')});
    const auto collecting = start(to("http://a.example/"));
    ASSERT_TRUE(world.run_until([&] { return collecting->body().size() > 0; }));
    cancel(collecting);
}

TEST_F(cancelling, while_skipping_a_redirects_body) {
    use_peers();
    on_peer = [](scripted_peer& peer) {
        peer.on_received = [](scripted_peer& at) {
            at.send("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 10\r\n\r\n12345");
        };
    };
    const auto skipping = start(to("http://a.example/"));
    ASSERT_TRUE(world.run_until([&] { return !skipping->history().empty(); }));
    cancel(skipping);
    EXPECT_EQ(world.network->dialled.size(), 1U) << "the redirect was not followed";
}

TEST_F(cancelling, while_streaming) {
    answer({.body = std::string(1'000'000, 'x')});
    watcher.reads = false;
    auto asked = to("http://a.example/");
    asked.streams_response = true;
    const auto streaming = start(std::move(asked));
    ASSERT_TRUE(world.run_until([&] { return watcher.heads == 1; }));
    cancel(streaming);
    char buffer[10];
    const auto read = streaming->read(buffer);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, error_code::cancelled);
}

TEST_F(cancelling, from_inside_its_own_notifications) {
    struct at_head final : call_observer {
        void on_call_head(call& of) override { of.cancel(); }
        void on_call_done(call&) override { ++done; }
        int done = 0;
    } observer;
    answer({.body = std::string(100, 'x')});
    auto asked = to("http://a.example/");
    asked.streams_response = true;
    auto stopped = base::make_counted<call>(std::move(asked), &observer);
    stopped->start(*world.session);
    world.run_for(10s);
    EXPECT_EQ(observer.done, 0);
    EXPECT_TRUE(stopped->is_done());
    EXPECT_EQ(world.engine->pool().open_connections(), 0U);
}

TEST_F(cancelling, afterwards_does_nothing) {
    const auto done = send(to("http://a.example/"));
    done->cancel();
    EXPECT_FALSE(done->failure());
}

// --- The trace ------------------------------------------------------------------------------------------------------------

using times = exchange_times;

TEST_F(a_call, traces_when_what_happened) {
    world.network->route = [](const dial::target&) { return simulated_route{.delay = 40ms}; };
    answer({.body = "ok", .delay = 250ms});
    const auto done = send(to("http://user:secret@a.example/path?q=1"));
    const trace seen = done->trace();
    EXPECT_TRUE(seen.before.empty());
    EXPECT_EQ(seen.last.method, "GET");
    EXPECT_EQ(seen.last.url, "http://user:secret@a.example/path?q=1") << "whoever shows it hides the secrets";
    EXPECT_EQ(seen.last.status, 200);
    EXPECT_FALSE(seen.last.failure);
    EXPECT_FALSE(seen.last.reused_connection);
    const times& at = seen.last.times;
    EXPECT_GE(at.started - at.submitted, 40ms);
    EXPECT_LE(at.started - at.submitted, 60ms);
    EXPECT_GE(at.sent, at.started);
    EXPECT_GE(at.head - at.sent, 250ms);
    EXPECT_GE(at.ended, at.head);
    ASSERT_TRUE(seen.last.connection);
    EXPECT_EQ(seen.last.connection->dialled, at.submitted);
    EXPECT_EQ(seen.last.connection->peer_address, "memory");
}

TEST_F(a_call, traces_the_connection_it_took_over) {
    answer({.body = "ok"});
    const auto first = send(to("http://a.example/"))->trace();
    world.run_for(1s);
    const auto second = send(to("http://a.example/"))->trace();
    EXPECT_TRUE(second.last.reused_connection);
    EXPECT_EQ(second.last.connection, first.last.connection) << "the facts are shared, not gathered again";
    EXPECT_EQ(second.last.times.started, second.last.times.submitted);
    EXPECT_LT(second.last.connection->dialled, second.last.times.submitted);
}

TEST_F(a_call, traces_every_redirect) {
    reply_by_peer({"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n", ok});
    const trace seen = send(to("http://a.example/first", "POST"))->trace();
    ASSERT_EQ(seen.before.size(), 1U);
    EXPECT_EQ(seen.before[0].method, "POST");
    EXPECT_EQ(seen.before[0].url, "http://a.example/first");
    EXPECT_EQ(seen.before[0].status, 302);
    EXPECT_FALSE(seen.before[0].reused_connection);
    EXPECT_TRUE(times::reached(seen.before[0].times.head));
    EXPECT_TRUE(times::reached(seen.before[0].times.ended));
    EXPECT_EQ(seen.last.method, "GET");
    EXPECT_EQ(seen.last.url, "http://a.example/next");
    EXPECT_TRUE(seen.last.reused_connection);
    EXPECT_GE(seen.last.times.submitted, seen.before[0].times.ended);
}

TEST_F(replaying, the_attempt_that_failed_is_in_the_trace) {
    meet_a_stale_connection();
    const auto done = send(to("http://a.example/again"));
    EXPECT_TRUE(done->was_repeated());
    const trace seen = done->trace();
    ASSERT_EQ(seen.before.size(), 1U);
    EXPECT_EQ(seen.before[0].failure, error_code::connection_closed);
    EXPECT_EQ(seen.before[0].status, 0);
    EXPECT_TRUE(seen.before[0].reused_connection);
    EXPECT_TRUE(times::reached(seen.before[0].times.ended));
    EXPECT_FALSE(times::reached(seen.before[0].times.head));
    EXPECT_EQ(seen.last.status, 200);
    EXPECT_NE(seen.last.connection, seen.before[0].connection);
}

TEST_F(a_call, traces_how_far_it_got) {
    world.network->route = [](const dial::target&) {
        return simulated_route{.failure =
                                   error{error_code::connection_refused, phase::connect, culprit::peer, 111, "no"}};
    };
    const trace seen = send(to("http://a.example/"))->trace();
    EXPECT_EQ(seen.last.failure, error_code::connection_refused);
    EXPECT_EQ(seen.last.failed_in, phase::connect);
    EXPECT_FALSE(seen.last.connection);
    EXPECT_FALSE(times::reached(seen.last.times.started));
    EXPECT_TRUE(times::reached(seen.last.times.ended));
}

TEST_F(a_call, traces_a_streamed_body_to_the_end) {
    watcher.reads = false;
    answer({.body = std::string(100'000, 'x')});
    auto asked = to("http://a.example/");
    asked.streams_response = true;
    const auto streamed = start(std::move(asked));
    ASSERT_TRUE(world.run_until([&] { return streamed->has_head(); }));
    EXPECT_TRUE(times::reached(streamed->trace().last.times.head));
    EXPECT_FALSE(times::reached(streamed->trace().last.times.ended));
    world.run_for(1s);
    watcher.reads = true;
    watcher.read_all(*streamed);
    ASSERT_TRUE(world.run_until([&] { return streamed->is_done(); }));
    const times at = streamed->trace().last.times;
    EXPECT_GE(at.ended - at.head, 1s);
}

}  // namespace
}  // namespace pabal::client
