#pragma once
/// \file
/// Linux: epoll, edge-triggered. A descriptor is registered once, for everything; no system call per request afterwards.
///
/// A host event loop watches `descriptor()`, the epoll descriptor itself. As a host cannot be told a timeout, the next
/// deadline is put inside the set as a timerfd. It is moved only when a deadline comes before the one it is armed for; one
/// that fires too early is harmless. Timeouts that are set and cancelled, one per request, thus cost no system calls.

#include <array>
#include <atomic>

#include <sys/epoll.h>

#include "reactor/descriptor.hpp"
#include "reactor/poller.hpp"

namespace pabal::reactor {

class epoll_poller final : public poller {
public:
    static result<std::unique_ptr<poller>> make();

    result<void> add(int descriptor, io_watcher& watcher, interest wanted) override;
    void remove(int descriptor) override;
    void rearm(int, bool, bool) override {}
    std::size_t wait(std::optional<duration> limit, std::span<poll_event> events) override;
    void wake() override;
    int descriptor() const override { return set_.get(); }
    void set_host_alarm(std::optional<time_point> deadline) override;
    std::string_view name() const override { return "epoll"; }

private:
    epoll_poller() = default;
    result<void> add_own(int descriptor, void* mark);

    reactor::descriptor set_;
    reactor::descriptor waker_;
    reactor::descriptor alarm_;
    std::optional<time_point> alarm_armed_for_;
    std::atomic<bool> wake_sent_ = false;
    std::array<epoll_event, 256> ready_;
};

}  // namespace pabal::reactor
