#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "reactor/timer_wheel.hpp"

namespace pabal::reactor {
namespace {

using namespace std::chrono_literals;
using time_point = timer_wheel::time_point;

const time_point start = time_point() + 1000s;

struct counting_timer : timer {
    void on_timer() override { ++fired; }
    int fired = 0;
};

TEST(timer_wheel, fires_at_the_deadline_and_not_before) {
    for (const auto after : std::initializer_list<std::chrono::milliseconds>{
             1ms, 255ms, 256ms, 257ms, 65'535ms, 65'536ms, 65'537ms, 10min, 5h, 24h * 20, 24h * 48}) {
        timer_wheel wheel(start);
        counting_timer timer;
        wheel.set(timer, start + after);
        wheel.advance(start + after - 1ms);
        EXPECT_EQ(timer.fired, 0) << after.count();
        wheel.advance(start + after);
        EXPECT_EQ(timer.fired, 1) << after.count();
        EXPECT_FALSE(timer.is_set());
    }
}

TEST(timer_wheel, rounds_up_to_the_tick) {
    timer_wheel wheel(start);
    counting_timer timer;
    wheel.set(timer, start + 1500us);
    wheel.advance(start + 1999us);
    EXPECT_EQ(timer.fired, 0);
    wheel.advance(start + 2ms);
    EXPECT_EQ(timer.fired, 1);
}

TEST(timer_wheel, a_deadline_in_the_past_fires_at_the_next_tick) {
    timer_wheel wheel(start);
    counting_timer timer;
    wheel.advance(start + 10s);
    wheel.set(timer, start);
    wheel.advance(start + 10s + 1ms);
    EXPECT_EQ(timer.fired, 1);
}

TEST(timer_wheel, a_deadline_beyond_the_wheel_is_clamped_to_its_end) {
    timer_wheel wheel(start);
    counting_timer timer;
    wheel.set(timer, start + 24h * 365);
    wheel.advance(start + 24h * 49);
    EXPECT_EQ(timer.fired, 0);
    wheel.advance(start + 24h * 50);
    EXPECT_EQ(timer.fired, 1);
}

TEST(timer_wheel, setting_a_set_timer_moves_it) {
    timer_wheel wheel(start);
    counting_timer timer;
    wheel.set(timer, start + 5ms);
    wheel.set(timer, start + 500ms);
    wheel.advance(start + 499ms);
    EXPECT_EQ(timer.fired, 0);
    wheel.advance(start + 500ms);
    EXPECT_EQ(timer.fired, 1);
}

TEST(timer_wheel, a_cancelled_or_destroyed_timer_does_not_fire) {
    timer_wheel wheel(start);
    counting_timer cancelled;
    wheel.set(cancelled, start + 5ms);
    cancelled.cancel();
    {
        counting_timer destroyed;
        wheel.set(destroyed, start + 5ms);
    }
    wheel.advance(start + 1s);
    EXPECT_EQ(cancelled.fired, 0);
}

TEST(timer_wheel, a_timer_may_cancel_one_that_is_due_in_the_same_tick) {
    struct cancelling : timer {
        void on_timer() override { other->cancel(); }
        timer* other = nullptr;
    };
    timer_wheel wheel(start);
    cancelling first;
    counting_timer second;
    first.other = &second;
    wheel.set(first, start + 5ms);
    wheel.set(second, start + 5ms);
    wheel.advance(start + 5ms);
    EXPECT_EQ(second.fired, 0);
}

TEST(timer_wheel, a_timer_that_sets_itself_again_fires_once_for_each_advance) {
    struct repeating : timer {
        explicit repeating(timer_wheel& owner) : wheel(owner) {}
        void on_timer() override { ++fired, wheel.set(*this, start); }
        timer_wheel& wheel;
        int fired = 0;
    };
    timer_wheel wheel(start);
    repeating timer(wheel);
    wheel.set(timer, start);
    wheel.advance(start + 10s);
    EXPECT_EQ(timer.fired, 1);
    wheel.advance(start + 20s);
    EXPECT_EQ(timer.fired, 2);
}

TEST(timer_wheel, next_due_is_exact_when_near_and_never_late) {
    timer_wheel wheel(start);
    EXPECT_EQ(wheel.next_due(), std::nullopt);
    counting_timer near;
    counting_timer far;
    wheel.set(far, start + 10s);
    ASSERT_TRUE(wheel.next_due());
    EXPECT_LE(*wheel.next_due(), start + 10s);
    EXPECT_GT(*wheel.next_due(), start + 9s);
    wheel.set(near, start + 17ms);
    EXPECT_EQ(wheel.next_due(), start + 17ms);
    near.cancel();
    far.cancel();
    EXPECT_EQ(wheel.next_due(), std::nullopt);
}

TEST(timer_wheel, keeps_time_past_the_wrap_of_every_wheel) {
    timer_wheel wheel(start);
    counting_timer timer;
    auto now = start;
    for (int round = 1; round <= 100; ++round) {  // 100 x 40 days: the 32 bits wrap around 81 times
        wheel.set(timer, now + 24h * 40);
        wheel.advance(now + 24h * 40 - 1ms);
        EXPECT_EQ(timer.fired, round - 1);
        now += 24h * 40;
        wheel.advance(now);
        EXPECT_EQ(timer.fired, round);
    }
}

/// The wheel against a sorted map, by the same random operations.
TEST(timer_wheel, agrees_with_a_sorted_map) {
    struct recording : timer {
        void on_timer() override { fired->push_back(number); }
        std::vector<int>* fired = nullptr;
        int number = 0;
    };
    for (const unsigned seed : {1U, 2U, 3U, 4U, 5U}) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        timer_wheel wheel(start);
        std::vector<int> fired;
        std::vector<recording> timers(200);
        std::map<int, time_point> expected;
        auto now = start;
        for (int number = 0; number < 200; ++number) {
            timers[static_cast<std::size_t>(number)].fired = &fired;
            timers[static_cast<std::size_t>(number)].number = number;
        }
        for (int operation = 0; operation < 20'000; ++operation) {
            const auto number = static_cast<int>(random() % timers.size());
            recording& timer = timers[static_cast<std::size_t>(number)];
            const auto scale = random() % 30;
            switch (random() % 4) {
            case 0:
            case 1: {
                const auto deadline = now + std::chrono::milliseconds(1 + random() % (1ULL << scale));
                wheel.set(timer, deadline);
                expected[number] = deadline;
                break;
            }
            case 2:
                timer.cancel();
                expected.erase(number);
                break;
            case 3: {
                now += std::chrono::milliseconds(random() % (1ULL << (scale / 2)));
                if (const auto due = wheel.next_due(); due && !expected.empty()) {
                    const auto first = std::ranges::min_element(expected, {}, [](auto& entry) { return entry.second; });
                    ASSERT_LE(*due, first->second);
                }
                fired.clear();
                wheel.advance(now);
                std::vector<int> due;
                std::erase_if(expected, [&](auto& entry) {
                    if (entry.second > now) return false;
                    due.push_back(entry.first);
                    return true;
                });
                std::ranges::sort(due);
                std::ranges::sort(fired);
                ASSERT_EQ(fired, due);
                break;
            }
            }
        }
    }
}

}  // namespace
}  // namespace pabal::reactor
