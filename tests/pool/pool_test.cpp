#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pool/pool_support.hpp"

namespace pabal::pool {
namespace {

using namespace pabal::pool::testing;
using connection::close_reason;

// --- Reuse --------------------------------------------------------------------------------------------------------------

TEST_F(pool_test, an_idle_connection_serves_the_next_exchange_of_its_origin) {
    EXPECT_EQ(fetch(), "0");
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
    EXPECT_EQ(fetch(), "0");
    EXPECT_EQ(fetch("b"), "1");
    EXPECT_EQ(pool_->counters().dialled, 2U);
    EXPECT_EQ(pool_->counters().reused, 1U);
}

TEST_F(pool_test, the_connection_that_was_used_last_is_used_first) {
    std::vector<recording_ptr> all{submit(), submit(), submit()};
    for (int each = 0; each < 3; ++each) dialer_.connect(0, false);
    world_.settle();
    for (const std::size_t each : {1, 0, 2}) {
        server_at(each).answer();
        server_at(each).automatic = true;
        world_.settle();
    }
    EXPECT_EQ(now(), (counts{.open = 3, .idle = 3}));
    const auto first = submit();
    const auto second = submit();
    const auto third = submit();
    world_.settle();
    EXPECT_EQ(first->body + second->body + third->body, "201");
}

TEST_F(pool_test, an_idle_connection_whose_peer_closed_is_not_used) {
    fetch();
    server_at(0).hang_up();
    // Known before the reactor had a turn to tell the connection.
    const auto got = submit();
    EXPECT_EQ(now(), (counts{.dialling = 1, .waiting = 1}));
    EXPECT_EQ(pool_->counters().last_close_reason, close_reason::peer_closed_idle);
    dialer_.connect();
    world_.settle();
    EXPECT_EQ(got->body, "1");

    server_at(1).hang_up();
    world_.settle();
    EXPECT_EQ(now(), counts{}) << "it was noticed while nobody asked";
}

TEST_F(pool_test, who_wants_a_new_connection_gets_one) {
    for (const std::size_t most : {1, 2}) {
        make({.max_connections_per_host = most});
        dialer_.servers.clear();
        EXPECT_EQ(fetch(), "0");
        const auto particular = make_get();
        particular->wants_new_connection = true;
        pool_->submit(particular, target("a"));
        ASSERT_EQ(dialer_.pending.size(), 1U);
        EXPECT_EQ(pool_->open_connections(), most - 1) << "an idle one gives its place";
        dialer_.connect();
        world_.settle();
        EXPECT_EQ(particular->body, "1");
    }
}

TEST_F(pool_test, who_wants_a_new_connection_is_not_handed_a_released_one) {
    make({.max_connections_per_host = 1});
    const auto first = submit();
    dialer_.connect(0, false);
    const auto particular = make_get();
    particular->wants_new_connection = true;
    pool_->submit(particular, target("a"));
    const auto last = submit();
    world_.settle();
    server_at(0).answer();
    world_.settle();
    EXPECT_EQ(first->body, "0");
    ASSERT_EQ(dialer_.pending.size(), 1U) << "the released one gave its place";
    dialer_.connect();
    world_.settle();
    EXPECT_EQ(particular->body, "1");
    EXPECT_EQ(last->body, "1") << "who does not mind takes what is released";
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
}

TEST_F(pool_test, a_connection_that_cannot_be_used_again_makes_room) {
    make({.max_connections_per_host = 1});
    const auto first = submit();
    const auto second = submit();
    dialer_.connect(0, false);
    world_.settle();
    server_at(0).answer(true);
    world_.settle();
    EXPECT_TRUE(first->succeeded());
    EXPECT_EQ(now(), (counts{.dialling = 1, .waiting = 1}));
    dialer_.connect();
    world_.settle();
    EXPECT_EQ(second->body, "1");
    EXPECT_FALSE(second->on_reused_connection);
}

// --- Limits -------------------------------------------------------------------------------------------------------------

TEST_F(pool_test, exchanges_wait_in_line_and_are_handed_the_connection_directly) {
    make({.max_connections_per_host = 1});
    std::vector<recording_ptr> all;
    std::vector<int> order;
    for (int each = 0; each < 5; ++each) {
        all.push_back(submit());
        all.back()->in_end = [&, each] {
            order.push_back(each);
            EXPECT_EQ(pool_->idle_connections(), each == 4 ? 1U : 0U) << "it was given away before anybody heard";
        };
    }
    EXPECT_EQ(now(), (counts{.dialling = 1, .waiting = 5}));
    dialer_.connect();
    EXPECT_EQ(now(), (counts{.open = 1, .waiting = 4}));
    world_.settle();
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
}

TEST_F(pool_test, there_are_no_more_connections_than_allowed) {
    make({.max_connections = 5, .max_connections_per_host = 2});
    std::vector<recording_ptr> all;
    for (int each = 0; each < 12; ++each) all.push_back(submit(std::string(1, static_cast<char>('a' + each % 4))));
    EXPECT_EQ(dialer_.hosts(), (std::vector<std::string>{"a", "b", "c", "d", "a"}));
    while (!dialer_.pending.empty()) {
        EXPECT_LE(pool_->open_connections() + pool_->dialling(), 5U);
        dialer_.connect();
        world_.settle();
    }
    for (const auto& each : all) EXPECT_TRUE(each->succeeded());
    EXPECT_EQ(pool_->waiting(), 0U);
}

TEST_F(pool_test, the_longest_idle_connection_makes_room_for_another_origin) {
    make({.max_connections = 2});
    EXPECT_EQ(fetch("a"), "0");
    EXPECT_EQ(fetch("b"), "1");
    EXPECT_EQ(fetch("a"), "0");
    EXPECT_EQ(fetch("c"), "2");
    EXPECT_EQ(pool_->counters().last_close_reason, close_reason::evicted);
    EXPECT_FALSE(server_at(1).is_connected());
    EXPECT_TRUE(server_at(0).is_connected());
    EXPECT_EQ(now(), (counts{.open = 2, .idle = 2}));
}

TEST_F(pool_test, origins_without_room_are_served_in_the_order_they_came) {
    make({.max_connections = 1});
    const auto busy = submit("a");
    server& first = dialer_.connect(0, false);
    world_.settle();
    const auto b = submit("b");
    const auto c = submit("c");
    const auto d = submit("d");
    EXPECT_EQ(now(), (counts{.open = 1, .waiting = 3}));
    first.answer();
    world_.settle();
    for (const auto* host : {"b", "c", "d"}) {
        ASSERT_EQ(dialer_.hosts(), std::vector<std::string>{host});
        dialer_.connect();
        world_.settle();
    }
    EXPECT_TRUE(b->succeeded() && c->succeeded() && d->succeeded());
    EXPECT_EQ(pool_->waiting(), 0U);
}

TEST_F(pool_test, an_origin_whose_connections_end_does_not_keep_its_place_for_itself) {
    make({.max_connections = 1});
    std::vector<recording_ptr> greedy;
    for (int each = 0; each < 10; ++each) greedy.push_back(submit("greedy"));
    std::vector<recording_ptr> modest;
    for (int each = 0; each < 3; ++each) modest.push_back(submit("modest"));
    std::string order;
    for (bool fails = false; !dialer_.pending.empty(); fails = !fails) {
        ASSERT_EQ(dialer_.pending.size(), 1U);
        order += dialer_.hosts().front().front();
        if (fails) {
            dialer_.fail();  // the end of a turn like any other
            continue;
        }
        server& reached = dialer_.connect(0, false);
        world_.settle();
        reached.answer(true);
        world_.settle();
    }
    EXPECT_EQ(order, "ggmgmgmgggggg");
    EXPECT_EQ(now(), counts{});
}

TEST_F(pool_test, an_origin_that_no_longer_waits_is_passed_over) {
    make({.max_connections = 1});
    const auto busy = submit("a");
    dialer_.connect(0, false);
    world_.settle();
    const auto gone = submit("b");
    const auto waits = submit("c");
    cancel(gone);
    server_at(0).answer();
    world_.settle();
    EXPECT_EQ(dialer_.hosts(), std::vector<std::string>{"c"});
}

TEST_F(pool_test, idle_connections_are_bounded_in_number_and_in_time) {
    make({.max_idle_connections = 2, .idle_timeout = 10s});
    std::vector<recording_ptr> all{submit(), submit(), submit()};
    for (int each = 0; each < 3; ++each) dialer_.connect();
    world_.settle();
    EXPECT_EQ(now(), (counts{.open = 2, .idle = 2}));
    EXPECT_EQ(pool_->counters().last_close_reason, close_reason::pool_full);
    world_.pass(5s);
    fetch();
    world_.pass(6s);
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1})) << "the one that was used began a new wait";
    EXPECT_EQ(pool_->counters().last_close_reason, close_reason::idle_timeout);
    world_.pass(5s);
    EXPECT_EQ(now(), counts{});
}

TEST_F(pool_test, idle_connections_are_closed_on_demand) {
    fetch("a");
    fetch("b");
    const auto busy = submit("c");
    dialer_.connect(0, false);
    world_.settle();
    pool_->close_idle(close_reason::evicted);
    EXPECT_EQ(now(), (counts{.open = 1}));
    server_at(2).answer();
    world_.settle();
    EXPECT_TRUE(busy->succeeded());
}

TEST_F(pool_test, a_crawl_over_any_number_of_hosts_stays_bounded) {
    make({.max_connections = 10, .max_idle_connections = 5});
    for (int host = 0; host < 3000; ++host) {
        const auto got = submit("host" + std::to_string(host));
        if (host % 3 == 0) dialer_.fail();
        else dialer_.connect();
        world_.settle();
        EXPECT_TRUE(got->over());
        if (dialer_.servers.size() > 20) dialer_.servers.erase(dialer_.servers.begin());
    }
    EXPECT_LE(pool_->origins(), 256U);
    EXPECT_LE(pool_->open_connections(), 5U);
}

// --- Closing ------------------------------------------------------------------------------------------------------------

TEST_F(pool_test, closing_ends_everything_and_says_so) {
    make({.max_connections = 3, .max_connections_per_host = 2});
    fetch("idle");
    const auto busy = submit("busy");
    dialer_.connect(0, false);
    world_.settle();
    const auto dialled = submit("dialled");
    const auto starved = submit("starved");
    const auto started_in_the_end = make_get();
    busy->in_end = [&] { pool_->submit(started_in_the_end, target("new")); };
    EXPECT_EQ(pool_->waiting(), 2U);

    pool_->close();
    EXPECT_EQ(now(), counts{});
    EXPECT_TRUE(dialer_.pending.empty()) << "dials are given up at once";
    for (const auto& each : {busy, dialled, starved, started_in_the_end}) {
        ASSERT_TRUE(each->failure);
        EXPECT_EQ(each->failure->code, error_code::session_closed);
        EXPECT_EQ(each->failure->whose, culprit::caller);
    }
    EXPECT_EQ(pool_->counters().last_close_reason, close_reason::session_closed);
    EXPECT_EQ(fetch(), "session_closed");
    pool_->close();
}

TEST_F(pool_test, is_destroyed_with_everything_under_way) {
    fetch("idle");
    const auto busy = submit("busy");
    dialer_.connect(0, false);
    const auto dialled = submit("dialled");
    pool_.reset();
    EXPECT_EQ(busy->failure->code, error_code::session_closed);
    EXPECT_EQ(dialled->failure->code, error_code::session_closed);
}

// --- Storms -------------------------------------------------------------------------------------------------------------

/// Thousands of exchanges cancelled, failed and answered at random moments of their lives; then all must be as before.
class pool_storm : public pool_test, public ::testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(seeded, pool_storm, ::testing::Range(1U, 9U));

TEST_P(pool_storm, leaves_everything_in_order) {
    make({.max_connections = 8, .max_connections_per_host = 3, .max_idle_connections = 4, .idle_timeout = 5s});
    std::mt19937 random(GetParam());
    const auto any_of = [&](auto& several) { return static_cast<std::size_t>(random() % several.size()); };
    const std::vector<std::string> hosts{"a", "b", "c", "d", "e"};
    std::vector<recording_ptr> running;
    for (int step = 0; step < 20'000; ++step) {
        switch (random() % 12) {
        case 0:
        case 1:
        case 2:
        case 3:
            if (running.size() < 60) running.push_back(submit(hosts[any_of(hosts)], random() % 4 == 0 ? 50ms : 0ms));
            break;
        case 4:
        case 5:
            if (!running.empty()) cancel(running[any_of(running)]);
            break;
        case 6:
            if (!dialer_.pending.empty()) dialer_.connect(any_of(dialer_.pending), random() % 2 == 0);
            break;
        case 7:
            if (!dialer_.pending.empty() && random() % 2 == 0) dialer_.fail(any_of(dialer_.pending));
            break;
        case 8:
            if (!dialer_.servers.empty()) server_at(any_of(dialer_.servers)).answer(random() % 3 == 0);
            break;
        case 9:
            if (!dialer_.servers.empty() && random() % 4 == 0) server_at(any_of(dialer_.servers)).hang_up();
            break;
        case 10: world_.reactor().turn(std::chrono::milliseconds(random() % 100)); break;
        default: world_.reactor().turn(0ms); break;
        }
        std::erase_if(running, [](const auto& each) { return each->over() || each->given_up; });
        std::erase_if(dialer_.servers, [](const auto& each) { return !each->is_connected(); });
        const counts at = now();
        ASSERT_LE(at.open + at.dialling, 8U);
        ASSERT_LE(at.idle, at.open);
        ASSERT_EQ(at.dialling, dialer_.pending.size());
        ASSERT_LE(at.waiting, running.size());
    }
    for (const auto& each : running) cancel(each);
    running.clear();
    EXPECT_EQ(now().waiting, 0U);
    // What is still dialled was dialled for exchanges that a released connection served: it will be idle.
    while (!dialer_.pending.empty()) dialer_.connect();
    world_.settle();
    EXPECT_EQ(now().dialling, 0U);
    EXPECT_EQ(now().open, now().idle) << "no connection is busy with nothing";
    EXPECT_EQ(recording_exchange::alive, 0);
    for (const auto& each : dialer_.servers) each->automatic = true;
    for (const auto& host : hosts) {
        const auto next = submit(host);
        if (!dialer_.pending.empty()) dialer_.connect();
        world_.settle();
        EXPECT_TRUE(next->succeeded()) << host;
    }
    world_.pass(6s);
    EXPECT_EQ(now(), counts{});
}

}  // namespace
}  // namespace pabal::pool
