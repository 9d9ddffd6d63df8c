#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "reactor/descriptor.hpp"
#include "reactor/reactor.hpp"
#include "reactor/simulated_poller.hpp"

namespace pabal::reactor {
namespace {

using namespace std::chrono_literals;

struct socket_pair {
    socket_pair() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
        ours = descriptor(ends[0]);
        theirs = descriptor(ends[1]);
        make_non_blocking(ours.get());
    }
    void send(std::string_view text) const { EXPECT_EQ(::write(theirs.get(), text.data(), text.size()), text.size()); }
    descriptor ours;
    descriptor theirs;
};

struct recording_watcher : io_watcher {
    void on_io(readiness now) override {
        events.push_back(now);
        if (then) then();
    }
    std::vector<readiness> events;
    std::function<void()> then;
};

struct recording_deferred : deferred {
    void run_deferred() override {
        ++runs;
        if (then) then();
    }
    int runs = 0;
    std::function<void()> then;
};

struct recording_timer : timer {
    void on_timer() override {
        ++fired;
        if (then) then();
    }
    int fired = 0;
    std::function<void()> then;
};

class every_poller : public testing::TestWithParam<const char*> {
protected:
    reactor reactor_{make_poller(GetParam()).value()};
    socket_pair pair_;
    recording_watcher watcher_;
};

INSTANTIATE_TEST_SUITE_P(reactor, every_poller, testing::Values("epoll", "poll"),
                         [](const auto& named) { return std::string(named.param); });

TEST_P(every_poller, reports_when_a_descriptor_becomes_readable_and_only_then) {
    ASSERT_TRUE(reactor_.watch(pair_.ours.get(), watcher_));
    reactor_.turn(0ms);  // writable from the start
    watcher_.events.clear();
    reactor_.turn(0ms);
    EXPECT_TRUE(watcher_.events.empty());
    pair_.send("a");
    reactor_.turn(1s);
    ASSERT_EQ(watcher_.events.size(), 1U);
    EXPECT_TRUE(watcher_.events[0].readable);
    EXPECT_FALSE(watcher_.events[0].hung_up);
    reactor_.turn(0ms);  // an edge, not a level
    EXPECT_EQ(watcher_.events.size(), 1U);
    std::array<char, 16> buffer;
    EXPECT_EQ(::read(pair_.ours.get(), buffer.data(), buffer.size()), 1);
    reactor_.rearm(pair_.ours.get(), true, false);
    reactor_.turn(0ms);
    EXPECT_EQ(watcher_.events.size(), 1U);
    pair_.send("b");
    reactor_.turn(1s);
    EXPECT_EQ(watcher_.events.size(), 2U);
    reactor_.unwatch(pair_.ours.get(), watcher_);
}

TEST_P(every_poller, reports_a_hang_up_once) {
    ASSERT_TRUE(reactor_.watch(pair_.ours.get(), watcher_));
    reactor_.turn(0ms);
    watcher_.events.clear();
    pair_.theirs.reset();
    reactor_.turn(1s);
    ASSERT_FALSE(watcher_.events.empty());
    EXPECT_TRUE(watcher_.events.back().readable);
    EXPECT_TRUE(watcher_.events.back().hung_up);
    const std::size_t seen = watcher_.events.size();
    for (int turn = 0; turn < 3; ++turn) reactor_.turn(0ms);
    EXPECT_LE(watcher_.events.size(), seen + 1);
    reactor_.unwatch(pair_.ours.get(), watcher_);
}

TEST_P(every_poller, an_event_of_this_turn_for_a_watcher_that_went_away_is_dropped) {
    socket_pair other;
    recording_watcher first;
    recording_watcher second;
    ASSERT_TRUE(reactor_.watch(pair_.ours.get(), first));
    ASSERT_TRUE(reactor_.watch(other.ours.get(), second));
    const auto unwatch_both = [&] {
        reactor_.unwatch(pair_.ours.get(), first);
        reactor_.unwatch(other.ours.get(), second);
    };
    first.then = second.then = unwatch_both;
    reactor_.turn(1s);
    EXPECT_EQ(first.events.size() + second.events.size(), 1U);
}

TEST_P(every_poller, serves_more_descriptors_than_fit_in_a_turn) {
    constexpr std::size_t many = 400;
    std::vector<socket_pair> pairs(many);
    std::vector<recording_watcher> watchers(many);
    for (std::size_t index = 0; index < many; ++index) {
        ASSERT_TRUE(reactor_.watch(pairs[index].ours.get(), watchers[index]));
        pairs[index].send("x");
    }
    for (int turn = 0; turn < 4; ++turn) reactor_.turn(0ms);
    for (std::size_t index = 0; index < many; ++index) {
        ASSERT_FALSE(watchers[index].events.empty()) << index;
        EXPECT_TRUE(watchers[index].events.back().readable);
        reactor_.unwatch(pairs[index].ours.get(), watchers[index]);
    }
}

TEST_P(every_poller, waits_no_longer_than_the_next_timer) {
    recording_timer timer;
    reactor_.refresh_now();
    const auto before = clock::now();
    reactor_.set_timer_in(timer, 20ms);
    while (timer.fired == 0) reactor_.turn(std::nullopt);
    EXPECT_GE(clock::now() - before, 20ms);
    EXPECT_LT(clock::now() - before, 2s);
}

TEST_P(every_poller, wake_from_another_thread_ends_the_wait) {
    std::thread other([&] {
        std::this_thread::sleep_for(20ms);
        reactor_.wake();
    });
    reactor_.turn(10s);
    other.join();
    reactor_.wake();  // also when nobody waits yet
    const auto before = clock::now();
    reactor_.turn(10s);
    EXPECT_LT(clock::now() - before, 5s);
}

TEST_P(every_poller, runs_posted_work_in_order_in_the_turning_thread) {
    std::vector<int> ran;
    std::thread other([&] {
        for (int number = 0; number < 100; ++number) reactor_.post([&ran, number] { ran.push_back(number); });
    });
    while (ran.size() < 100) reactor_.turn(10s);
    other.join();
    for (int number = 0; number < 100; ++number) EXPECT_EQ(ran[static_cast<std::size_t>(number)], number);
}

TEST_P(every_poller, deferred_work_runs_once_at_the_end_of_the_turn_and_cannot_starve_it) {
    recording_deferred work;
    work.then = [&] { reactor_.defer(work); };
    reactor_.defer(work);
    reactor_.defer(work);
    reactor_.turn(10s);  // does not wait, as work is there
    EXPECT_EQ(work.runs, 1);
    reactor_.turn(10s);
    EXPECT_EQ(work.runs, 2);
    recording_deferred forgotten;
    {
        recording_deferred destroyed;
        reactor_.defer(destroyed);
    }
    reactor_.turn(0ms);
    EXPECT_EQ(forgotten.runs, 0);
}

TEST_P(every_poller, retired_objects_die_after_the_turns_work) {
    std::vector<std::string> order;
    struct noisy {
        explicit noisy(std::vector<std::string>& log) : order(log) {}
        ~noisy() { order.emplace_back("freed"); }
        std::vector<std::string>& order;
    };
    recording_deferred work;
    work.then = [&] { order.emplace_back("deferred"); };
    reactor_.retire(std::make_unique<noisy>(order));
    reactor_.defer(work);
    EXPECT_TRUE(order.empty());
    reactor_.turn(0ms);
    EXPECT_EQ(order, (std::vector<std::string>{"deferred", "freed"}));
}

TEST_P(every_poller, a_thread_may_set_an_earlier_timer_while_another_waits) {
    std::mutex mutex;
    recording_timer timer;
    std::atomic<bool> waiting = false;
    const auto before = clock::now();
    std::thread leader([&] {
        std::unique_lock lock(mutex);
        waiting = true;
        while (timer.fired == 0) reactor_.turn(30s, lock);
    });
    while (!waiting) std::this_thread::yield();
    {
        const std::unique_lock lock(mutex);  // held by the leader until it waits
        reactor_.refresh_now();
        reactor_.set_timer_in(timer, 5ms);
    }
    leader.join();
    EXPECT_EQ(timer.fired, 1);
    EXPECT_LT(clock::now() - before, 10s);
}

TEST_P(every_poller, a_thread_may_watch_defer_and_unwatch_while_another_waits) {
    std::mutex mutex;
    bool done = false;
    std::thread leader([&] {
        std::unique_lock lock(mutex);
        while (!done) reactor_.turn(30s, lock);
    });
    for (int round = 0; round < 200; ++round) {
        auto watcher = std::make_unique<recording_watcher>();
        socket_pair pair;
        recording_deferred work;
        {
            const std::unique_lock lock(mutex);
            ASSERT_TRUE(reactor_.watch(pair.ours.get(), *watcher));
            reactor_.defer(work);
        }
        pair.send("x");
        if (round % 2 == 0) {
            for (bool seen = false; !seen;) {
                const std::unique_lock lock(mutex);
                seen = !watcher->events.empty() && watcher->events.back().readable && work.runs == 1;
            }
        }
        const std::unique_lock lock(mutex);
        reactor_.unwatch(pair.ours.get(), *watcher);
        watcher.reset();
        work.unlink();
    }
    {
        const std::unique_lock lock(mutex);
        done = true;
        reactor_.wake();
    }
    leader.join();
}

bool is_readable(int descriptor, std::chrono::milliseconds within) {
    pollfd asked{.fd = descriptor, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, static_cast<int>(within.count())) == 1;
}

TEST(reactor_with_a_host_loop, its_descriptor_becomes_readable_for_input_timers_and_posted_work) {
    reactor reactor(make_poller("epoll").value());
    const int hosted = reactor.descriptor();
    ASSERT_GE(hosted, 0);
    reactor.turn(0ms);
    reactor.arm_host_alarm();
    EXPECT_FALSE(is_readable(hosted, 0ms));

    recording_timer timer;
    reactor.refresh_now();
    reactor.set_timer_in(timer, 10ms);
    reactor.arm_host_alarm();
    ASSERT_TRUE(is_readable(hosted, 5000ms));
    while (timer.fired == 0) reactor.turn(0ms);
    EXPECT_FALSE(is_readable(hosted, 0ms));

    bool posted = false;
    reactor.post([&] { posted = true; });
    EXPECT_TRUE(is_readable(hosted, 0ms));
    reactor.turn(0ms);
    EXPECT_TRUE(posted);
    EXPECT_FALSE(is_readable(hosted, 0ms));

    recording_deferred work;
    reactor.defer(work);
    reactor.arm_host_alarm();
    EXPECT_TRUE(is_readable(hosted, 1000ms));
    reactor.turn(0ms);
    EXPECT_EQ(work.runs, 1);
}

TEST(reactor_with_a_host_loop, finishes_a_turn_with_what_was_begun_after_it) {
    reactor reactor(make_poller("epoll").value());
    reactor.turn(0ms);
    EXPECT_FALSE(reactor.finish_turn());
    recording_deferred work;
    reactor.defer(work);
    EXPECT_TRUE(reactor.finish_turn());
    EXPECT_EQ(work.runs, 1);
    reactor.arm_host_alarm();
    EXPECT_FALSE(is_readable(reactor.descriptor(), 0ms));
}

TEST(reactor_with_a_host_loop, an_alarm_for_a_cancelled_timer_rings_once_at_most) {
    reactor reactor(make_poller("epoll").value());
    recording_timer cancelled;
    recording_timer later;
    reactor.set_timer_in(later, 60ms);
    reactor.set_timer_in(cancelled, 5ms);
    reactor.arm_host_alarm();
    cancelled.cancel();
    int rings = 0;
    while (later.fired == 0) {
        ASSERT_TRUE(is_readable(reactor.descriptor(), 5000ms));
        reactor.turn(0ms);
        reactor.arm_host_alarm();
        ++rings;
    }
    EXPECT_LE(rings, 3);
}

TEST(make_poller, knows_its_names) {
    EXPECT_EQ(make_poller("epoll").value()->name(), "epoll");
    EXPECT_EQ(make_poller("poll").value()->name(), "poll");
    const auto unknown = make_poller("kqueue64");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, error_code::unsupported);
}

TEST(simulated_poller, passes_hours_at_once_and_says_when_nothing_is_left) {
    auto owned = std::make_unique<simulated_poller>();
    simulated_poller& poller = *owned;
    reactor reactor(std::move(owned));
    const auto before = reactor.now();
    recording_timer timer;
    reactor.set_timer_in(timer, 5h);
    while (!poller.idle()) reactor.turn(std::nullopt);
    EXPECT_EQ(timer.fired, 1);
    EXPECT_EQ(reactor.now() - before, 5h);
}

}  // namespace
}  // namespace pabal::reactor
