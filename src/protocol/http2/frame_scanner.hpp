#pragma once
/// \file
/// The headers of the frames that come (RFC 9113 section 4.1), wherever the pieces of input happen to be cut.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pabal::http2 {

struct frame_header {
    std::uint32_t length = 0;  ///< of what follows, in bytes
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::int32_t stream = 0;
};

class frame_scanner {
public:
    /// `preface`: bytes before the first frame (RFC 9113 section 3.4).
    explicit frame_scanner(std::size_t preface = 0) noexcept : skip_(preface) {}

    /// Goes on from `at` to the next header, and past it. False: the input ends before that one does.
    bool next(std::string_view input, std::size_t& at, frame_header& found) noexcept;
    /// Where the header that was found last began in that input; 0 if it began in an earlier one.
    std::size_t begin() const noexcept { return begin_; }

private:
    std::size_t skip_;                     ///< bytes until the next header begins
    std::array<unsigned char, 9> held_{};  ///< of a header that has begun …
    std::size_t size_ = 0;                 ///< … so many
    std::size_t begin_ = 0;
};

}  // namespace pabal::http2
