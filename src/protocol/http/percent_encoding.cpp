#include "protocol/http/percent_encoding.hpp"

#include <array>
#include <cstddef>

namespace pabal::http {

namespace {

constexpr std::array<bool, 256> make_unreserved_table() {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view{"-._~"}) table[static_cast<unsigned char>(c)] = true;
    return table;
}
constexpr std::array<bool, 256> is_unreserved = make_unreserved_table();

void append_octet(std::string& out, char byte) {
    constexpr char digits[] = "0123456789ABCDEF";
    const auto octet = static_cast<unsigned char>(byte);
    out += '%';
    out += digits[octet >> 4U];
    out += digits[octet & 15U];
}

int digit_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

void append_form_encoded(std::string& out, std::string_view text) {
    for (const char byte : text) {
        if (is_unreserved[static_cast<unsigned char>(byte)]) {
            out += byte;
        } else if (byte == ' ') {
            out += '+';
        } else {
            append_octet(out, byte);
        }
    }
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view text) {
    for (const char byte : text) {
        if (is_unreserved[static_cast<unsigned char>(byte)]) {
            out += byte;
        } else {
            append_octet(out, byte);
        }
    }
}

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%' && text.size() - at > 2) {
            const int high = digit_value(text[at + 1]);
            const int low = digit_value(text[at + 2]);
            if (high >= 0 && low >= 0) {
                out += static_cast<char>((high << 4) | low);
                at += 2;
                continue;
            }
        }
        out += text[at];
    }
    return out;
}

void append_form_pair(std::string& out, std::string_view name, std::string_view value) {
    if (!out.empty()) out += '&';
    append_form_encoded(out, name);
    out += '=';
    append_form_encoded(out, value);
}

}  // namespace pabal::http
