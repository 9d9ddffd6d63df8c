#include <string>
#include <vector>

#include "client/call_support.hpp"
#include "client/rate_limit.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using testing::failure_of;
using testing::redirect_to;
using testing::scripted_answer;
using testing::seen_request;
using testing::to;

constexpr rate_limiter::time_point start_time{1000s};

/// When each of `count` requests that all want to go at once may go.
std::vector<nanoseconds> times(rate_limiter& limiter, int count, nanoseconds begin = 0ns) {
    std::vector<nanoseconds> out;
    nanoseconds now = begin;
    while (std::ssize(out) < count) {
        const nanoseconds wait = limiter.reserve(start_time + now);
        if (wait == 0ns) out.push_back(now);
        now += wait;
    }
    return out;
}

using list = std::vector<nanoseconds>;

TEST(token_bucket, lets_a_burst_go_and_then_its_rate) {
    token_bucket limiter(10, 3);
    EXPECT_EQ(times(limiter, 6), (list{0ns, 0ns, 0ns, 100ms, 200ms, 300ms}));
    EXPECT_EQ(times(limiter, 2, 400ms), (list{400ms, 500ms}));
    EXPECT_EQ(times(limiter, 4, 1h), (list{1h, 1h, 1h, 1h + 100ms})) << "what is saved is bounded by the burst";
}

TEST(token_bucket, fills_gradually) {
    token_bucket limiter(10, 3);
    times(limiter, 3);
    EXPECT_EQ(times(limiter, 3, 200ms), (list{200ms, 200ms, 300ms}));
}

TEST(leaky_bucket, spaces_evenly) {
    leaky_bucket limiter(4, 10);
    EXPECT_EQ(times(limiter, 4), (list{0ns, 250ms, 500ms, 750ms}));
    EXPECT_EQ(times(limiter, 2, 10s), (list{10s, 10s + 250ms}));
    EXPECT_EQ(limiter.max_waiting(), 10U);
}

TEST(limiters, asking_in_vain_takes_nothing) {
    token_bucket limiter(1, 1);
    EXPECT_EQ(limiter.reserve(start_time), 0ns);
    for (int asked = 0; asked < 100; ++asked) EXPECT_EQ(limiter.reserve(start_time + 400ms), 600ms);
    EXPECT_EQ(limiter.reserve(start_time + 1s), 0ns);
}

TEST(limiters, reach_rates_that_timers_cannot) {
    leaky_bucket limiter(10'000, 10);
    int gone = 0;
    for (nanoseconds now = 0ns; now < 1s; now += 1ms) {
        while (limiter.reserve(start_time + now) == 0ns) ++gone;
    }
    EXPECT_GE(gone, 9'990);
    EXPECT_LE(gone, 10'030);
}

TEST(limiters, extremes_do_not_overflow) {
    for (const double rate : {1e-12, 1e12}) {
        token_bucket limiter(rate, std::size_t{1} << 62U);
        EXPECT_EQ(limiter.reserve(start_time), 0ns);
        leaky_bucket narrow(rate, 1);
        EXPECT_EQ(narrow.reserve(start_time), 0ns);
        EXPECT_GE(narrow.reserve(start_time), 0ns);
    }
}

// --- Carried out by calls -----------------------------------------------------------------------------------------------

class limited : public testing::calling {
protected:
    void limit(std::shared_ptr<rate_limiter> everywhere) {
        rate_limits made;
        made.everywhere = std::move(everywhere);
        world.session->rate_limits = std::make_shared<const rate_limits>(std::move(made));
    }
    std::vector<call_ptr> start_many(int count, const std::string& host = "a.example") {
        std::vector<call_ptr> out;
        for (int index = 0; index < count; ++index)
            out.push_back(start(to("http://" + host + "/" + std::to_string(index))));
        return out;
    }
    std::string targets() const {
        std::string out;
        for (const seen_request& each : world.handler.seen) out += each.head.target;
        return out;
    }
};

TEST_F(limited, first_come_first_served_at_the_rate) {
    limit(std::make_shared<token_bucket>(10, 2));
    const auto calls = start_many(6);
    world.run_for(50ms);
    EXPECT_EQ(targets(), "/0/1");
    world.run_for(100ms);
    EXPECT_EQ(targets(), "/0/1/2");
    world.run_for(400ms);
    EXPECT_EQ(targets(), "/0/1/2/3/4/5");
    for (const auto& each : calls) EXPECT_FALSE(each->failure());
}

TEST_F(limited, one_that_gives_up_leaves_its_turn_to_the_next) {
    limit(std::make_shared<leaky_bucket>(10, 10));
    auto calls = start_many(5);
    calls[1]->cancel();
    calls[3].reset();  // forgotten without a word
    world.run_for(120ms);
    EXPECT_EQ(targets(), "/0/2");
    world.run_for(120ms);
    EXPECT_EQ(targets(), "/0/2/4");
    world.run_for(1s);
    EXPECT_EQ(watcher.done, 3);
}

TEST_F(limited, the_queue_is_bounded) {
    limit(std::make_shared<leaky_bucket>(10, 2));
    const auto calls = start_many(5);
    EXPECT_FALSE(calls[2]->is_done());
    EXPECT_EQ(failure_of(*calls[3]), "rate_limited in pool by caller");
    EXPECT_EQ(failure_of(*calls[4]), "rate_limited in pool by caller");
    world.run_for(1s);
    EXPECT_EQ(targets(), "/0/1/2");
    EXPECT_FALSE(start(to("http://a.example/"))->failure());
    limit(std::make_shared<leaky_bucket>(10, 0));
    EXPECT_EQ(failure_of(*start_many(2)[1]), "rate_limited in pool by caller");
}

TEST_F(limited, waiting_counts_in_the_pool_phase) {
    limit(std::make_shared<leaky_bucket>(1, 10));
    send(to("http://a.example/"));
    auto hurried = to("http://a.example/");
    hurried.limits.pool = 500ms;
    EXPECT_EQ(failure_of(*send(hurried)), "timed_out in pool by caller");
    auto total = to("http://a.example/");
    total.limits.total = 100ms;
    EXPECT_EQ(failure_of(*send(total)), "timed_out in total by peer");
    EXPECT_EQ(world.handler.seen.size(), 1U);
    EXPECT_FALSE(send(to("http://a.example/"))->failure());
}

TEST_F(limited, redirects_and_retries_count) {
    limit(std::make_shared<leaky_bucket>(1, 10));
    world.handler.answer = [this](const seen_request&) {
        if (world.handler.seen.size() == 1) return redirect_to(302, "/x");
        return scripted_answer{.status = world.handler.seen.size() == 2 ? 503 : 200};
    };
    const auto begun = world.clock->now();
    auto asked = to("http://a.example/");
    retry_policy policy;
    policy.backoff = 10ms;
    asked.retries = std::make_shared<const retry_policy>(policy);
    EXPECT_EQ(send(asked)->response().status, 200);
    EXPECT_GE(world.clock->now() - begun, 2s);
    EXPECT_LE(world.clock->now() - begun, 2100ms);
}

TEST_F(limited, by_place) {
    rate_limits made;
    made.somewhere.add(*origin_pattern::parse("a.example"), std::make_shared<leaky_bucket>(1, 100));
    world.session->rate_limits = std::make_shared<const rate_limits>(std::move(made));
    const auto slow = start_many(3), free = start_many(3, "b.example");
    world.run_for(100ms);
    EXPECT_EQ(world.handler.seen.size(), 4U);
    world.run_for(3s);
    EXPECT_EQ(world.handler.seen.size(), 6U);
}

TEST_F(limited, ends_with_its_session) {
    limit(std::make_shared<leaky_bucket>(1, 10));
    const auto calls = start_many(4);
    world.run_for(100ms);
    world.session->close();
    EXPECT_EQ(watcher.done, 4);
    EXPECT_EQ(failure_of(*calls[3]), "session_closed in pool by caller");
}

TEST_F(limited, ends_when_its_session_dies) {
    limit(std::make_shared<leaky_bucket>(1, 10));
    const auto calls = start_many(4);
    world.run_for(100ms);
    world.engine->pool().close();
    world.session.reset();
    EXPECT_EQ(failure_of(*calls[3]), "session_closed in pool by caller");
}

}  // namespace
}  // namespace pabal::client
