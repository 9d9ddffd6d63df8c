#include "dial/happy_eyeballs.hpp"

#include <algorithm>

namespace pabal::dial {

void happy_eyeballs::answered(address_family family, std::span<const address> addresses, time_point now) {
    settled_[static_cast<std::size_t>(family)] = true;
    const auto kept = addresses.first(std::min(addresses.size(), max_addresses));
    queue(family).assign(kept.begin(), kept.end());
    if (family == address_family::ipv4) prefer_ipv6_until_ = now + resolution_delay;
}

void happy_eyeballs::attempt_failed(time_point now) {
    --under_way_;
    next_start_ = now;
}

happy_eyeballs::decision happy_eyeballs::next(time_point now) {
    if (queues_[0].empty() && queues_[1].empty()) {
        const bool more_may_come = under_way_ > 0 || !settled_[0] || !settled_[1];
        return {more_may_come ? step::wait : step::exhausted, std::nullopt, std::nullopt};
    }
    if (const auto until = wait_before_next(now)) return {step::wait, std::nullopt, until};
    ++under_way_;
    next_start_ = now + attempt_delay;
    return {step::start, take_next(), std::nullopt};
}

std::optional<happy_eyeballs::time_point> happy_eyeballs::wait_before_next(time_point now) const {
    std::optional<time_point> until = next_start_;
    if (!next_start_ && !is_settled(address_family::ipv6)) until = prefer_ipv6_until_;
    return until && *until > now ? until : std::nullopt;
}

address happy_eyeballs::take_next() {
    const address_family other = last_ == address_family::ipv4 ? address_family::ipv6 : address_family::ipv4;
    last_ = queue(other).empty() ? last_ : other;
    const address taken = queue(last_).front();
    queue(last_).pop_front();
    return taken;
}

}  // namespace pabal::dial
