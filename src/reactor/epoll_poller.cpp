#ifdef __linux__

#include "reactor/epoll_poller.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <sys/eventfd.h>
#include <sys/timerfd.h>

namespace pabal::reactor {

namespace {

/// epoll_wait counts in milliseconds; rounding up keeps timers from firing early and the loop from spinning.
int milliseconds_to_wait(std::optional<duration> limit) noexcept {
    if (!limit) return -1;
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*limit).count();
    return static_cast<int>(std::clamp<std::int64_t>(rounded, 0, std::numeric_limits<int>::max()));
}

readiness readiness_of(std::uint32_t events) noexcept {
    const bool hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    return {.readable = hung_up || (events & EPOLLIN) != 0,
            .writable = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
            .hung_up = hung_up};
}

timespec timespec_of(time_point time) noexcept {
    const auto since_boot = std::chrono::nanoseconds(time.time_since_epoch()).count();
    constexpr std::int64_t second = 1'000'000'000;
    return {.tv_sec = static_cast<time_t>(since_boot / second), .tv_nsec = static_cast<long>(since_boot % second)};
}

}  // namespace

result<std::unique_ptr<poller>> epoll_poller::make() {
    std::unique_ptr<epoll_poller> made(new epoll_poller);
    made->set_ = reactor::descriptor(::epoll_create1(EPOLL_CLOEXEC));
    if (!made->set_.is_open()) return error_from_errno(errno, phase::prepare, "create an epoll set");
    // A host loop remembers this number. Were it free again in a forked child, the next descriptor would be taken for it.
    made->set_.keep_in_children();
    made->waker_ = reactor::descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!made->waker_.is_open()) return error_from_errno(errno, phase::prepare, "create an eventfd");
    made->alarm_ = reactor::descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!made->alarm_.is_open()) return error_from_errno(errno, phase::prepare, "create a timerfd");
    // Edge-triggered, these two are never read: every write and every expiry is an edge of its own.
    if (auto added = made->add_own(made->waker_.get(), &made->waker_); !added) return std::move(added).error();
    if (auto added = made->add_own(made->alarm_.get(), &made->alarm_); !added) return std::move(added).error();
    return std::unique_ptr<poller>(std::move(made));
}

result<void> epoll_poller::add_own(int descriptor, void* mark) {
    epoll_event wanted{.events = EPOLLIN | EPOLLET, .data = {.ptr = mark}};
    if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, descriptor, &wanted) == 0) return {};
    return error_from_errno(errno, phase::prepare, "watch a descriptor");
}

result<void> epoll_poller::add(int descriptor, io_watcher& watcher, interest wanted) {
    epoll_event entry{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.ptr = &watcher}};
    if (wanted == interest::both) entry.events |= EPOLLOUT;
    if (::epoll_ctl(set_.get(), EPOLL_CTL_ADD, descriptor, &entry) == 0) return {};
    return error_from_errno(errno, phase::prepare, "watch a descriptor");
}

void epoll_poller::remove(int descriptor) {
    epoll_event ignored{};
    ::epoll_ctl(set_.get(), EPOLL_CTL_DEL, descriptor, &ignored);
}

std::size_t epoll_poller::wait(std::optional<duration> limit, std::span<poll_event> events) {
    const int room = static_cast<int>(std::min(ready_.size(), events.size()));
    const int ready = ::epoll_wait(set_.get(), ready_.data(), room, milliseconds_to_wait(limit));
    std::size_t count = 0;
    for (int index = 0; index < ready; ++index) {
        const epoll_event& event = ready_[static_cast<std::size_t>(index)];
        if (event.data.ptr == &waker_) {
            wake_sent_.store(false, std::memory_order_release);
        } else if (event.data.ptr == &alarm_) {
            alarm_armed_for_.reset();
        } else {
            events[count++] = {static_cast<io_watcher*>(event.data.ptr), readiness_of(event.events)};
        }
    }
    return count;
}

void epoll_poller::wake() {
    if (wake_sent_.exchange(true, std::memory_order_acq_rel)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(waker_.get(), &one, sizeof one);
}

void epoll_poller::set_host_alarm(std::optional<time_point> deadline) {
    if (!deadline || (alarm_armed_for_ && *alarm_armed_for_ <= *deadline)) return;
    const itimerspec when{.it_interval = {}, .it_value = timespec_of(*deadline)};
    if (::timerfd_settime(alarm_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0) alarm_armed_for_ = deadline;
}

}  // namespace pabal::reactor

#endif
