#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <sys/wait.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/fork.hpp"

namespace pabal::base {
namespace {

/// What `work` says in a forked child.
bool child_says(const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work() ? 0 : 1);
    int status = -1;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(fork, an_object_knows_that_it_was_inherited) {
    const birthplace here;
    EXPECT_FALSE(here.is_elsewhere());
    EXPECT_TRUE(child_says([&] {
        const birthplace in_child;
        return here.is_elsewhere() && !in_child.is_elsewhere() &&
               child_says([&] { return here.is_elsewhere() && in_child.is_elsewhere(); });
    }));
    EXPECT_FALSE(here.is_elsewhere());
}

TEST(fork, finds_nothing_half_changed) {
    std::mutex mutex;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int each = 0; each < 3; ++each) {
        threads.emplace_back([&] {
            while (!stop) {
                const no_fork whole;
                const no_fork nested;
                const std::lock_guard guard(mutex);
                ++first;
                std::this_thread::yield();
                ++second;
            }
        });
    }
    for (int each = 0; each < 50; ++each) {
        EXPECT_TRUE(child_says([&] {
            const no_fork whole;
            return mutex.try_lock() && first == second;
        }));
    }
    stop = true;
    for (std::thread& each : threads) each.join();
}

TEST(fork, does_not_wait_for_its_own_thread) {
    const no_fork whole;
    EXPECT_TRUE(child_says([] { return no_fork::is_held(); }));
}

TEST(fork, what_is_abandoned_is_not_destroyed) {
    struct witness {
        bool& destroyed;
        ~witness() { destroyed = true; }
    };
    bool destroyed = false;
    alignas(witness) std::byte storage[sizeof(witness)];
    struct leave_memory {
        void operator()(witness* it) const { it->~witness(); }
    };
    std::unique_ptr<witness, leave_memory> owner(new (storage) witness{destroyed});
    abandon(owner);
    EXPECT_FALSE(owner);
    EXPECT_FALSE(destroyed);
}

}  // namespace
}  // namespace pabal::base
