#pragma once
/// \file
/// Numbers as protocols write them that count in hexadecimal: error codes in messages.

#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace pabal::base {

/// "0x1f".
inline std::string hexadecimal(std::uint64_t number) {
    std::array<char, 16> digits{};
    char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
    return "0x" + std::string(digits.data(), end);
}

}  // namespace pabal::base
