#include "protocol/http/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace pabal::http {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xFF;

constexpr std::array<std::uint8_t, 256> make_digit_table() {
    std::array<std::uint8_t, 256> table{};
    table.fill(no_digit);
    for (std::size_t value = 0; value < alphabet.size(); ++value)
        table[static_cast<unsigned char>(alphabet[value])] = static_cast<std::uint8_t>(value);
    return table;
}
constexpr std::array<std::uint8_t, 256> digit_values = make_digit_table();

}  // namespace

std::string base64_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::string_view group = bytes.substr(at, 3);
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i)
            bits = bits << 8U | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i) out += i <= group.size() ? alphabet[bits >> (18 - 6 * i) & 63U] : '=';
    }
    return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t at = 0; at < text.size(); at += 4) {
        std::string_view group = text.substr(at, 4);
        if (at + 4 == text.size()) {
            if (group.ends_with("==")) group.remove_suffix(2);
            else if (group.ends_with('=')) group.remove_suffix(1);
        }
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint8_t value =
                i < group.size() ? digit_values[static_cast<unsigned char>(group[i])] : std::uint8_t{0};
            if (value == no_digit) return std::nullopt;
            bits = bits << 6U | value;
        }
        const std::size_t size = group.size() - 1;
        if ((bits & ((1U << (8 * (3 - size))) - 1)) != 0) return std::nullopt;
        for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(bits >> (16 - 8 * i) & 0xFFU);
    }
    return out;
}

}  // namespace pabal::http
