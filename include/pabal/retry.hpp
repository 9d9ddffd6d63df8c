#pragma once
/// \file
/// When a request that failed, or got an answer that asks for patience, is sent again.
///
/// Without a policy nothing is repeated but what RFC 9112 section 9.3.1 calls safe: a request that met a kept-alive
/// connection its peer had just closed. That replay is no retry and counts nowhere.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace pabal {

/// Counts are of *repetitions*: `total = 3` is four attempts at most. All durations are finite; a budget of zero is none.
struct retry_policy {
    int total = 3;
    /// Of these, at most so many for each cause; nullopt: only `total` counts. Zero: never for this cause.
    std::optional<int> connect;  ///< the peer could not be reached: nothing was sent, so any method may be repeated
    std::optional<int> read;     ///< the connection broke, or was silent for too long, after something was sent
    std::optional<int> status;   ///< the answer was one of `statuses`

    std::vector<int> statuses{429, 502, 503, 504};
    /// What may be repeated once the peer may have seen it; by default what RFC 9110 section 9.2.2 calls idempotent.
    std::vector<std::string> methods{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

    /// The first wait; each further one is twice as long, up to `max_backoff`. Of every wait a random part, up to the
    /// fraction `jitter`, is taken away, so that clients that failed together do not come back together.
    std::chrono::milliseconds backoff{200};
    double jitter = 0.5;
    std::chrono::milliseconds max_backoff{30'000};

    /// A Retry-After (RFC 9110 section 10.2.3) replaces the computed wait, but never by more than the cap.
    bool respect_retry_after = true;
    std::chrono::milliseconds retry_after_cap{120'000};

    /// No attempt begins later than this after the start of the request. `timeouts::total` counts besides.
    std::chrono::milliseconds budget{0};

    bool operator==(const retry_policy&) const = default;
};

}  // namespace pabal
