#pragma once
/// \file
/// How large the window of a stream should be (RFC 9113 section 5.2): at least what the path holds, or the peer has to stop in
/// each round trip and wait to be allowed more. PINGs tell how much is used in one round trip; a window of which half is used in
/// that time is too small, and is doubled. What came and was not used does not count: a reader who takes his time needs no
/// larger window.
///
///     resting ──(enough was used)──▶ PING ──answer──▶ PING ──answer──▶ doubled: one more PING; or resting, for longer
///                                      starts the count, ends it

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pabal::http2 {

/// Of one connection, one of whose streams is measured at a time. Its owner says what is used, sends the PINGs, and gives the
/// stream its window.
class window_growth {
public:
    /// From now on no window is made larger than this.
    void bound(std::uint32_t largest) noexcept { largest_ = largest; }
    /// `size` bytes of a stream were used. True: `begin` to measure it.
    bool consumed(std::int32_t stream, std::uint64_t size) noexcept {
        if (stream == measured_ || state_ == state::resting) used_ += size;
        return state_ == state::resting && used_ >= rest_;
    }
    /// The window of the stream is `window`. True: send a PING.
    bool begin(std::int32_t stream, std::uint32_t window) noexcept {
        used_ = 0;
        if (window >= largest_) return false;
        measured_ = stream;
        state_ = state::awaiting;
        return true;
    }
    std::int32_t measured() const noexcept { return measured_; }
    /// The PING was answered; `window` is that of the stream, 0 if it is over. What it should be from now on.
    std::uint32_t answered(std::uint32_t window) noexcept {
        const std::uint64_t used = std::exchange(used_, 0);
        if (window > 0 && window < largest_ && state_ == state::awaiting) {
            state_ = state::counting;
            return window;
        }
        if (window > 0 && window < largest_ && used >= window / 2) {
            rest_ = shortest_rest;
            return window > largest_ / 2 ? largest_ : 2 * window;
        }
        state_ = state::resting;
        rest_ = std::min(2 * rest_, longest_rest);
        return window;
    }
    /// After `answered`: send another PING.
    bool goes_on() const noexcept { return state_ != state::resting; }

private:
    enum class state : std::uint8_t { resting, awaiting, counting };
    /// So much is used between two measurements; the longer, the more of them found that all was well, since peers may count
    /// PINGs.
    static constexpr std::uint64_t shortest_rest = 256 * 1024;
    static constexpr std::uint64_t longest_rest = 64 * 1024 * 1024;

    std::uint32_t largest_ = 0;
    state state_ = state::resting;
    std::int32_t measured_ = 0;
    std::uint64_t used_ = 0;
    std::uint64_t rest_ = shortest_rest;
};

}  // namespace pabal::http2
