#include "protocol/http/host.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <arpa/inet.h>

#include "protocol/http/field_reader.hpp"

namespace pabal::http {

namespace {

constexpr std::size_t max_label_size = 63;  // RFC 1035 section 2.3.4
constexpr std::size_t max_name_size = 253;

enum : std::uint8_t { label_byte = 0, dot = 1, upper = 2, high = 4, bad = 8 };

constexpr std::array<std::uint8_t, 256> make_host_table() {
    std::array<std::uint8_t, 256> table{};
    table.fill(bad);
    for (std::size_t c = '0'; c <= '9'; ++c) table[c] = label_byte;
    for (std::size_t c = 'a'; c <= 'z'; ++c) table[c] = label_byte;
    for (std::size_t c = 'A'; c <= 'Z'; ++c) table[c] = upper;
    table['-'] = table['_'] = label_byte;
    table['.'] = dot;
    for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = high;
    return table;
}
constexpr std::array<std::uint8_t, 256> host_table = make_host_table();

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_hex_digit(char c) noexcept { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_number(std::string_view label) noexcept {
    if (label.size() >= 2 && label[0] == '0' && (label[1] | 0x20) == 'x')
        return std::all_of(label.begin() + 2, label.end(), is_hex_digit);
    return !label.empty() && std::all_of(label.begin(), label.end(), is_digit);
}

/// Exactly four decimal numbers up to 255 without leading zeros.
bool is_dotted_decimal(std::string_view host) noexcept {
    for (int part = 0; part < 4; ++part) {
        std::size_t digits = 0;
        unsigned value = 0;
        while (digits < host.size() && is_digit(host[digits]) && digits < 4) {
            value = value * 10 + static_cast<unsigned>(host[digits] - '0');
            ++digits;
        }
        if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && host[0] == '0')) return false;
        host.remove_prefix(digits);
        if (part == 3) return host.empty();
        if (host.empty() || host[0] != '.') return false;
        host.remove_prefix(1);
    }
    return false;
}

host_verdict invalid(const char* fault) noexcept { return {host_form::invalid, fault}; }

}  // namespace

host_verdict classify_host(std::string_view host) noexcept {
    // One pass finds what bytes there are, where the last label begins, and whether a label is empty or too long. A
    // final dot ends the last label instead of beginning an empty one.
    unsigned seen = 0;
    std::size_t label_start = 0;
    bool empty_label = false;
    bool long_label = false;
    const std::size_t end = !host.empty() && host.back() == '.' ? host.size() - 1 : host.size();
    for (std::size_t at = 0; at < end; ++at) {
        const unsigned kind = host_table[static_cast<unsigned char>(host[at])];
        seen |= kind;
        if (kind == dot) {
            empty_label |= at == label_start;
            long_label |= at - label_start > max_label_size;
            label_start = at + 1;
        }
    }
    if (end == 0) return invalid("the host is empty");
    if ((seen & bad) != 0) return invalid("the host contains a character that no host name has");
    if ((seen & high) != 0) return {host_form::not_ascii, nullptr};
    if (empty_label || label_start == end) return invalid("the host has an empty label");
    if (long_label || end - label_start > max_label_size)
        return invalid("the host has a label longer than 63 characters");
    if (end > max_name_size) return invalid("the host is longer than 253 characters");
    const std::string_view name = host.substr(0, end);
    if (is_digit(name[label_start]) && is_number(name.substr(label_start))) {
        if (is_dotted_decimal(host)) return {host_form::ipv4, nullptr};
        return invalid("the host looks like an IPv4 address but is not one in dotted decimal");
    }
    return {(seen & upper) != 0 ? host_form::name_mixed_case : host_form::name, nullptr};
}

std::optional<std::string> normalise_ipv6(std::string_view literal) {
    std::string_view zone;
    if (const auto percent = literal.find('%'); percent != std::string_view::npos) {
        zone = literal.substr(percent + 1);
        if (zone.starts_with("25")) zone.remove_prefix(2);
        const auto is_zone_byte = [](char c) {
            return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == '_' || c == '-' ||
                   c == '~';
        };
        if (zone.empty() || !std::all_of(zone.begin(), zone.end(), is_zone_byte)) return std::nullopt;
        literal = literal.substr(0, percent);
    }
    // inet_pton wants a terminated string; the longest form has 45 characters.
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (literal.size() >= text.size()) return std::nullopt;
    std::copy(literal.begin(), literal.end(), text.begin());
    in6_addr address;
    if (inet_pton(AF_INET6, text.data(), &address) != 1) return std::nullopt;
    if (inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr) return std::nullopt;
    std::string normalised = text.data();
    if (!zone.empty()) normalised.append("%").append(zone);
    return normalised;
}

std::optional<std::string> read_host(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) {
        auto literal = normalise_ipv6(text.substr(1, text.size() - 2));
        return literal && literal->find('%') == literal->npos ? literal : std::nullopt;
    }
    switch (classify_host(text).form) {
    case host_form::name:
    case host_form::name_mixed_case:
    case host_form::ipv4: return lower_case(text);
    case host_form::not_ascii:
    case host_form::invalid: break;
    }
    return std::nullopt;
}

std::string write_host(std::string_view host) {
    if (host.find(':') == host.npos) return std::string(host);
    return '[' + std::string(host) + ']';
}

}  // namespace pabal::http
