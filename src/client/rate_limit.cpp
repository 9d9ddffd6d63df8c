#include "client/rate_limit.hpp"

#include <algorithm>

#include "base/fork.hpp"

namespace pabal {

namespace {

using std::chrono::nanoseconds;

/// Timers are as fine as a millisecond: at higher rates the time lost to that is made up for.
constexpr nanoseconds timer_slack = std::chrono::milliseconds{2};
/// Beyond this a rate or a burst is as good as none; keeps the sums far from overflow.
constexpr double longest = 1e18;

nanoseconds spacing(double rate) { return nanoseconds(static_cast<nanoseconds::rep>(std::min(1e9 / rate, longest))); }

nanoseconds tolerance_of(double rate, std::size_t burst) {
    const double early = 1e9 / rate * (static_cast<double>(burst) - 1);
    const nanoseconds at_least = spacing(rate) < timer_slack ? timer_slack : nanoseconds{0};
    return std::max(at_least, nanoseconds(static_cast<nanoseconds::rep>(std::clamp(early, 0.0, longest))));
}

}  // namespace

spaced_limiter::spaced_limiter(double rate, std::size_t burst, std::size_t max_waiting)
    : distance_(spacing(rate)), tolerance_(tolerance_of(rate, burst)), max_waiting_(max_waiting) {}

nanoseconds spaced_limiter::reserve(time_point now) {
    const base::no_fork whole;
    const std::lock_guard guard(mutex_);
    const nanoseconds wait = on_time_.time_since_epoch() - tolerance_ - now.time_since_epoch();
    if (wait > nanoseconds::zero()) return wait;
    on_time_ = std::max(on_time_, now) + distance_;
    return nanoseconds::zero();
}

namespace client {

std::shared_ptr<rate_limiter> rate_limits::at(const url& place) const {
    const auto* found = somewhere.find(place);
    return found ? *found : everywhere;
}

rate_queue::admission rate_queue::admit(call& arriving) {
    if (size_ == 0) {
        const auto wait = limiter_->reserve(reactor_.now());
        if (wait <= nanoseconds::zero()) return admission::go;
        if (limiter_->max_waiting() == 0) return admission::full;
        reactor_.set_timer_in(*this, wait);
    } else if (size_ >= limiter_->max_waiting()) {
        return admission::full;
    }
    waiting_.push_back(arriving);
    ++size_;
    return admission::wait;
}

void rate_queue::forget(call& leaving) noexcept {
    static_cast<base::list_hook<paused>&>(leaving).unlink();
    if (--size_ == 0) cancel();
}

void rate_queue::on_timer() {
    while (size_ > 0) {
        const auto wait = limiter_->reserve(reactor_.now());
        if (wait > nanoseconds::zero()) return reactor_.set_timer_in(*this, wait);
        waiting_.front().end_pause();
    }
}

}  // namespace client

}  // namespace pabal
