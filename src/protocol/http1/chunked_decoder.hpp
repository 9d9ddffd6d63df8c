#pragma once
/// \file
/// The chunked transfer coding up to its last chunk (RFC 9112 section 7.1); the trailers after it are field lines, which
/// `head_parser` reads.
///
///     size ──CRLF──▶ data ──▶ CRLF ──▶ size …          size 0 ──CRLF──▶ last
///       └─ ; name[=value] … ─┘ extensions are checked and forgotten
///
/// Every byte of framing is looked at once, however the input is cut. The size is 1 to 16 hexadecimal digits and nothing
/// else: no sign, no 0x, no white space around it. An extension is what the grammar says (a token, optionally `=` and a
/// token or quoted string; white space only after the first semicolon), so no CR or LF can hide in it.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "protocol/http1/fault.hpp"
#include "protocol/http1/limits.hpp"

namespace pabal::http1 {

class chunked_decoder {
public:
    /// The states of the framing, in the order of the transition table in the source.
    enum class state : std::uint8_t {
        size_first,
        size,
        extension_begin,  ///< after a semicolon
        extension_name,
        extension_name_end,  ///< white space after the name
        value_begin,         ///< after the equals sign
        value_token,
        value_quoted,
        value_escape,   ///< after a backslash in a quoted string
        value_end,      ///< after the closing quote
        extension_end,  ///< white space after the value
        line_feed,      ///< after the CR of a chunk line
        data,
        data_return,  ///< the CR after the data
        data_line_feed,
        last,  ///< the chunk of size 0 was read
        failed,
    };

    struct piece {
        enum class kind : std::uint8_t { need_more, data, last, failed };
        kind what = kind::need_more;
        std::size_t used = 0;
        std::string_view data;
    };

    void begin() noexcept { *this = chunked_decoder(); }

    /// Uses input up to the end of one piece of data, or all of it. Not to be called after `last` or `failed`.
    piece decode(std::string_view input, const limits& limits);

    /// Bytes of the current chunk's data still to come; 0 between chunks.
    std::uint64_t data_remaining() const noexcept { return state_ == state::data ? remaining_ : 0; }
    /// The owner received that much of it without `decode`.
    void skip_data(std::uint64_t size) noexcept;

    /// Content bytes so far.
    std::uint64_t decoded() const noexcept { return decoded_; }

    fault failure() const;

private:
    enum class defect : std::uint8_t {
        none,
        size_missing,
        size_too_long,
        size_invalid,
        size_too_large,
        extension_invalid,
        line_too_long,
        extensions_too_long,
        line_feed_missing,
        data_not_ended,
    };

    defect defect_at(state where) const noexcept;
    state fail(defect why) noexcept { return defect_ = why, state::failed; }
    state advance(unsigned char byte, const limits& limits) noexcept;

    std::uint64_t remaining_ = 0;  // the size being read, then what is left of the chunk
    std::uint64_t decoded_ = 0;
    std::uint64_t extensions_ = 0;  // bytes of extensions so far
    std::size_t line_size_ = 0;
    unsigned digits_ = 0;
    state state_ = state::size_first;
    defect defect_ = defect::none;
    unsigned char offending_ = 0;
};

}  // namespace pabal::http1
