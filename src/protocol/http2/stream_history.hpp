#pragma once
/// \file
/// What a client may still send on a stream that it opened (RFC 9113 section 5.1), judged by the headers of its frames. nghttp2
/// forgets a stream when it is closed, and passes over what comes after.

#include <array>
#include <cstddef>
#include <cstdint>

#include "protocol/http2/stream.hpp"

namespace pabal::http2 {

class stream_history {
public:
    /// Its client opened the stream, or goes on with it: a HEADERS or DATA frame comes, `ends` if it has END_STREAM. Returns
    /// what is wrong with that, or no_error. What comes on a stream that *we* have ended may have been under way, and about
    /// streams of long ago nothing is known: no_error.
    error_reason message_frame(std::int32_t id, bool opens_a_stream, bool ends) noexcept;
    /// RST_STREAM comes.
    void reset_frame(std::int32_t id) noexcept;

private:
    enum class state : std::uint8_t { never_opened, open, ended };

    /// Streams about which it is known: each takes a byte.
    static constexpr std::size_t remembered = 256;

    state& of(std::int32_t id) noexcept { return states_[static_cast<std::size_t>(id) / 2 % remembered]; }
    bool knows(std::int32_t id) const noexcept {
        return id <= last_ && static_cast<std::size_t>(last_ - id) / 2 < remembered;
    }

    std::array<state, remembered> states_{};
    std::int32_t last_ = -1;  ///< the highest that was opened
};

}  // namespace pabal::http2
