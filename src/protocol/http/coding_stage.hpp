#pragma once
/// \file
/// One coding of a stack, and what gzip members, zstd frames and wrongly named deflate have in common: the first bytes
/// decide what follows.
///
///   start ── first bytes ──▶ in_stream ── end of stream ──▶ between ── bytes of another stream ──▶ in_stream
///                                                              └────── anything else ──▶ trailing (discarded)

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "protocol/http/content_coding.hpp"

namespace pabal::http {

class coding_stage {
public:
    virtual ~coding_stage() = default;

    struct progress {
        std::size_t used = 0;
        std::size_t produced = 0;
        const char* fault = nullptr;  ///< what is wrong with the data, for a person
    };

    /// Uses all the input or fills the output, unless the data is faulty.
    progress decode(std::string_view input, std::span<char> output);

    /// The stream is complete (or has not begun), and may be the last.
    bool may_end() const noexcept { return at_ == place::start ? held_size_ == 0 : at_ != place::in_stream; }
    /// Nothing that follows can matter.
    bool discards() const noexcept { return at_ == place::trailing; }

protected:
    enum class prefix : std::uint8_t { begins, undecided, foreign };

    struct stream_progress {
        std::size_t used = 0;
        std::size_t produced = 0;
        bool ended = false;
        const char* fault = nullptr;
    };

    /// Whether `bytes` (at most 4) begin a stream. `first`: nothing came before; then `foreign` is no answer.
    virtual prefix recognise(std::string_view bytes, bool first) = 0;
    /// Prepares for a stream that begins. False: out of memory.
    virtual bool begin_stream() = 0;
    virtual stream_progress decode_stream(std::string_view input, std::span<char> output) = 0;

private:
    enum class place : std::uint8_t { start, in_stream, between, trailing };

    const char* look_for_stream(std::string_view input, std::size_t& used);

    place at_ = place::start;
    std::uint8_t held_size_ = 0;  ///< bytes kept until they tell what they begin, then given to the stream first
    std::uint8_t held_given_ = 0;
    std::array<char, 4> held_{};
    std::size_t members_ = 0;
};

std::unique_ptr<coding_stage> make_inflate_stage(content_coding gzip_or_deflate);
std::unique_ptr<coding_stage> make_brotli_stage();
std::unique_ptr<coding_stage> make_zstd_stage();

}  // namespace pabal::http
