#pragma once
/// \file
/// Retries as a pure decision: whether what just happened is worth another attempt, and after how long.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <pabal/error.hpp>
#include <pabal/message.hpp>
#include <pabal/retry.hpp>

namespace pabal::client {

enum class retry_cause : std::uint8_t { connect, read, status };

/// The stable name of a cause, e.g. "connect".
std::string_view name_of(retry_cause cause) noexcept;

/// An attempt that was not the last.
struct retried {
    retry_cause cause = retry_cause::connect;
    int status = 0;                  ///< of the answer, when that was the cause
    error_code code{};               ///< of the failure otherwise
    std::chrono::milliseconds wait;  ///< before the next attempt
};

/// What just happened, and when. Exactly one of `failure` and `response` is set.
struct retry_question {
    std::string_view method;
    const error* failure = nullptr;
    const response_head* response = nullptr;
    bool request_sent = false;                     ///< the peer's application may have seen some of it
    std::chrono::nanoseconds elapsed{0};           ///< since the request began
    std::optional<std::chrono::nanoseconds> left;  ///< of the total time limit, if there is one
    std::chrono::sys_seconds now;                  ///< for a Retry-After that is a date
    double random = 0;                             ///< uniform in [0, 1)
};

struct retry_plan {
    retry_cause cause = retry_cause::connect;
    std::chrono::milliseconds wait{0};
};

/// nullopt: what happened is final. So it is when the budget or the total time limit would be over before the next attempt
/// began: whoever waits learns of it now.
std::optional<retry_plan> plan_retry(const retry_policy& policy, std::span<const retried> history,
                                     const retry_question& asked);

/// What a failure counts as; nullopt for those that another attempt would meet again: refused certificates, broken HTTP, the
/// caller's own mistakes, limits of this side.
std::optional<retry_cause> cause_of(const error& failure) noexcept;

/// Retry-After, as seconds or as a date, which may lie in the past. Numbers of any length are understood, and saturate.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value, std::chrono::sys_seconds now);

}  // namespace pabal::client
