#include "reactor/timer_wheel.hpp"

#include <algorithm>
#include <bit>

// A timer lies at the level of the highest digit (base 256) in which its tick differs from the current one, in the slot of
// that digit. Hence everything at a level is due before anything at the level above it, slots of a level are passed in
// order, and moving the current tick past empty slots never displaces a timer. When the current tick reaches a slot of an
// upper level, the timers in it differ only in lower digits now and move down.

namespace pabal::reactor {

namespace {

constexpr std::uint64_t slot_mask = 255;
constexpr unsigned bits_of_a_word = 64;

}  // namespace

std::uint64_t timer_wheel::tick_of(time_point time, bool round_up) const noexcept {
    if (time <= start_) return 0;
    const auto since_start = time - start_;
    const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(since_start);
    return static_cast<std::uint64_t>(whole.count()) + (round_up && whole < since_start ? 1 : 0);
}

void timer_wheel::set(timer& timer, time_point deadline) noexcept {
    // The top digit may wrap around, so nothing may be set further away than one round of the top wheel.
    const std::uint64_t latest = current_ + (std::uint64_t{1} << (slot_bits * levels)) - 1;
    timer.unlink();
    timer.due_tick_ = std::clamp(tick_of(deadline, true), earliest_, latest);
    place(timer);
}

void timer_wheel::place(timer& timer) noexcept {
    const std::uint64_t difference = timer.due_tick_ ^ current_;
    const unsigned highest_bit = static_cast<unsigned>(std::bit_width(difference | 1)) - 1;
    const unsigned level = std::min(highest_bit / slot_bits, levels - 1);
    const unsigned index = static_cast<unsigned>(timer.due_tick_ >> (slot_bits * level) & slot_mask);
    wheel_[level][index].push_back(timer);
    occupied_[level][index / bits_of_a_word] |= std::uint64_t{1} << index % bits_of_a_word;
}

void timer_wheel::advance(time_point now) {
    const std::uint64_t target = tick_of(now, false);
    if (target <= current_) return;
    earliest_ = target + 1;
    while (const auto next = next_occupied()) {
        const auto [level, reached] = *next;
        if (reached > target) break;
        current_ = reached;
        if (level > 0) cascade(level);
        fire_slot(static_cast<unsigned>(current_ & slot_mask));
    }
    current_ = target;
}

void timer_wheel::cascade(unsigned level) noexcept {
    slot moving;
    moving.splice_back(wheel_[level][current_ >> (slot_bits * level) & slot_mask]);
    while (!moving.empty()) place(moving.pop_front());
}

void timer_wheel::fire_slot(unsigned index) {
    slot due;
    due.splice_back(wheel_[0][index]);
    while (!due.empty()) due.pop_front().on_timer();
}

std::optional<timer_wheel::time_point> timer_wheel::next_due() noexcept {
    const auto next = next_occupied();
    if (!next) return std::nullopt;
    return start_ + tick * static_cast<std::int64_t>(next->second);
}

/// The level and the tick of the first slot that holds a timer.
std::optional<std::pair<unsigned, std::uint64_t>> timer_wheel::next_occupied() noexcept {
    for (unsigned level = 0; level < levels; ++level) {
        const unsigned shift = slot_bits * level;
        const unsigned digit = static_cast<unsigned>(current_ >> shift & slot_mask);
        if (const auto index = next_slot(level, digit + 1)) {
            std::uint64_t round = current_ >> (shift + slot_bits);
            if (*index <= digit) ++round;
            return std::pair{level, (round << slot_bits | *index) << shift};
        }
    }
    return std::nullopt;
}

/// The first slot at or after `from` that holds a timer; at the top level, where ticks wrap around, also those before it.
std::optional<unsigned> timer_wheel::next_slot(unsigned level, unsigned from) noexcept {
    if (const auto found = occupied_slot(level, from, slots)) return found;
    if (level == levels - 1) return occupied_slot(level, 0, from);
    return std::nullopt;
}

/// The bits are hints: a cancelled timer leaves its slot's bit set, which is cleared here when somebody looks.
std::optional<unsigned> timer_wheel::occupied_slot(unsigned level, unsigned from, unsigned until) noexcept {
    for (unsigned word = from / bits_of_a_word; word * bits_of_a_word < until; ++word) {
        const unsigned skipped = word == from / bits_of_a_word ? from % bits_of_a_word : 0;
        std::uint64_t candidates = occupied_[level][word] & ~std::uint64_t{0} << skipped;
        while (candidates != 0) {
            const unsigned index = word * bits_of_a_word + static_cast<unsigned>(std::countr_zero(candidates));
            if (index >= until) return std::nullopt;
            if (!wheel_[level][index].empty()) return index;
            occupied_[level][word] &= ~(std::uint64_t{1} << index % bits_of_a_word);
            candidates &= candidates - 1;
        }
    }
    return std::nullopt;
}

}  // namespace pabal::reactor
