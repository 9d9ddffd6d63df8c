#include "reactor/descriptor.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <pthread.h>

namespace pabal::reactor {

namespace {

// One bit for each number, changed without a lock. A fork between the system's call and ours finds the bit not set yet, or
// not any more: a descriptor is left open in the child then, but none that is not ours is ever closed.
constexpr std::size_t bits_of_a_word = 64;
constexpr std::size_t most = std::size_t{1} << 20U;  ///< Linux's own limit; higher numbers stay open in children
using word = std::atomic<std::uint64_t>;
constinit std::array<word, most / bits_of_a_word> owned{};
constinit std::atomic<std::size_t> words_in_use{0};

bool is_noted(int number) noexcept { return number >= 0 && static_cast<std::size_t>(number) < most; }
word& word_of(int number) noexcept { return owned[static_cast<std::size_t>(number) / bits_of_a_word]; }
std::uint64_t bit_of(int number) noexcept {
    return std::uint64_t{1} << static_cast<std::size_t>(number) % bits_of_a_word;
}

void close_inherited() noexcept {
    for (std::size_t index = 0; index < words_in_use.load(); ++index) {
        std::uint64_t left = owned[index].exchange(0);
        for (; left != 0; left &= left - 1) ::close(static_cast<int>(index * bits_of_a_word) + std::countr_zero(left));
    }
}

[[maybe_unused]] const int registered = ::pthread_atfork(nullptr, nullptr, close_inherited);

}  // namespace

void descriptor::close_in_children(int number) noexcept {
    if (!is_noted(number)) return;
    const std::size_t needed = static_cast<std::size_t>(number) / bits_of_a_word + 1;
    std::size_t used = words_in_use.load();
    while (used < needed && !words_in_use.compare_exchange_weak(used, needed)) {}
    word_of(number).fetch_or(bit_of(number));
}

void descriptor::keep_in_children(int number) noexcept {
    if (is_noted(number)) word_of(number).fetch_and(~bit_of(number));
}

}  // namespace pabal::reactor
