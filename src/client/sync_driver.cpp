#include "client/sync_driver.hpp"

namespace pabal::client {

namespace {

/// How long a thread sleeps at most before it looks whether it was interrupted (a signal reaches one thread only).
constexpr std::chrono::milliseconds interruption_interval{100};

}  // namespace

void sync_driver::wait_for(sync_wait& wait, std::unique_lock<std::mutex>& lock,
                           const std::function<bool()>& interrupted) {
    const auto stop = [&] {
        lock.unlock();
        const bool stopping = interrupted();
        lock.lock();
        return stopping;
    };
    while (!wait.is_ready()) {
        if (!led_) {
            led_ = true;
            engine_.reactor().turn(interruption_interval, lock);
            led_ = false;
        } else {
            followers_.push_back(wait);
            wait.wakes_.wait_for(lock, interruption_interval);
            static_cast<base::list_hook<>&>(wait).unlink();
        }
        if (!wait.is_ready() && interrupted && stop()) break;
    }
    // Somebody has to lead the others.
    if (!led_ && !followers_.empty()) followers_.front().wakes_.notify_one();
}

}  // namespace pabal::client
