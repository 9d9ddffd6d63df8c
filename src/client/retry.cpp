#include "client/retry.hpp"

#include <algorithm>

#include "protocol/http/http_date.hpp"

namespace pabal::client {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Beyond any cap somebody could mean, and far from overflow.
constexpr seconds longest_retry_after{std::chrono::hours{24 * 365}};

bool counts_out(const std::optional<int>& limit, std::span<const retried> history, retry_cause cause) {
    if (!limit) return false;
    return std::count_if(history.begin(), history.end(), [&](const retried& each) { return each.cause == cause; }) >=
           *limit;
}

const std::optional<int>& limit_of(const retry_policy& policy, retry_cause cause) noexcept {
    switch (cause) {
    case retry_cause::connect: return policy.connect;
    case retry_cause::read: return policy.read;
    default: return policy.status;
    }
}

/// backoff · 2ⁿ, bounded, less its random part.
milliseconds backoff_after(const retry_policy& policy, std::size_t repetitions, double random) {
    milliseconds wait = std::min(policy.backoff, policy.max_backoff);
    for (std::size_t doubled = 0; doubled < repetitions && wait < policy.max_backoff && wait.count() > 0; ++doubled)
        wait = wait > policy.max_backoff / 2 ? policy.max_backoff : wait * 2;
    const double kept = 1.0 - std::clamp(policy.jitter, 0.0, 1.0) * std::clamp(random, 0.0, 1.0);
    return milliseconds(static_cast<milliseconds::rep>(static_cast<double>(wait.count()) * kept));
}

milliseconds wait_before_next(const retry_policy& policy, std::size_t repetitions, const retry_question& asked) {
    if (asked.response && policy.respect_retry_after) {
        const auto value = asked.response->headers.find("retry-after");
        const auto wanted = value ? parse_retry_after(*value, asked.now) : std::nullopt;
        if (wanted) return std::min(*wanted, policy.retry_after_cap);
    }
    return backoff_after(policy, repetitions, asked.random);
}

}  // namespace

std::string_view name_of(retry_cause cause) noexcept {
    switch (cause) {
    case retry_cause::connect: return "connect";
    case retry_cause::read: return "read";
    default: return "status";
    }
}

std::optional<retry_cause> cause_of(const error& failure) noexcept {
    switch (failure.code) {
    case error_code::host_not_found:
    case error_code::resolver_failed:
    case error_code::connection_refused:
    case error_code::network_unreachable:
    case error_code::connect_failed: return retry_cause::connect;
    case error_code::connection_closed:
    case error_code::connection_reset:
    case error_code::write_failed:
    case error_code::body_incomplete:
    case error_code::timed_out: break;
    default: return std::nullopt;
    }
    switch (failure.where) {
    case phase::resolve:
    case phase::connect:
    case phase::tls: return retry_cause::connect;
    case phase::write:
    case phase::read: return retry_cause::read;
    default: return std::nullopt;
    }
}

std::optional<milliseconds> parse_retry_after(std::string_view value, std::chrono::sys_seconds now) {
    if (value.empty()) return std::nullopt;
    if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        seconds wanted{0};
        for (const char digit : value) wanted = std::min(wanted * 10 + seconds(digit - '0'), longest_retry_after);
        return wanted;
    }
    const auto date = http::parse_http_date(value, now);
    if (!date) return std::nullopt;
    if (*date <= now) return milliseconds{0};
    return std::min<seconds>(*date - now, longest_retry_after);
}

std::optional<retry_plan> plan_retry(const retry_policy& policy, std::span<const retried> history,
                                     const retry_question& asked) {
    if (history.size() >= static_cast<std::size_t>(std::max(policy.total, 0))) return std::nullopt;
    std::optional<retry_cause> cause;
    if (asked.response) {
        const bool listed = std::ranges::find(policy.statuses, asked.response->status) != policy.statuses.end();
        if (listed) cause = retry_cause::status;
    } else if (asked.failure) {
        cause = cause_of(*asked.failure);
    }
    if (!cause || counts_out(limit_of(policy, *cause), history, *cause)) return std::nullopt;
    const bool may_have_acted = asked.response || asked.request_sent;
    if (may_have_acted && std::ranges::find(policy.methods, asked.method) == policy.methods.end()) return std::nullopt;

    const milliseconds wait = wait_before_next(policy, history.size(), asked);
    if (policy.budget.count() > 0 && asked.elapsed + wait > policy.budget) return std::nullopt;
    if (asked.left && wait >= *asked.left) return std::nullopt;
    return retry_plan{*cause, wait};
}

}  // namespace pabal::client
