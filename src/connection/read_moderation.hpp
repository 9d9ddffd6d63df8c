#pragma once
/// \file
/// Fewer wake-ups for a fast body, as network cards moderate their interrupts. A reader that is faster than its peer is else
/// woken for every single record, and waking costs more than the record. While a long run of content arrives fast, the
/// transport reports only when a good piece of it is there.
///
/// Nobody waits longer for it than `patience` twice: a peer that falls silent in the middle of a piece ends the moderation,
/// and so does one that becomes slow. The end of a message is not late at all, because no more is waited for than must come.

#include <chrono>
#include <cstdint>

#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::connection {

/// Of one connection. Its owner says what it received, when it has to wait, and when the message ended.
class read_moderation {
public:
    explicit read_moderation(reactor::reactor& reactor) noexcept : reactor_(reactor) {}

    void received(std::size_t size) noexcept {
        heard_ = true;
        sample_ += size;
        if (sample_ >= sample_size) take_sample();
    }
    /// A read from `from` found nothing, and at least `certain` bytes are to come.
    void wait(transport::transport& from, std::uint64_t certain) {
        if (fast_ || moderated_) choose(from, certain);
    }
    /// The message is over: whatever comes next is reported at once.
    void end();
    /// The transport is gone.
    void forget() noexcept;

private:
    /// A rate is that of so many bytes. It is fast, from 64 MB/s, if they take no longer than `sample_time`.
    static constexpr std::size_t sample_size = 256 * 1024;
    static constexpr std::chrono::milliseconds sample_time{4};
    /// Four TLS records; eight if a sample takes no longer than that, so that a piece never takes longer than a millisecond.
    static constexpr std::size_t small_piece = 64 * 1024;
    static constexpr std::size_t large_piece = 128 * 1024;
    static constexpr std::chrono::milliseconds large_pieces_time{2};
    static constexpr std::chrono::milliseconds patience{2};

    void take_sample() noexcept;
    void choose(transport::transport& from, std::uint64_t certain);
    void on_patience_over();

    reactor::reactor& reactor_;
    transport::transport* moderated_ = nullptr;  ///< its mark is not 1
    std::size_t piece_ = small_piece;
    std::size_t sample_ = 0;
    reactor::time_point sample_began_;
    bool fast_ = false;
    bool news_ = false;   ///< a sample was taken since the mark was set
    bool heard_ = false;  ///< since the timer was set
    reactor::member_timer<read_moderation, &read_moderation::on_patience_over> timer_{*this};
};

}  // namespace pabal::connection
