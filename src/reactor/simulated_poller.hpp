#pragma once
/// \file
/// A poller without an operating system: time stands still until somebody waits, and then jumps. A reactor over it runs
/// hours of timeouts in microseconds, the same way every time; with memory transports that makes a seeded simulation.

#include "reactor/poller.hpp"

namespace pabal::reactor {

class simulated_poller final : public poller {
public:
    /// Descriptors cannot be watched: fails with `unsupported`.
    result<void> add(int descriptor, io_watcher& watcher, interest wanted) override;
    void remove(int) override {}
    void rearm(int, bool, bool) override {}
    /// Advances the clock by `limit`. Without a limit nothing could ever happen: returns at once and sets `idle`.
    std::size_t wait(std::optional<duration> limit, std::span<poll_event> events) override;
    void wake() override {}
    time_point now() const override { return now_; }
    int descriptor() const override { return -1; }
    void set_host_alarm(std::optional<time_point>) override {}
    std::string_view name() const override { return "simulated"; }

    /// The last wait was one for ever: no timer was set and no work deferred, so the simulation has come to rest.
    bool idle() const noexcept { return idle_; }
    /// Passes time outside a wait, as slow code would.
    void advance(duration by) noexcept { now_ += by; }

private:
    time_point now_{std::chrono::hours(1)};
    bool idle_ = false;
};

}  // namespace pabal::reactor
