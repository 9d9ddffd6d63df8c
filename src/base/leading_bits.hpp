#pragma once
/// \file
/// Whether two byte strings begin with the same bits: how an address is found to lie in a block (RFC 4632 section 3.1).

#include <cstring>
#include <span>

namespace pabal::base {

/// The first `count` bits of both, most significant bit first. Both must have that many.
inline bool share_leading_bits(std::span<const unsigned char> left, std::span<const unsigned char> right,
                               unsigned count) noexcept {
    const unsigned whole = count / 8;
    if (std::memcmp(left.data(), right.data(), whole) != 0) return false;
    const unsigned rest = count % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<unsigned char>(0xFF << (8 - rest));
    return ((left[whole] ^ right[whole]) & mask) == 0;
}

}  // namespace pabal::base
