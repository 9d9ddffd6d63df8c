#pragma once
/// \file
/// Finding the first byte that ends something: the inner loops of the parsers.
///
/// Each scanner takes [begin, end) and returns the first byte outside its class, or `end`. It never reads outside that
/// range. There is one definition of every class, the constexpr predicates below; the scalar scanners apply them byte by
/// byte, the vector ones (SSE2, which every x86-64 has; NEON, which every AArch64 has; AVX2 only where the compiler was
/// told the machine has it) sixteen or thirty-two at a time. All give the same results, which scan_test checks over every
/// byte value at every position.
///
/// AVX2 chosen at run time was measured and left out: a head is a few hundred bytes in pieces of about twenty, and the
/// indirect call costs more than the wider vectors save.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace pabal::http::scan {

// --- The classes. ---

/// A byte that no line of a head may contain: the control characters except HTAB (RFC 9110 section 5.5). CR, which ends
/// a line, is one of them.
constexpr bool is_control(unsigned char byte) noexcept { return (byte < 0x20 && byte != '\t') || byte == 0x7f; }

/// tchar, RFC 9110 section 5.6.2: what methods and field names are made of.
constexpr bool is_token(unsigned char byte) noexcept {
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z')) return true;
    switch (byte) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~': return true;
    default: return false;
    }
}

/// What a request target may hold: visible ASCII, but no fragment (RFC 9112 section 3.2). More than RFC 3986 grants,
/// because browsers send `|` and `^` in queries; no 8-bit bytes, because peers disagree about them.
constexpr bool is_target(unsigned char byte) noexcept { return byte > 0x20 && byte < 0x7f && byte != '#'; }

/// White space within a line (RFC 9110 section 5.6.3).
constexpr bool is_blank(unsigned char byte) noexcept { return byte == ' ' || byte == '\t'; }

constexpr bool is_digit(unsigned char byte) noexcept { return byte >= '0' && byte <= '9'; }

using byte_set = std::array<bool, 256>;

template <class Predicate>
constexpr byte_set make_set(Predicate predicate) noexcept {
    byte_set set{};
    for (unsigned byte = 0; byte < 256; ++byte) set[byte] = predicate(static_cast<unsigned char>(byte));
    return set;
}

inline constexpr byte_set control_bytes = make_set(is_control);
inline constexpr byte_set token_bytes = make_set(is_token);
inline constexpr byte_set target_bytes = make_set(is_target);

// --- One byte at a time: the reference, and the tail of every vector scanner. ---

namespace scalar {

template <bool wanted>
inline const char* find(const char* begin, const char* end, const byte_set& set) noexcept {
    while (begin != end && set[static_cast<unsigned char>(*begin)] != wanted) ++begin;
    return begin;
}
inline const char* find_control(const char* begin, const char* end) noexcept {
    return find<true>(begin, end, control_bytes);
}
inline const char* find_not_token(const char* begin, const char* end) noexcept {
    return find<false>(begin, end, token_bytes);
}
inline const char* find_not_target(const char* begin, const char* end) noexcept {
    return find<false>(begin, end, target_bytes);
}

}  // namespace scalar

// --- Many bytes at a time. A `lanes` type has what the three matchers below need, spelled for one instruction set. ---

#if defined(__SSE2__)

namespace sse2 {

struct lanes {
    static constexpr std::size_t width = 16;
    static constexpr unsigned bits_per_byte = 1;
    __m128i value;

    static lanes load(const char* from) noexcept { return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))}; }
    static lanes splat(unsigned char byte) noexcept { return {_mm_set1_epi8(static_cast<char>(byte))}; }
    lanes operator|(lanes other) const noexcept { return {_mm_or_si128(value, other.value)}; }
    lanes and_not(lanes other) const noexcept { return {_mm_andnot_si128(other.value, value)}; }
    lanes minus(lanes other) const noexcept { return {_mm_sub_epi8(value, other.value)}; }
    lanes equals(unsigned char byte) const noexcept { return {_mm_cmpeq_epi8(value, splat(byte).value)}; }
    lanes at_most(unsigned char byte) const noexcept {
        return {_mm_cmpeq_epi8(_mm_min_epu8(value, splat(byte).value), value)};
    }
    lanes at_least(unsigned char byte) const noexcept {
        return {_mm_cmpeq_epi8(_mm_max_epu8(value, splat(byte).value), value)};
    }
    std::uint64_t mask() const noexcept { return static_cast<std::uint32_t>(_mm_movemask_epi8(value)); }
};

}  // namespace sse2

#if defined(__AVX2__)

namespace avx2 {

struct lanes {
    static constexpr std::size_t width = 32;
    static constexpr unsigned bits_per_byte = 1;
    __m256i value;

    static lanes load(const char* from) noexcept {
        return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))};
    }
    static lanes splat(unsigned char byte) noexcept { return {_mm256_set1_epi8(static_cast<char>(byte))}; }
    lanes operator|(lanes other) const noexcept { return {_mm256_or_si256(value, other.value)}; }
    lanes and_not(lanes other) const noexcept { return {_mm256_andnot_si256(other.value, value)}; }
    lanes minus(lanes other) const noexcept { return {_mm256_sub_epi8(value, other.value)}; }
    lanes equals(unsigned char byte) const noexcept { return {_mm256_cmpeq_epi8(value, splat(byte).value)}; }
    lanes at_most(unsigned char byte) const noexcept {
        return {_mm256_cmpeq_epi8(_mm256_min_epu8(value, splat(byte).value), value)};
    }
    lanes at_least(unsigned char byte) const noexcept {
        return {_mm256_cmpeq_epi8(_mm256_max_epu8(value, splat(byte).value), value)};
    }
    std::uint64_t mask() const noexcept { return static_cast<std::uint32_t>(_mm256_movemask_epi8(value)); }
};

}  // namespace avx2

#endif

#elif defined(__ARM_NEON) && defined(__aarch64__)

namespace neon {

struct lanes {
    static constexpr std::size_t width = 16;
    static constexpr unsigned bits_per_byte = 4;  // NEON has no movemask; narrowing leaves four bits for each byte
    uint8x16_t value;

    static lanes load(const char* from) noexcept { return {vld1q_u8(reinterpret_cast<const std::uint8_t*>(from))}; }
    static lanes splat(unsigned char byte) noexcept { return {vdupq_n_u8(byte)}; }
    lanes operator|(lanes other) const noexcept { return {vorrq_u8(value, other.value)}; }
    lanes and_not(lanes other) const noexcept { return {vbicq_u8(value, other.value)}; }
    lanes minus(lanes other) const noexcept { return {vsubq_u8(value, other.value)}; }
    lanes equals(unsigned char byte) const noexcept { return {vceqq_u8(value, splat(byte).value)}; }
    lanes at_most(unsigned char byte) const noexcept { return {vcleq_u8(value, splat(byte).value)}; }
    lanes at_least(unsigned char byte) const noexcept { return {vcgeq_u8(value, splat(byte).value)}; }
    std::uint64_t mask() const noexcept {
        return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(value), 4)), 0);
    }
};

}  // namespace neon

#endif

/// The bytes that end a scan, as vector arithmetic; each mirrors the predicate of its name.
namespace match {

template <class Lanes>
inline Lanes within(Lanes bytes, unsigned char low, unsigned char high) noexcept {
    return bytes.minus(Lanes::splat(low)).at_most(static_cast<unsigned char>(high - low));
}

struct control {
    template <class Lanes>
    static Lanes in(Lanes bytes) noexcept {
        return bytes.at_most(0x1f).and_not(bytes.equals('\t')) | bytes.equals(0x7f);
    }
};

struct not_token {
    template <class Lanes>
    static Lanes in(Lanes bytes) noexcept {
        return bytes.at_most(0x20) | bytes.equals('"') | within(bytes, '(', ')') | bytes.equals(',') |
               bytes.equals('/') | within(bytes, ':', '@') | within(bytes, '[', ']') | bytes.equals('{') |
               bytes.equals('}') | bytes.at_least(0x7f);
    }
};

struct not_target {
    template <class Lanes>
    static Lanes in(Lanes bytes) noexcept {
        return bytes.at_most(0x20) | bytes.equals('#') | bytes.at_least(0x7f);
    }
};

}  // namespace match

/// Whole vectors, then the rest byte by byte.
template <class Lanes, class Match>
inline const char* find_with(const char* begin, const char* end,
                             const char* (*tail)(const char*, const char*) noexcept) {
    while (static_cast<std::size_t>(end - begin) >= Lanes::width) {
        if (const std::uint64_t found = Match::in(Lanes::load(begin)).mask())
            return begin + static_cast<unsigned>(std::countr_zero(found)) / Lanes::bits_per_byte;
        begin += Lanes::width;
    }
    return tail(begin, end);
}

// --- What the parser calls. ---

#if defined(__AVX2__)
using widest = avx2::lanes;
using narrow = sse2::lanes;
#elif defined(__SSE2__)
using widest = sse2::lanes;
using narrow = sse2::lanes;
#elif defined(__ARM_NEON) && defined(__aarch64__)
using widest = neon::lanes;
using narrow = neon::lanes;
#else
#define PABAL_HTTP1_SCAN_SCALAR 1
#endif

/// The first control character (but HTAB): the end of a line, or a fault in it.
inline const char* find_control(const char* begin, const char* end) noexcept {
#ifdef PABAL_HTTP1_SCAN_SCALAR
    return scalar::find_control(begin, end);
#else
    return find_with<widest, match::control>(begin, end, scalar::find_control);
#endif
}

/// The first byte that cannot be in a token. Tokens are short: never more than sixteen bytes at a time.
inline const char* find_not_token(const char* begin, const char* end) noexcept {
#ifdef PABAL_HTTP1_SCAN_SCALAR
    return scalar::find_not_token(begin, end);
#else
    return find_with<narrow, match::not_token>(begin, end, scalar::find_not_token);
#endif
}

/// The first byte that cannot be in a request target.
inline const char* find_not_target(const char* begin, const char* end) noexcept {
#ifdef PABAL_HTTP1_SCAN_SCALAR
    return scalar::find_not_target(begin, end);
#else
    return find_with<widest, match::not_target>(begin, end, scalar::find_not_target);
#endif
}

}  // namespace pabal::http::scan
