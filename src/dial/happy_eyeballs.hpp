#pragma once
/// \file
/// Happy Eyeballs version 2 (RFC 8305), decided without acting: which address to try when.
///
///     answers, failures, the time ──▶ next() ──▶ start this address | wait (until then) | there is nothing left
///
///   - The first attempt waits for the IPv6 answer, but no longer than 50 ms after the IPv4 answer (section 3).
///   - Attempts alternate between the families, IPv6 first (section 4).
///   - The next attempt starts 250 ms after the last one did, or at once when one fails (section 5).
///   - Addresses that arrive while attempts are under way join the queue (section 5).
///
/// The first attempt that succeeds wins; the caller then drops the others together with the plan.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

#include "dial/address.hpp"

namespace pabal::dial {

class happy_eyeballs {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds resolution_delay{50};
    static constexpr std::chrono::milliseconds attempt_delay{250};
    /// Of each family; a name with more addresses is tried on the first ones only.
    static constexpr std::size_t max_addresses = 16;

    enum class step : std::uint8_t {
        start,      ///< connect to `to`, then ask again
        wait,       ///< ask again at `until` (nullopt: when there is news)
        exhausted,  ///< everything failed, or there was nothing to try
    };
    struct decision {
        step what = step::wait;
        std::optional<address> to;
        std::optional<time_point> until;
    };

    /// What the resolver said about a family; an empty span for nothing or a failure.
    void answered(address_family family, std::span<const address> addresses, time_point now);
    void attempt_failed(time_point now);
    decision next(time_point now);

private:
    std::deque<address>& queue(address_family family) { return queues_[static_cast<std::size_t>(family)]; }
    bool is_settled(address_family family) const { return settled_[static_cast<std::size_t>(family)]; }
    std::optional<time_point> wait_before_next(time_point now) const;
    address take_next();

    std::array<std::deque<address>, 2> queues_;
    std::array<bool, 2> settled_{};
    std::size_t under_way_ = 0;
    std::optional<time_point> prefer_ipv6_until_;  ///< the IPv4 answer came first
    std::optional<time_point> next_start_;         ///< set by the first attempt
    address_family last_ = address_family::ipv4;
};

}  // namespace pabal::dial
