#pragma once
/// \file
/// Drives an engine by the threads that wait for it: the blocking API.
///
/// One of the waiting threads leads: it runs the reactor's turns for all. The others sleep until their own call is done or
/// the leader, done itself, hands over. The lock guards the whole engine; the leader gives it up only while it waits for
/// the operating system, so that other threads can start calls meanwhile.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include "base/intrusive_list.hpp"
#include "client/engine.hpp"

namespace pabal::client {

/// One thread's wait. Whoever makes it ready (under the lock) calls `set_ready`.
class sync_wait : public base::list_hook<> {
public:
    void set_ready() {
        ready_ = true;
        wakes_.notify_one();
    }
    void reset() noexcept { ready_ = false; }
    bool is_ready() const noexcept { return ready_; }

private:
    friend class sync_driver;
    bool ready_ = false;
    std::condition_variable wakes_;
};

class sync_driver {
public:
    explicit sync_driver(engine& driven) noexcept : engine_(driven) {}

    std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

    /// After the engine's pool was closed, under the lock: closes the descriptors now, or has the leading thread do it.
    void release_closed() {
        if (led_) engine_.reactor().wake();
        else engine_.reactor().free_retired();
    }

    /// Before a call starts, under the lock: hears what peers did to idle connections while no thread drove the engine, so that
    /// none that was closed, or on which somebody spoke out of turn, is used again.
    void catch_up() {
        if (!led_ && engine_.pool().idle_connections() > 0) engine_.reactor().turn(reactor::duration::zero());
    }

    /// Returns when `wait` is ready. `interrupted` is asked, without the lock, whenever something happened that was not
    /// for this thread, and at least every tenth of a second; true ends the wait early.
    void wait_for(sync_wait& wait, std::unique_lock<std::mutex>& lock, const std::function<bool()>& interrupted);

private:
    engine& engine_;
    std::mutex mutex_;
    bool led_ = false;
    base::intrusive_list<sync_wait> followers_;
};

}  // namespace pabal::client
