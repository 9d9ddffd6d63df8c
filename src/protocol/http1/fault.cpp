#include "protocol/http1/fault.hpp"

namespace pabal::http1 {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

constexpr bool is_visible(unsigned char byte) noexcept { return byte > 0x20 && byte < 0x7f; }

}  // namespace

std::string excerpt(std::string_view bytes) {
    constexpr std::size_t shown = 24;
    std::string out = "\"";
    for (const char character : bytes.substr(0, shown)) {
        const auto byte = static_cast<unsigned char>(character);
        if ((is_visible(byte) || byte == ' ') && byte != '"' && byte != '\\') {
            out += character;
        } else {
            out += "\\x";
            out += hex_digits[byte >> 4];
            out += hex_digits[byte & 15];
        }
    }
    out += bytes.size() > shown ? "...\"" : "\"";
    return out;
}

std::string name_of_byte(unsigned char byte) {
    if (is_visible(byte)) return {'\'', static_cast<char>(byte), '\''};
    return {'0', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
}

}  // namespace pabal::http1
