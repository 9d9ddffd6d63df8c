#include "protocol/http/target.hpp"

#include <algorithm>
#include <cstddef>

#include "protocol/http/scan.hpp"

namespace pabal::http {

namespace {

constexpr bool is_alpha(unsigned char byte) noexcept { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; }

constexpr bool is_hex_digit(unsigned char byte) noexcept {
    return scan::is_digit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/// unreserved / sub-delims / "%" of RFC 3986; that two digits follow the "%" is checked apart.
constexpr scan::byte_set host_name_bytes = scan::make_set([](unsigned char byte) {
    constexpr std::string_view marks = "-._~!$&'()*+,;=%";
    return is_alpha(byte) || scan::is_digit(byte) || marks.find(static_cast<char>(byte)) != std::string_view::npos;
});

/// IPv6, with a zone (RFC 6874), and IPvFuture: told apart by whoever connects.
constexpr scan::byte_set ip_literal_bytes =
    scan::make_set([](unsigned char byte) { return host_name_bytes[byte] || byte == ':'; });

bool are_all(std::string_view text, const scan::byte_set& set) noexcept {
    return std::ranges::all_of(text, [&](char byte) { return set[static_cast<unsigned char>(byte)]; });
}

bool has_valid_escapes(std::string_view text) noexcept {
    for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (text.size() - at < 3 || !is_hex_digit(static_cast<unsigned char>(text[at + 1])) ||
            !is_hex_digit(static_cast<unsigned char>(text[at + 2])))
            return false;
    }
    return true;
}

bool is_port(std::string_view text) noexcept {
    constexpr std::size_t most_digits = 5;
    return text.size() <= most_digits &&
           std::ranges::all_of(text, [](char byte) { return scan::is_digit(static_cast<unsigned char>(byte)); });
}

/// Where the host ends in host[:port], or npos when it is not one.
std::size_t host_size(std::string_view text) noexcept {
    if (text.starts_with('[')) {
        const std::size_t closing = text.find(']');
        if (closing == std::string_view::npos || closing < 2) return std::string_view::npos;
        const std::string_view literal = text.substr(1, closing - 1);
        return are_all(literal, ip_literal_bytes) && has_valid_escapes(literal) ? closing + 1 : std::string_view::npos;
    }
    const std::size_t size = std::min(text.find(':'), text.size());
    const std::string_view name = text.substr(0, size);
    return are_all(name, host_name_bytes) && has_valid_escapes(name) ? size : std::string_view::npos;
}

/// scheme "://" authority …, the authority not empty and without user information (RFC 9110 section 4.2.4).
bool is_absolute_form(std::string_view target) noexcept {
    const std::size_t scheme = target.find("://");
    if (scheme == 0 || scheme == std::string_view::npos || !is_alpha(static_cast<unsigned char>(target[0])))
        return false;
    const auto is_scheme_byte = [](char byte) {
        const auto c = static_cast<unsigned char>(byte);
        return is_alpha(c) || scan::is_digit(c) || c == '+' || c == '-' || c == '.';
    };
    if (!std::ranges::all_of(target.substr(0, scheme), is_scheme_byte)) return false;
    const std::string_view rest = target.substr(scheme + 3);
    return is_authority(rest.substr(0, rest.find_first_of("/?")), false);
}

}  // namespace

bool is_authority(std::string_view text, bool may_be_empty) noexcept {
    if (text.empty()) return may_be_empty;
    const std::size_t host = host_size(text);
    if (host == std::string_view::npos || host == 0) return false;
    if (host == text.size()) return true;
    return text[host] == ':' && is_port(text.substr(host + 1));
}

std::string_view target_defect(std::string_view method, std::string_view target) noexcept {
    if (target.empty()) return "is empty";
    if (scan::find_not_target(target.data(), target.data() + target.size()) != target.data() + target.size())
        return "has a byte that must be percent-encoded";
    if (method == "CONNECT") {
        const bool valid = is_authority(target, false) && target.back() != ':' && target.back() != ']' &&
                           target.find(':') != std::string_view::npos;
        return valid ? "" : "of CONNECT is not host:port";
    }
    if (target.front() == '/' || is_absolute_form(target)) return {};
    if (target == "*") return method == "OPTIONS" ? "" : "\"*\" is for OPTIONS only";
    return "is neither a path nor an absolute URI";
}

}  // namespace pabal::http
