#include "protocol/http1/chunked_decoder.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "protocol/http/scan.hpp"

namespace pabal::http1 {

namespace {

using state = chunked_decoder::state;

/// What a byte can mean in a chunk line.
enum class symbol : std::uint8_t {
    hex_digit,
    token,
    semicolon,
    equals,
    quote,
    backslash,
    blank,
    text,
    cr,
    lf,
    control
};

constexpr std::size_t symbols = 11;

constexpr symbol symbol_of(unsigned char byte) noexcept {
    if (http::scan::is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'))
        return symbol::hex_digit;
    if (http::scan::is_token(byte)) return symbol::token;
    switch (byte) {
    case ';': return symbol::semicolon;
    case '=': return symbol::equals;
    case '"': return symbol::quote;
    case '\\': return symbol::backslash;
    case '\r': return symbol::cr;
    case '\n': return symbol::lf;
    default: break;
    }
    if (http::scan::is_blank(byte)) return symbol::blank;
    return http::scan::is_control(byte) ? symbol::control : symbol::text;
}

constexpr std::array<symbol, 256> symbol_table = [] {
    std::array<symbol, 256> table{};
    for (unsigned byte = 0; byte < table.size(); ++byte) table[byte] = symbol_of(static_cast<unsigned char>(byte));
    return table;
}();

constexpr std::array<std::uint8_t, 256> hex_value = [] {
    std::array<std::uint8_t, 256> table{};
    for (unsigned digit = 0; digit < 10; ++digit) table['0' + digit] = static_cast<std::uint8_t>(digit);
    for (unsigned letter = 0; letter < 6; ++letter)
        table['a' + letter] = table['A' + letter] = static_cast<std::uint8_t>(10 + letter);
    return table;
}();

// Every transition of the framing; data itself is not read byte by byte. Rows are states, columns symbols.
constexpr state SZ = state::size, EB = state::extension_begin, EN = state::extension_name,
                EE = state::extension_name_end, VB = state::value_begin, VT = state::value_token,
                VQ = state::value_quoted, VE = state::value_escape, VD = state::value_end, XE = state::extension_end,
                LF = state::line_feed, DT = state::data, DL = state::data_line_feed, S1 = state::size_first,
                __ = state::failed;

using row = std::array<state, symbols>;
constexpr std::array<row, 15> transitions{{
    //            hex tok  ;   =   "   \   SP  txt CR  LF  CTL
    /* size_first         */ row{SZ, __, __, __, __, __, __, __, __, __, __},
    /* size               */ row{SZ, __, EB, __, __, __, __, __, LF, __, __},
    /* extension_begin    */ row{EN, EN, __, __, __, __, EB, __, __, __, __},
    /* extension_name     */ row{EN, EN, EB, VB, __, __, EE, __, LF, __, __},
    /* extension_name_end */ row{__, __, EB, VB, __, __, EE, __, __, __, __},
    /* value_begin        */ row{VT, VT, __, __, VQ, __, VB, __, __, __, __},
    /* value_token        */ row{VT, VT, EB, __, __, __, XE, __, LF, __, __},
    /* value_quoted       */ row{VQ, VQ, VQ, VQ, VD, VE, VQ, VQ, __, __, __},
    /* value_escape       */ row{VQ, VQ, VQ, VQ, VQ, VQ, VQ, VQ, __, __, __},
    /* value_end          */ row{__, __, EB, __, __, __, XE, __, LF, __, __},
    /* extension_end      */ row{__, __, EB, __, __, __, XE, __, __, __, __},
    /* line_feed          */ row{__, __, __, __, __, __, __, __, __, DT, __},
    /* data               */ row{__, __, __, __, __, __, __, __, __, __, __},
    /* data_return        */ row{__, __, __, __, __, __, __, __, DL, __, __},
    /* data_line_feed     */ row{__, __, __, __, __, __, __, __, __, S1, __},
}};

constexpr bool in_extension(state where) noexcept {
    return where >= state::extension_begin && where <= state::extension_end;
}

constexpr std::uint64_t largest_chunk = std::numeric_limits<std::int64_t>::max();
constexpr unsigned most_digits = 16;

}  // namespace

chunked_decoder::piece chunked_decoder::decode(std::string_view input, const limits& limits) {
    using kind = piece::kind;
    for (std::size_t at = 0; at < input.size();) {
        if (state_ == state::data) {
            const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
            skip_data(size);
            return {kind::data, at + size, input.substr(at, size)};
        }
        state_ = advance(static_cast<unsigned char>(input[at++]), limits);
        if (state_ == state::last) return {kind::last, at, {}};
        if (state_ == state::failed) return {kind::failed, at, {}};
    }
    return {kind::need_more, input.size(), {}};
}

chunked_decoder::state chunked_decoder::advance(unsigned char byte, const limits& limits) noexcept {
    const symbol meaning = symbol_table[byte];
    const state next = transitions[static_cast<std::size_t>(state_)][static_cast<std::size_t>(meaning)];
    switch (next) {
    case state::failed: offending_ = byte; return fail(defect_at(state_));
    case state::size:
        if (++digits_ > most_digits) return fail(defect::size_too_long);
        remaining_ = remaining_ << 4 | hex_value[byte];
        break;
    case state::data:
        if (remaining_ > largest_chunk) return fail(defect::size_too_large);
        line_size_ = 0;
        digits_ = 0;
        return remaining_ == 0 ? state::last : state::data;
    case state::line_feed:
    case state::data_line_feed:
    case state::size_first: return next;
    default:
        if (++extensions_ > free_chunk_extension_bytes + decoded_) return fail(defect::extensions_too_long);
        break;
    }
    if (++line_size_ > limits.max_chunk_line) return fail(defect::line_too_long);
    return next;
}

void chunked_decoder::skip_data(std::uint64_t size) noexcept {
    remaining_ -= size;
    decoded_ += size;
    if (remaining_ == 0) state_ = state::data_return;
}

chunked_decoder::defect chunked_decoder::defect_at(state where) const noexcept {
    if (in_extension(where)) return defect::extension_invalid;
    switch (where) {
    case state::size_first: return defect::size_missing;
    case state::size: return defect::size_invalid;
    case state::line_feed: return defect::line_feed_missing;
    default: return defect::data_not_ended;
    }
}

fault chunked_decoder::failure() const {
    const std::string byte = name_of_byte(offending_);
    std::string what;
    switch (defect_) {
    case defect::none: break;
    case defect::size_missing: what = "chunk size begins with " + byte; break;
    case defect::size_too_long: what = "chunk size has more than 16 digits"; break;
    case defect::size_invalid: what = "invalid byte " + byte + " after the digits of a chunk size"; break;
    case defect::size_too_large: what = "chunk size is more than 2^63 - 1"; break;
    case defect::extension_invalid: what = "invalid byte " + byte + " in a chunk extension"; break;
    case defect::line_too_long: what = "chunk size line is too long"; break;
    case defect::extensions_too_long: what = "chunk extensions are longer than the content"; break;
    case defect::line_feed_missing: what = "CR without LF after a chunk size"; break;
    case defect::data_not_ended: what = "chunk data is not followed by CRLF but by " + byte; break;
    }
    return {error_code::malformed_message, 400, what + " after " + std::to_string(decoded_) + " bytes of content"};
}

}  // namespace pabal::http1
