#include "client/call_support.hpp"
#include "client/engine.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using testing::failure_of;
using testing::scripted_answer;
using testing::seen_request;
using testing::simulated_dialer;
using testing::simulated_route;
using testing::to;

class engine_of_calls : public testing::calling {};

TEST(engine, is_made_of_the_systems_parts) {
    const auto made = engine::make({});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ((*made)->pool().open_connections(), 0U);
    EXPECT_NE((*made)->reactor().descriptor(), -2);
}

TEST_F(engine_of_calls, closing_ends_whatever_is_under_way_with_session_closed) {
    session_limits narrow;
    narrow.max_connections_per_host = 2;
    testing::simulated_client closed(narrow);
    closed.handler.answer = [](const seen_request& asked) {
        return scripted_answer{.body = std::string(1000, 'x'), .never = asked.head.target == "/never"};
    };
    closed.network->route = [&](const dial::target& target) {
        return simulated_route{.delay = target.host == "slow.example" ? 1h : 0h};
    };
    std::vector<call_ptr> calls;
    const auto begin = [&](std::string_view where, bool streamed = false) {
        auto asked = to(where);
        asked.limits.connect = 0ms;
        asked.streams_response = streamed;
        calls.push_back(base::make_counted<call>(std::move(asked), &watcher));
        calls.back()->start(*closed.session);
    };
    watcher.reads = false;
    begin("http://a.example/never");           // waits for the head
    begin("http://a.example/streamed", true);  // its body waits for a reader
    begin("http://a.example/third");           // waits for a connection
    begin("http://slow.example/");             // dials
    closed.run_for(1s);
    EXPECT_EQ(watcher.heads, 1);
    closed.engine->pool().close();
    for (const call_ptr& each : calls)
        EXPECT_EQ(failure_of(*each).substr(0, 14), "session_closed") << failure_of(*each);
    EXPECT_EQ(watcher.done, 4);
    begin("http://a.example/late");
    EXPECT_EQ(failure_of(*calls.back()), "session_closed in pool by caller");
    closed.run_for(1h);
    EXPECT_EQ(watcher.done, 5) << "nobody is told twice";
    EXPECT_EQ(closed.engine->pool().open_connections() + closed.engine->pool().idle_connections() +
                  closed.engine->pool().dialling() + closed.engine->pool().waiting(),
              0U);
    EXPECT_EQ(closed.network->attempts, 0);
}

TEST_F(engine_of_calls, its_end_is_the_end_of_dials_before_their_dialer) {
    int attempts_left = -1;
    call_ptr dialling;
    {
        testing::simulated_client short_lived;
        short_lived.network->watch_death(attempts_left);
        short_lived.network->route = [](const dial::target&) { return simulated_route{.delay = 5s}; };
        dialling = base::make_counted<call>(to("http://a.example/"), &watcher);
        dialling->start(*short_lived.session);
        EXPECT_EQ(short_lived.network->attempts, 1);
    }
    EXPECT_EQ(attempts_left, 0) << "an attempt must not outlive its dialer";
    EXPECT_EQ(failure_of(*dialling), "session_closed in pool by caller");
}

TEST_F(engine_of_calls, a_total_limit_of_connections_is_kept_and_everybody_is_served) {
    session_limits narrow;
    narrow.max_connections = 3;
    testing::simulated_client served(narrow);
    served.handler.answer = [](const seen_request&) { return scripted_answer{.body = "ok", .delay = 10ms}; };
    std::size_t most = 0;
    served.network->route = [&](const dial::target&) {
        most = std::max(most, served.engine->pool().open_connections() + served.engine->pool().dialling());
        return simulated_route{.delay = 5ms};
    };
    std::vector<call_ptr> calls;
    for (int index = 0; index < 60; ++index) {
        calls.push_back(
            base::make_counted<call>(to("http://host" + std::to_string(index % 7) + ".example/"), &watcher));
        calls.back()->start(*served.session);
    }
    ASSERT_TRUE(served.run_until([&] { return watcher.done == 60; }));
    for (const call_ptr& each : calls) EXPECT_EQ(failure_of(*each), "none");
    EXPECT_LE(most, 3U);
}

TEST_F(engine_of_calls, a_place_that_a_failed_dial_gives_up_serves_who_starves) {
    // Two places: one is held by a long answer, the other by a dial nobody waits for any more, which fails.
    session_limits narrow;
    narrow.max_connections = 2;
    testing::simulated_client served(narrow);
    served.handler.answer = [](const seen_request& asked) {
        return scripted_answer{.body = "ok", .delay = asked.head.target == "/short" ? 10ms : 100s};
    };
    int dials_to_a = 0;
    served.network->route = [&](const dial::target& target) {
        if (target.host != "a.example" || ++dials_to_a == 1) return simulated_route{};
        return simulated_route{
            .delay = 1s, .failure = error{error_code::connection_refused, phase::connect, culprit::peer, 0, "no"}};
    };
    std::vector<call_ptr> calls;
    const auto begin = [&](std::string_view where) {
        auto asked = to(where);
        asked.limits.read = 0ms;
        calls.push_back(base::make_counted<call>(std::move(asked), &watcher));
        calls.back()->start(*served.session);
    };
    begin("http://a.example/short");
    begin("http://a.example/long");  // is served by the first one's connection; its own dial goes on
    served.run_for(100ms);
    begin("http://b.example/short");
    ASSERT_TRUE(served.run_until([&] { return calls.back()->is_done(); }, 5s));
    EXPECT_EQ(failure_of(*calls.back()), "none");
    EXPECT_FALSE(calls[1]->is_done());
    calls[1]->cancel();
}

TEST_F(engine_of_calls, nobody_fails_by_the_patience_of_another) {
    // A dial that an impatient request began, and left when a released connection served it, runs into that one's limit.
    world.handler.answer = [](const seen_request& asked) {
        return scripted_answer{.body = "ok", .delay = asked.head.target == "/short" ? 10ms : 10s};
    };
    int dials = 0;
    world.network->route = [&](const dial::target&) { return simulated_route{.delay = ++dials == 1 ? 0s : 2s}; };
    start(to("http://a.example/short"));
    world.run_for(5ms);
    auto impatient = to("http://a.example/long");
    impatient.limits.connect = 1s;
    start(std::move(impatient));
    world.run_for(500ms);
    const auto patient = start(to("http://a.example/short"));
    ASSERT_TRUE(world.run_until([&] { return patient->is_done(); }));
    EXPECT_EQ(failure_of(*patient), "none");
    EXPECT_EQ(dials, 3);
}

TEST_F(engine_of_calls, a_dial_that_ends_in_the_turn_it_is_given_up_does_no_harm) {
    // The total limit, the dial's success and the dial's failure fall into one turn.
    for (const bool fails : {false, true}) {
        world.network->route = [&](const dial::target&) {
            simulated_route way{.delay = 1s};
            if (fails) way.failure = error{error_code::connection_refused, phase::connect, culprit::peer, 0, "no"};
            return way;
        };
        auto asked = to("http://a.example/");
        asked.limits.total = 1s;
        const auto given_up = start(std::move(asked));
        world.clock->advance(2s);
        world.run_for(1s);
        EXPECT_EQ(failure_of(*given_up), "timed_out in total by peer");
        EXPECT_EQ(world.engine->pool().dialling(), 0U);
        EXPECT_EQ(world.engine->pool().open_connections(), 0U);
    }
}

}  // namespace
}  // namespace pabal::client
