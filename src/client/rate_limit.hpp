#pragma once
/// \file
/// Calls that wait for a limiter, and which limiter is for which place.

#include <cstddef>
#include <memory>
#include <vector>

#include <pabal/rate_limit.hpp>

#include "base/intrusive_list.hpp"
#include "client/call.hpp"
#include "client/origin_map.hpp"
#include "reactor/reactor.hpp"

namespace pabal::client {

/// The limiters of a session: the most specific one counts.
struct rate_limits {
    std::shared_ptr<rate_limiter> everywhere;  ///< or null
    origin_map<std::shared_ptr<rate_limiter>> somewhere;

    /// Null: no limit there.
    std::shared_ptr<rate_limiter> at(const url& place) const;
};

/// The calls of one session that wait for one limiter, first come, first served. Only the first asks the limiter; one that is
/// cancelled leaves nothing behind, because nothing was counted for it.
class rate_queue final : public reactor::timer {
public:
    rate_queue(reactor::reactor& reactor, std::shared_ptr<rate_limiter> limiter)
        : reactor_(reactor), limiter_(std::move(limiter)) {}

    enum class admission : unsigned char { go, wait, full };
    /// `wait`: `arriving` is in line, and hears of its turn by `call::end_pause`.
    admission admit(call& arriving);
    /// A call in line gives up.
    void forget(call& leaving) noexcept;
    std::size_t size() const noexcept { return size_; }
    const rate_limiter& limiter() const noexcept { return *limiter_; }
    /// The one that came first; only when `size()` is not 0.
    call& front() noexcept { return waiting_.front(); }

private:
    void on_timer() override;

    reactor::reactor& reactor_;
    std::shared_ptr<rate_limiter> limiter_;
    base::intrusive_list<call, paused> waiting_;
    std::size_t size_ = 0;
};

}  // namespace pabal::client
