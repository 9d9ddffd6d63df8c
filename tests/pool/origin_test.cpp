#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "pool/pool_support.hpp"
#include "protocol/http2/http2_server.hpp"

namespace pabal::pool {
namespace {

using namespace pabal::pool::testing;

class origin_test : public pool_test {};

// --- Dials --------------------------------------------------------------------------------------------------------------

TEST_F(origin_test, whoever_waits_first_gets_the_connection_whichever_dial_it_came_from) {
    const auto first = submit();
    const auto second = submit();
    EXPECT_EQ(now(), (counts{.dialling = 2, .waiting = 2}));
    dialer_.connect(1);
    world_.settle();
    EXPECT_TRUE(first->succeeded());
    EXPECT_TRUE(second->succeeded()) << "served by the released connection before its own dial was ready";
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1, .dialling = 1}));
    dialer_.connect(0);
    EXPECT_EQ(now(), (counts{.open = 2, .idle = 2})) << "the dial nobody waits for any more is kept";
}

TEST_F(origin_test, a_failed_dial_fails_the_first_in_line_and_nobody_else) {
    const auto first = submit();
    const auto second = submit();
    const auto third = submit();
    dialer_.fail(2);
    EXPECT_EQ(first->failure->code, error_code::connection_refused);
    EXPECT_EQ(first->failure->where, phase::connect);
    EXPECT_FALSE(first->request_sent);
    EXPECT_FALSE(second->over() || third->over());
    EXPECT_EQ(now(), (counts{.dialling = 2, .waiting = 2}));
    EXPECT_EQ(pool_->counters().dial_failures, 1U);
    dialer_.connect();
    world_.settle();
    EXPECT_TRUE(second->succeeded() && third->succeeded());
}

TEST_F(origin_test, after_a_failed_dial_the_next_in_line_is_dialled_for) {
    make({.max_connections_per_host = 1});
    std::vector<recording_ptr> all{submit(), submit(), submit()};
    for (const auto& each : all) {
        EXPECT_FALSE(each->over());
        dialer_.fail();
        EXPECT_TRUE(each->over());
    }
    EXPECT_EQ(now(), counts{});
}

TEST_F(origin_test, a_failure_may_be_answered_with_the_next_attempt) {
    const auto second = make_get();
    const auto first = submit();
    first->in_end = [&] { pool_->submit(second, target("a")); };
    dialer_.fail();
    EXPECT_EQ(now(), (counts{.dialling = 1, .waiting = 1}));
    dialer_.connect();
    world_.settle();
    EXPECT_TRUE(second->succeeded());
}

TEST_F(origin_test, a_dial_that_fails_when_nobody_waits_any_more_fails_nobody) {
    const auto first = submit();
    const auto second = submit();
    dialer_.connect(0);
    world_.settle();
    ASSERT_TRUE(first->succeeded() && second->succeeded());
    dialer_.fail();
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
}

TEST_F(origin_test, cancelling_gives_up_the_dials_it_leaves_over_at_once) {
    const auto first = submit();
    const auto second = submit();
    const auto third = submit();
    fake_dialer::dialling* oldest = dialer_.pending.front();
    cancel(second);
    // At once, not at the end of the turn: until then an attempt could still report to a dial that is forgotten.
    EXPECT_EQ(dialer_.pending.size(), 2U);
    EXPECT_EQ(dialer_.pending.front(), oldest) << "the youngest goes first";
    EXPECT_EQ(now(), (counts{.dialling = 2, .waiting = 2}));
    cancel(first);
    cancel(third);
    EXPECT_TRUE(dialer_.pending.empty());
    EXPECT_EQ(now(), counts{});
    EXPECT_EQ(fetch(), "0");
}

TEST_F(origin_test, cancelling_in_the_callback_of_a_failed_dial_is_no_special_case) {
    const auto first = submit();
    const auto second = submit();
    const auto third = submit();
    first->in_end = [&] {
        cancel(second);
        cancel(third);
    };
    dialer_.fail(1);
    EXPECT_EQ(now(), counts{});
    EXPECT_TRUE(dialer_.pending.empty());
    world_.settle();
}

TEST_F(origin_test, a_place_given_up_goes_to_an_origin_that_waits_for_one) {
    make({.max_connections = 1});
    const auto first = submit("a");
    const auto other = submit("b");
    EXPECT_EQ(dialer_.hosts(), std::vector<std::string>{"a"});
    cancel(first);
    EXPECT_EQ(dialer_.hosts(), std::vector<std::string>{"b"});
}

TEST_F(origin_test, a_place_of_a_dial_nobody_waited_for_goes_on_as_well) {
    make({.max_connections = 2});
    const auto first = submit("a");
    const auto second = submit("a");
    server& reached = dialer_.connect();
    world_.settle();
    ASSERT_TRUE(first->succeeded() && second->succeeded());
    reached.automatic = false;
    const auto busy = submit("a");
    const auto other = submit("b");
    ASSERT_EQ(dialer_.hosts(), std::vector<std::string>{"a"});
    dialer_.fail();
    EXPECT_EQ(dialer_.hosts(), std::vector<std::string>{"b"});
    cancel(busy);
}

TEST_F(origin_test, limits_of_time_are_those_of_the_exchange_that_is_dialled_for) {
    const auto got = make_get();
    got->limits = {.resolve = 1s, .connect = 2s, .tls = 3s};
    pool_->submit(got, target("a"));
    EXPECT_EQ(dialer_.pending.front()->limits.resolve, 1s);
    EXPECT_EQ(dialer_.pending.front()->limits.connect, 2s);
    EXPECT_EQ(dialer_.pending.front()->limits.tls, 3s);
}

TEST_F(origin_test, only_equal_targets_share_connections) {
    EXPECT_EQ(fetch(), "0");
    auto context = transport::tls_context::make_client({});
    ASSERT_TRUE(context);
    auto other_port = target("a");
    other_port.port = 81;
    auto over_unix = target("a");
    over_unix.unix_path = "/somewhere";
    auto secure = target("a");
    secure.tls = *context;
    auto other_name = secure;
    other_name.server_name = "b";
    auto by_proxy = target("a");
    by_proxy.proxy = std::make_shared<const proxy>(*proxy::parse("http://p"));
    auto by_somebody_else = target("a");
    by_somebody_else.proxy = std::make_shared<const proxy>(*proxy::parse("http://user:password@p"));
    std::string connection = "1";
    for (const auto& to : {other_port, over_unix, secure, other_name, by_proxy, by_somebody_else}) {
        for (int twice = 0; twice < 2; ++twice) {
            const auto got = make_get();
            pool_->submit(got, to);
            if (!dialer_.pending.empty()) dialer_.connect();
            world_.settle();
            EXPECT_EQ(got->body, connection);
        }
        connection = std::to_string(std::stoi(connection) + 1);
    }
}

// --- Waiting ------------------------------------------------------------------------------------------------------------

TEST_F(origin_test, waiting_for_a_place_is_bounded_and_named) {
    make({.max_connections_per_host = 1});
    const auto busy = submit();
    dialer_.connect(0, false);
    const auto waits = submit("a", 2s);
    const auto waits_longer = submit();
    world_.pass(1900ms);
    EXPECT_FALSE(waits->over());
    world_.pass(200ms);
    ASSERT_TRUE(waits->failure);
    EXPECT_EQ(waits->failure->code, error_code::timed_out);
    EXPECT_EQ(waits->failure->where, phase::pool);
    EXPECT_EQ(waits->failure->whose, culprit::local);
    EXPECT_NE(waits->failure->message.find("a:80"), std::string::npos);
    EXPECT_NE(waits->failure->message.find("2000 ms"), std::string::npos);
    EXPECT_EQ(now(), (counts{.open = 1, .waiting = 1}));
    server_at(0).answer();
    server_at(0).automatic = true;
    world_.settle();
    EXPECT_TRUE(busy->succeeded() && waits_longer->succeeded());
}

TEST_F(origin_test, waiting_for_room_in_the_whole_pool_is_bounded_as_well) {
    make({.max_connections = 1});
    const auto busy = submit("a");
    dialer_.connect(0, false);
    const auto waits = make_get();
    waits->limits.pool = 1s;
    auto over_unix = target("");
    over_unix.unix_path = "/run/app.sock";
    pool_->submit(waits, over_unix);
    world_.pass(1100ms);
    EXPECT_EQ(waits->failure->where, phase::pool);
    EXPECT_NE(waits->failure->message.find("/run/app.sock"), std::string::npos);
    cancel(busy);
}

TEST_F(origin_test, a_slow_dial_is_not_waiting_for_a_place) {
    const auto got = submit("a", 1s);
    world_.pass(1min);
    EXPECT_FALSE(got->over());
    dialer_.connect();
    world_.settle();
    EXPECT_TRUE(got->succeeded());
}

TEST_F(origin_test, a_request_that_cannot_be_sent_does_not_stop_the_line) {
    make({.max_connections_per_host = 1});
    const auto first = submit();
    std::vector<recording_ptr> bad;
    for (int each = 0; each < 100; ++each) {
        bad.push_back(make_get("/not a target"));
        pool_->submit(bad.back(), target("a"));
    }
    const auto last = submit();
    dialer_.connect();
    world_.settle();
    for (const auto& each : bad) EXPECT_EQ(each->failure->whose, culprit::caller);
    EXPECT_TRUE(first->succeeded() && last->succeeded());
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
}

TEST_F(origin_test, ten_thousand_waiters_are_served_in_order_and_cancelled_in_any) {
    make({.max_connections_per_host = 2});
    std::vector<recording_ptr> all;
    for (int each = 0; each < 10'000; ++each) all.push_back(submit());
    EXPECT_EQ(now(), (counts{.dialling = 2, .waiting = 10'000}));
    for (std::size_t each = 0; each < all.size(); each += 2) cancel(all[each]);
    EXPECT_EQ(pool_->waiting(), 5000U);
    dialer_.connect();
    dialer_.connect();
    ASSERT_TRUE(world_.turn_until([&] { return pool_->waiting() == 0 && pool_->idle_connections() == 2; }));
    for (std::size_t each = 0; each < all.size(); ++each) EXPECT_EQ(all[each]->succeeded(), each % 2 == 1);
}

// --- HTTP/2 -------------------------------------------------------------------------------------------------------------

/// An origin that speaks HTTP/2 without TLS, so that what its connections share can be seen without certificates.
class http2_origin : public pool_test {
protected:
    struct far_end {
        explicit far_end(std::vector<nghttp2_settings_entry> settings) : machine(std::move(settings)) {}
        http2::testing::http2_server machine;
        std::set<std::int32_t> answered;
        connection::testing::peer wire;
    };

    recording_ptr ask(std::chrono::milliseconds pool_limit = 0ms) {
        auto made = make_get("/" + std::to_string(asked_++));
        made->limits.pool = pool_limit;
        pool_->submit(made, {.host = "a", .port = 80, .only_http2 = true});
        return made;
    }
    /// Lets the oldest dial succeed.
    far_end& connect(std::vector<nghttp2_settings_entry> settings = {}) {
        auto pair = world_.pair();
        auto& dialled = *dialer_.pending.front();
        dialer_.pending.erase(dialer_.pending.begin());
        ends_.push_back(std::make_unique<far_end>(std::move(settings)));
        far_end& it = *ends_.back();
        it.wire.on_heard = [&it] {
            it.machine.receive(std::exchange(it.wire.heard, {}));
            it.wire.say(it.machine.output());
        };
        it.wire.connect(std::move(pair.second));
        dialled.observer.on_dialed(std::move(pair.first), {});
        world_.settle();
        return it;
    }
    void answer(far_end& of) {
        for (const auto id : of.machine.ids()) {
            if (of.answered.insert(id).second) of.machine.answer(id, {{":status", "200"}}, "body");
        }
        of.wire.say(of.machine.output());
        world_.settle();
    }
    static std::size_t succeeded(const std::vector<recording_ptr>& all) {
        return static_cast<std::size_t>(std::ranges::count_if(all, [](const auto& each) { return each->succeeded(); }));
    }
    std::vector<recording_ptr> burst(int count) {
        std::vector<recording_ptr> all;
        while (count-- > 0) all.push_back(ask());
        return all;
    }
    void TearDown() override {
        pool_->close();
        world_.settle();
        ends_.clear();
        pool_test::TearDown();
    }

    std::vector<std::unique_ptr<far_end>> ends_;
    int asked_ = 0;
};

TEST_F(http2_origin, a_burst_dials_once_and_shares_the_connection) {
    make({});
    const auto all = burst(50);
    EXPECT_EQ(now(), (counts{.dialling = 1, .waiting = 50}));
    far_end& end = connect();
    EXPECT_EQ(now(), (counts{.open = 1}));
    answer(end);
    EXPECT_EQ(succeeded(all), 50U);
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
    const auto next = ask();
    world_.settle();
    answer(end);
    EXPECT_TRUE(next->succeeded());
    EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(http2_origin, more_than_a_connection_takes_dial_for_the_rest_and_no_further_than_the_limits) {
    make({.max_connections_per_host = 2});
    const auto first = ask();
    far_end& end = connect({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 3}});
    answer(end);
    EXPECT_TRUE(first->succeeded());
    const auto all = burst(10);
    EXPECT_EQ(now(), (counts{.open = 1, .dialling = 1, .waiting = 7}));
    far_end& second = connect({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 3}});
    EXPECT_EQ(now(), (counts{.open = 2, .waiting = 4})) << "a new connection is taken to be like the last";
    for (int round = 0; round < 4; ++round) answer(end), answer(second);
    EXPECT_EQ(succeeded(all), 10U);
    EXPECT_EQ(now(), (counts{.open = 2, .idle = 2}));
}

TEST_F(http2_origin, a_failed_dial_fails_all_for_whom_it_went_ahead) {
    make({});
    const auto all = burst(5);
    dialer_.fail();
    for (const auto& each : all) {
        ASSERT_TRUE(each->failure);
        EXPECT_EQ(each->failure->code, error_code::connection_refused);
    }
    EXPECT_EQ(now(), counts{});
}

TEST_F(http2_origin, those_who_lost_their_connection_are_all_served_by_one_new_one) {
    make({});
    auto all = burst(5);
    connect();
    for (auto& each : all)
        each->in_end = [this, &each] {
            if (!each->failure) return;
            each = make_get("/again");
            each->wants_new_connection = true;
            pool_->submit(each, {.host = "a", .port = 80, .only_http2 = true});
        };
    ends_.front()->wire.hang_up();
    world_.settle();
    EXPECT_EQ(now(), (counts{.dialling = 1, .waiting = 5}));
    answer(connect());
    EXPECT_EQ(succeeded(all), 5U);
}

TEST_F(http2_origin, a_connection_whose_server_goes_away_serves_nobody_new) {
    make({});
    const auto old = ask();
    far_end& end = connect();
    end.machine.go_away(1);
    end.wire.say(end.machine.output());
    world_.settle();
    const auto fresh = ask();
    EXPECT_EQ(now(), (counts{.open = 1, .dialling = 1, .waiting = 1}));
    answer(connect());
    EXPECT_TRUE(fresh->succeeded());
    answer(end);
    EXPECT_TRUE(old->succeeded());
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
}

TEST_F(http2_origin, an_idle_connection_times_out_and_one_at_work_does_not) {
    make({.idle_timeout = 1s});
    const auto slow = ask();
    far_end& end = connect();
    world_.pass(10s);
    EXPECT_EQ(now(), (counts{.open = 1}));
    answer(end);
    EXPECT_EQ(now(), (counts{.open = 1, .idle = 1}));
    world_.pass(2s);
    EXPECT_EQ(now(), counts{});
}

}  // namespace
}  // namespace pabal::pool
