#pragma once
/// \file
/// Numbers and bytes as protocols write them that count in hexadecimal: error codes in messages, digests, identifiers.

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace pabal::base {

/// "0x1f".
inline std::string hexadecimal(std::uint64_t number) {
    std::array<char, 16> digits{};
    char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
    return "0x" + std::string(digits.data(), end);
}

/// Two digits for each byte: "00ff1e".
inline std::string hexadecimal_bytes(std::string_view bytes) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (const char letter : bytes) {
        const auto byte = static_cast<unsigned char>(letter);
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace pabal::base
