#include <atomic>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

#include <pabal/session.hpp>

#include "client/sync_driver.hpp"
#include "support/simulated_network.hpp"
#include "transport/listener.hpp"

namespace pabal::client {
namespace {

using namespace std::chrono_literals;
using pabal::testing::scripted_answer;
using pabal::testing::scripted_handler;
using pabal::testing::seen_request;
using pabal::testing::simulated_server;

/// A server on 127.0.0.1 with a thread of its own. /delay/MS answers late, the rest at once with its target.
class loopback_server final : private transport::accept_observer {
public:
    loopback_server() {
        handler_.answer = [](const seen_request& asked) {
            scripted_answer answer{.body = asked.head.target};
            if (asked.head.target.starts_with("/delay/"))
                answer.delay = std::chrono::milliseconds(std::atoi(asked.head.target.c_str() + 7));
            return answer;
        };
        thread_ = std::thread([this] {
            while (!stopping_) reactor_.turn(std::nullopt);
        });
    }
    ~loopback_server() {
        stopping_ = true;
        reactor_.wake();
        thread_.join();
    }
    std::string url(std::string_view path) const {
        return "http://127.0.0.1:" + std::to_string(listener_->port()) + std::string(path);
    }

private:
    void on_accepted(transport::transport_ptr accepted) override { server_.accept(std::move(accepted)); }

    reactor::reactor reactor_{reactor::make_poller().value()};
    scripted_handler handler_{reactor_};
    simulated_server server_{reactor_, handler_};
    std::unique_ptr<transport::listener> listener_ = transport::listener::tcp(reactor_, "127.0.0.1", 0, *this).value();
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

/// Each test runs over each poller of the system.
class driving : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        if (const char* set = std::getenv("PABAL_POLLER")) before_ = set;
        ::setenv("PABAL_POLLER", GetParam(), 1);
        engine_ = engine::make({}).value();
        driver_ = std::make_unique<sync_driver>(*engine_);
        ASSERT_EQ(engine_->reactor().poller_name(), GetParam());
    }
    void TearDown() override {
        before_.empty() ? ::unsetenv("PABAL_POLLER") : ::setenv("PABAL_POLLER", before_.c_str(), 1);
    }

    /// Becomes ready after a while, by a timer of the engine's reactor.
    struct timed_wait : sync_wait {
        void on_expired() { set_ready(); }
        reactor::member_timer<timed_wait, &timed_wait::on_expired> timer{*this};
    };
    void sleep_for(std::chrono::milliseconds time) {
        timed_wait wait;
        auto lock = driver_->lock();
        engine_->reactor().refresh_now();
        engine_->reactor().set_timer_in(wait.timer, time);
        driver_->wait_for(wait, lock, {});
        EXPECT_TRUE(wait.is_ready());
        EXPECT_TRUE(lock.owns_lock());
    }
    template <class Work>
    static void in_threads(int count, Work&& work) {
        std::vector<std::thread> threads;
        for (int index = 0; index < count; ++index) threads.emplace_back([&, index] { work(index); });
        for (std::thread& each : threads) each.join();
    }

    std::string before_;
    std::unique_ptr<engine> engine_;
    std::unique_ptr<sync_driver> driver_;
};

INSTANTIATE_TEST_SUITE_P(over, driving, ::testing::Values("epoll", "poll"),
                         [](const auto& which) { return which.param; });

TEST_P(driving, one_thread_leads_itself) {
    const auto began = reactor::clock::now();
    sleep_for(30ms);
    EXPECT_GE(reactor::clock::now() - began, 30ms);
    EXPECT_LT(reactor::clock::now() - began, 5s);
}

TEST_P(driving, what_is_ready_already_needs_no_turn) {
    sync_wait wait;
    auto lock = driver_->lock();
    wait.set_ready();
    driver_->wait_for(wait, lock, {});
    EXPECT_TRUE(lock.owns_lock());
    wait.reset();
    EXPECT_FALSE(wait.is_ready());
}

TEST_P(driving, a_leader_that_is_done_hands_over) {
    // Whoever leads is done first; every follower has to become the leader in turn.
    const auto began = reactor::clock::now();
    in_threads(8, [&](int index) { sleep_for(20ms * (index + 1)); });
    EXPECT_LT(reactor::clock::now() - began, 5s);
}

TEST_P(driving, a_follower_that_is_done_first_leaves_the_leader_alone) {
    std::atomic<bool> short_one_done = false;
    std::thread leader([&] {
        sleep_for(400ms);
        EXPECT_TRUE(short_one_done);
    });
    std::this_thread::sleep_for(20ms);
    sleep_for(20ms);
    short_one_done = true;
    leader.join();
}

TEST_P(driving, many_short_waits_of_many_threads_all_end) {
    std::atomic<int> done = 0;
    in_threads(8, [&](int index) {
        for (int turn = 0; turn < 50; ++turn) sleep_for(std::chrono::milliseconds((index * 7 + turn) % 5)), ++done;
    });
    EXPECT_EQ(done, 400);
}

TEST_P(driving, an_interruption_ends_the_wait_of_leader_and_follower) {
    for (const bool follows : {false, true}) {
        std::atomic<bool> other_done = false;
        std::thread other;
        if (follows) {
            other = std::thread([&] { sleep_for(600ms), other_done = true; });
            std::this_thread::sleep_for(20ms);
        }
        const auto began = reactor::clock::now();
        sync_wait wait;
        {
            auto lock = driver_->lock();
            driver_->wait_for(wait, lock, [&] { return reactor::clock::now() - began > 50ms; });
            EXPECT_TRUE(lock.owns_lock());
        }
        EXPECT_FALSE(wait.is_ready());
        EXPECT_LT(reactor::clock::now() - began, 500ms) << "looked at least every tenth of a second";
        EXPECT_FALSE(other_done);
        if (other.joinable()) other.join();
    }
}

TEST_P(driving, an_interrupted_leader_hands_over) {
    std::thread interrupted([&] {
        const auto began = reactor::clock::now();
        sync_wait never;
        auto lock = driver_->lock();
        driver_->wait_for(never, lock, [&] { return reactor::clock::now() - began > 50ms; });
    });
    std::this_thread::sleep_for(20ms);
    sleep_for(300ms);
    interrupted.join();
}

TEST_P(driving, the_interruption_is_asked_without_the_lock) {
    sync_wait wait;
    auto lock = driver_->lock();
    driver_->wait_for(wait, lock, [&] {
        const auto free = driver_->lock();  // would wait for ever
        wait.set_ready();
        return false;
    });
    EXPECT_TRUE(wait.is_ready());
}

// --- Calls of many threads over one session ---------------------------------------------------------------------------

TEST_P(driving, threads_share_a_session) {
    loopback_server server;
    for (const int threads : {1, 8}) {
        session_options options;
        options.limits.max_connections_per_host = 3;
        pabal::session shared(options);
        std::atomic<int> good = 0;
        in_threads(threads, [&](int index) {
            for (int turn = 0; turn < 40; ++turn) {
                const std::string path = "/" + std::to_string(index) + "/" + std::to_string(turn);
                const auto got = shared.get(server.url(path));
                if (got && got->body == path) ++good;
            }
        });
        EXPECT_EQ(good, threads * 40) << threads << " threads";
    }
}

TEST_P(driving, a_long_request_does_not_keep_short_ones_waiting) {
    loopback_server server;
    pabal::session shared;
    std::atomic<bool> long_done = false;
    std::thread slow([&] {
        EXPECT_TRUE(shared.get(server.url("/delay/1000")));
        long_done = true;
    });
    std::this_thread::sleep_for(50ms);  // it leads
    for (int turn = 0; turn < 20; ++turn) EXPECT_TRUE(shared.get(server.url("/short")));
    EXPECT_FALSE(long_done);
    slow.join();
}

TEST_P(driving, closing_ends_requests_of_other_threads) {
    loopback_server server;
    pabal::session shared;
    std::vector<std::string> failures(4);
    std::thread closer([&] {
        std::this_thread::sleep_for(100ms);
        shared.close();
    });
    in_threads(4, [&](int index) {
        const auto got = shared.get(server.url("/delay/30000"));
        failures[static_cast<std::size_t>(index)] = got ? "none" : std::string(name_of(got.error().code));
    });
    closer.join();
    EXPECT_EQ(failures, std::vector<std::string>(4, "session_closed"));
}

TEST_P(driving, the_end_of_a_session_waits_for_the_requests_it_ends) {
    loopback_server server;
    auto ending = std::make_unique<pabal::session>();
    std::vector<std::string> failures(4);
    std::vector<std::thread> threads;
    std::atomic<int> begun = 0;
    for (std::string& failure : failures) {
        threads.emplace_back([&] {
            pabal::session& shared = *ending;
            ++begun;
            const auto got = shared.get(server.url("/delay/30000"));
            failure = got ? "none" : std::string(name_of(got.error().code));
        });
    }
    while (begun < 4) std::this_thread::yield();
    std::this_thread::sleep_for(100ms);
    ending.reset();
    for (std::thread& each : threads) each.join();
    EXPECT_EQ(failures, std::vector<std::string>(4, "session_closed"));
}

}  // namespace
}  // namespace pabal::client
