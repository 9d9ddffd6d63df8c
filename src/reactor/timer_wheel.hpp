#pragma once
/// \file
/// A hierarchical timer wheel (Varghese and Lauck, scheme 7): set, move and cancel are O(1), expiry is O(1) amortised.
///
/// Four wheels of 256 slots; one tick is one millisecond, so deadlines up to 49 days keep their place and later ones are
/// clamped to that. A timer never fires early and at most one tick late. Most timers of an HTTP client (timeouts) are
/// cancelled before they fire; nothing is allocated for them.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/intrusive_list.hpp"

namespace pabal::reactor {

/// A timer that can be set. Destroying it cancels it. Derive, or hold one as a member (`member_timer`).
class timer : public base::list_hook<> {
public:
    virtual void on_timer() = 0;
    bool is_set() const noexcept { return is_linked(); }
    void cancel() noexcept { unlink(); }
    std::uint64_t due_tick() const noexcept { return due_tick_; }

protected:
    ~timer() = default;

private:
    friend class timer_wheel;
    std::uint64_t due_tick_ = 0;
};

/// A timer that calls a member function: `member_timer<connection, &connection::on_read_timeout> read_timer_{*this};`
template <class Owner, void (Owner::*Expired)()>
class member_timer final : public timer {
public:
    explicit member_timer(Owner& owner) noexcept : owner_(owner) {}
    void on_timer() override { (owner_.*Expired)(); }

private:
    Owner& owner_;
};

class timer_wheel {
public:
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::milliseconds tick{1};

    explicit timer_wheel(time_point start) noexcept : start_(start) {}

    void set(timer& timer, time_point deadline) noexcept;
    /// Fires everything due at `now`, in order of ticks; timers set meanwhile for a past or present tick fire next time.
    void advance(time_point now);
    /// A time at or before which nothing is due: exact for timers due within 256 ticks, else the next cascade. nullopt when
    /// no timer is set (cancelled timers may still be counted until their slot is passed).
    std::optional<time_point> next_due() noexcept;

private:
    static constexpr unsigned slot_bits = 8;
    static constexpr unsigned slots = 1U << slot_bits;
    static constexpr unsigned levels = 4;
    using slot = base::intrusive_list<timer>;

    std::uint64_t tick_of(time_point time, bool round_up) const noexcept;
    void place(timer& timer) noexcept;
    void cascade(unsigned level) noexcept;
    void fire_slot(unsigned index);
    std::optional<unsigned> next_slot(unsigned level, unsigned from) noexcept;
    std::optional<unsigned> occupied_slot(unsigned level, unsigned from, unsigned until) noexcept;
    std::optional<std::pair<unsigned, std::uint64_t>> next_occupied() noexcept;

    time_point start_;
    std::uint64_t current_ = 0;   ///< every tick up to and including this one has been fired
    std::uint64_t earliest_ = 1;  ///< no timer may be set for a tick before this one
    std::array<std::array<slot, slots>, levels> wheel_;
    std::array<std::array<std::uint64_t, slots / 64>, levels> occupied_{};  ///< a bit per slot that may hold timers
};

}  // namespace pabal::reactor
