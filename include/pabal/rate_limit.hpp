#pragma once
/// \file
/// How many requests may begin in a time. What exceeds it waits, first come, first served, in a queue that is bounded.
///
///     pabal::session_options options;
///     options.rate_limit = std::make_shared<pabal::token_bucket>(10.0, 20);   // 10 a second, 20 at once
///
/// Limiters may be shared by sessions and threads; each session has its own queue for it. Redirects and retries count as
/// requests; the replay of one that met a stale connection does not.

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>

namespace pabal {

class rate_limiter {
public:
    using time_point = std::chrono::steady_clock::time_point;

    virtual ~rate_limiter() = default;
    /// Zero: one request may begin now, and is counted. Otherwise nothing was counted: ask again after that time.
    virtual std::chrono::nanoseconds reserve(time_point now) = 0;
    /// So many calls of a session may wait; further ones fail with `rate_limited`.
    virtual std::size_t max_waiting() const noexcept = 0;
};

/// Requests at a distance, with some tolerance: the generic cell rate algorithm (ITU-T I.371). Two numbers are its whole
/// state: when the next request would be exactly on time, and how much earlier it may come.
class spaced_limiter : public rate_limiter {
public:
    std::chrono::nanoseconds reserve(time_point now) final;
    std::size_t max_waiting() const noexcept final { return max_waiting_; }

protected:
    /// `rate` in requests a second, positive; `burst` at least 1.
    spaced_limiter(double rate, std::size_t burst, std::size_t max_waiting);

private:
    const std::chrono::nanoseconds distance_;
    const std::chrono::nanoseconds tolerance_;
    const std::size_t max_waiting_;
    std::mutex mutex_;
    time_point on_time_{};
};

/// Up to `burst` requests at once, and `rate` a second in the long run.
class token_bucket final : public spaced_limiter {
public:
    token_bucket(double rate, std::size_t burst, std::size_t max_waiting = 10'000)
        : spaced_limiter(rate, burst, max_waiting) {}
};

/// Requests evenly spaced, `rate` a second; the bucket holds the `capacity` that wait.
class leaky_bucket final : public spaced_limiter {
public:
    leaky_bucket(double rate, std::size_t capacity) : spaced_limiter(rate, 1, capacity) {}
};

}  // namespace pabal
