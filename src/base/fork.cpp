#include "base/fork.hpp"

#include <chrono>
#include <mutex>
#include <thread>

#include <pthread.h>

namespace pabal::base {

namespace {

constexpr std::chrono::microseconds look_again{50};

constinit std::atomic<std::uint64_t> generation{0};
constinit std::atomic<std::uint32_t> inside{0};  ///< threads that have a no_fork
constinit std::atomic<std::uint32_t> is_forking{0};
constinit std::mutex one_fork;

std::uint32_t own_share() noexcept { return no_fork::is_held() ? 1 : 0; }

void open_gate() noexcept {
    is_forking.store(0);
    is_forking.notify_all();
    one_fork.unlock();
}

void before_fork() {
    one_fork.lock();
    is_forking.store(1);
    while (inside.load() > own_share()) std::this_thread::sleep_for(look_again);
}

void after_fork_in_child() noexcept {
    generation.fetch_add(1);
    inside.store(own_share());  // others that came to the gate do not exist here
    open_gate();
}

[[maybe_unused]] const int registered = ::pthread_atfork(before_fork, open_gate, after_fork_in_child);

}  // namespace

constinit thread_local int no_fork::depth_ = 0;

std::uint64_t process_generation() noexcept { return generation.load(std::memory_order_relaxed); }

void no_fork::enter() noexcept {
    for (;;) {
        inside.fetch_add(1);
        if (is_forking.load() == 0) return;
        inside.fetch_sub(1);
        is_forking.wait(1);
    }
}

void no_fork::leave() noexcept { inside.fetch_sub(1); }

}  // namespace pabal::base
