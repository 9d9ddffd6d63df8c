#include "reactor/poll_poller.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace pabal::reactor {

namespace {

constexpr short both_directions = POLLIN | POLLOUT;
constexpr short reading = POLLIN;

int milliseconds_to_wait(std::optional<duration> limit) noexcept {
    if (!limit) return -1;
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(*limit).count();
    return static_cast<int>(std::clamp<std::int64_t>(rounded, 0, std::numeric_limits<int>::max()));
}

readiness readiness_of(short events) noexcept {
    const bool hung_up = (events & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    return {.readable = hung_up || (events & POLLIN) != 0,
            .writable = hung_up || (events & POLLOUT) != 0,
            .hung_up = hung_up};
}

}  // namespace

result<std::unique_ptr<poller>> poll_poller::make() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return error_from_errno(errno, phase::prepare, "create a pipe");
    std::unique_ptr<poll_poller> made(new poll_poller);
    made->waker_read_ = reactor::descriptor(ends[0]);
    made->waker_write_ = reactor::descriptor(ends[1]);
    if (!make_non_blocking(ends[0]) || !make_non_blocking(ends[1])) {
        return error_from_errno(errno, phase::prepare, "configure a pipe");
    }
    return std::unique_ptr<poller>(std::move(made));
}

result<void> poll_poller::add(int descriptor, io_watcher& watcher, interest wanted) {
    const std::lock_guard guard(mutex_);
    const auto index = static_cast<std::size_t>(descriptor);
    if (index >= registered_.size()) registered_.resize(index + 1);
    registered_[index] = {&watcher, next_generation_++, wanted == interest::both ? both_directions : reading, false};
    wake_if_waiting();
    return {};
}

void poll_poller::remove(int descriptor) {
    const std::lock_guard guard(mutex_);
    const auto index = static_cast<std::size_t>(descriptor);
    if (index < registered_.size()) registered_[index] = {};
    wake_if_waiting();
}

void poll_poller::rearm(int descriptor, bool read, bool write) {
    const std::lock_guard guard(mutex_);
    const auto index = static_cast<std::size_t>(descriptor);
    if (index >= registered_.size()) return;
    registration& changed = registered_[index];
    changed.awaited |= static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
    changed.hung_up = false;
    wake_if_waiting();
}

void poll_poller::wake() {
    const char byte = 0;
    [[maybe_unused]] const auto written = ::write(waker_write_.get(), &byte, 1);  // a full pipe wakes just as well
}

void poll_poller::wake_if_waiting() {
    if (waiting_) wake();
}

std::size_t poll_poller::wait(std::optional<duration> limit, std::span<poll_event> events) {
    {
        const std::lock_guard guard(mutex_);
        prepare_wait();
        waiting_ = true;
    }
    const int ready = ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), milliseconds_to_wait(limit));
    const std::lock_guard guard(mutex_);
    waiting_ = false;
    if (ready <= 0) return 0;
    if (polled_.front().revents != 0) empty_waker();
    return collect(events);
}

/// Lists what is awaited. The system writes into the list while other threads may register, so it is a copy.
void poll_poller::prepare_wait() {
    polled_.assign(1, {.fd = waker_read_.get(), .events = POLLIN, .revents = 0});
    generations_.assign(1, 0);
    for (std::size_t index = 0; index < registered_.size(); ++index) {
        const registration& wanted = registered_[index];
        if (!wanted.watcher || wanted.hung_up || wanted.awaited == 0) continue;
        polled_.push_back({.fd = static_cast<int>(index), .events = wanted.awaited, .revents = 0});
        generations_.push_back(wanted.generation);
    }
}

std::size_t poll_poller::collect(std::span<poll_event> events) {
    std::size_t count = 0;
    const std::size_t candidates = polled_.size() - 1;
    if (candidates == 0) return 0;
    first_to_collect_ %= candidates;
    for (std::size_t visited = 0; visited < candidates; ++visited) {
        const std::size_t index = 1 + (first_to_collect_ + visited) % candidates;
        if (polled_[index].revents == 0) continue;
        registration& reported = registered_[static_cast<std::size_t>(polled_[index].fd)];
        if (reported.generation != generations_[index]) continue;
        if (count == events.size()) {
            first_to_collect_ += visited;
            break;
        }
        events[count] = {reported.watcher, readiness_of(polled_[index].revents)};
        reported.awaited &= static_cast<short>(~polled_[index].revents);
        reported.hung_up = events[count].now.hung_up;
        ++count;
    }
    return count;
}

void poll_poller::empty_waker() {
    std::array<char, 256> discarded;
    // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): it is a pipe that does not block
    while (::read(waker_read_.get(), discarded.data(), discarded.size()) > 0) {}
}

}  // namespace pabal::reactor
