#include "protocol/http/no_proxy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include <arpa/inet.h>

#include <pabal/fields.hpp>

#include "base/leading_bits.hpp"

namespace pabal::http {

namespace {

constexpr std::string_view separators = ", \t\r\n";

/// An address of either family; IPv4 takes the first four bytes.
struct address {
    std::array<unsigned char, 16> bytes{};
    unsigned bits = 0;  ///< 32 or 128

    bool operator==(const address&) const = default;
};

std::optional<address> parse_address(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
    text = text.substr(0, text.find('%'));  // a zone is no part of the address
    if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
    text.copy(terminated.data(), text.size());
    address parsed;
    if (::inet_pton(AF_INET, terminated.data(), parsed.bytes.data()) == 1) {
        parsed.bits = 32;
        return parsed;
    }
    if (::inet_pton(AF_INET6, terminated.data(), parsed.bytes.data()) != 1) return std::nullopt;
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    parsed.bits = 128;
    if (std::memcmp(parsed.bytes.data(), mapped.data(), mapped.size()) == 0) {
        address inner;
        inner.bits = 32;
        std::memcpy(inner.bytes.data(), parsed.bytes.data() + mapped.size(), 4);
        return inner;
    }
    return parsed;
}

std::optional<unsigned> parse_number(std::string_view text, unsigned most) noexcept {
    unsigned number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size() || number > most)
        return std::nullopt;
    return number;
}

bool is_in_block(const address& tested, const address& block, unsigned prefix) noexcept {
    if (tested.bits != block.bits) return false;
    return base::share_leading_bits(tested.bytes, block.bytes, prefix);
}

/// Takes ":port" off the end of an entry; nothing when there is something like it that is no port.
bool split_port(std::string_view& entry, std::optional<std::uint16_t>& port) noexcept {
    std::string_view digits;
    if (entry.starts_with('[')) {
        const std::size_t closing = entry.find(']');
        if (closing == entry.npos) return false;
        const std::string_view rest = entry.substr(closing + 1);
        entry = entry.substr(1, closing - 1);
        if (rest.empty()) return true;
        if (rest.front() != ':') return false;
        digits = rest.substr(1);
    } else {
        const std::size_t colon = entry.find(':');
        if (colon == entry.npos || entry.find(':', colon + 1) != entry.npos) return true;  // none, or bare IPv6
        digits = entry.substr(colon + 1);
        entry = entry.substr(0, colon);
    }
    const auto number = parse_number(digits, 65535);
    if (number) port = static_cast<std::uint16_t>(*number);
    return number.has_value();
}

std::string_view without_root(std::string_view name) noexcept {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

bool is_name_below(std::string_view name, std::string_view domain) noexcept {
    name = without_root(name);
    domain = without_root(domain);
    if (domain.starts_with("*.")) domain.remove_prefix(1);
    if (domain.starts_with('.')) domain.remove_prefix(1);
    if (domain.empty() || name.size() < domain.size()) return false;
    const std::size_t before = name.size() - domain.size();
    if (before > 0 && name[before - 1] != '.') return false;
    return equals_ignoring_case(name.substr(before), domain);
}

bool matches(std::string_view entry, std::string_view host, const std::optional<address>& host_address,
             std::uint16_t port) noexcept {
    if (entry == "*") return true;
    if (const std::size_t slash = entry.find('/'); slash != entry.npos) {
        std::string_view base = entry.substr(0, slash);
        if (base.starts_with('[') && base.ends_with(']')) base = base.substr(1, base.size() - 2);
        const auto block = parse_address(base);
        if (!block || !host_address) return false;
        const auto prefix = parse_number(entry.substr(slash + 1), block->bits);
        return prefix && is_in_block(*host_address, *block, *prefix);
    }
    std::optional<std::uint16_t> only_port;
    if (!split_port(entry, only_port)) return false;
    if (only_port && *only_port != port) return false;
    if (host_address) return parse_address(entry) == host_address;
    return is_name_below(host, entry);
}

}  // namespace

bool is_exempt_from_proxy(std::string_view list, std::string_view host, std::uint16_t port) noexcept {
    const auto host_address = parse_address(host);
    while (true) {
        const std::size_t begin = list.find_first_not_of(separators);
        if (begin == list.npos) return false;
        list.remove_prefix(begin);
        const std::size_t size = std::min(list.find_first_of(separators), list.size());
        if (matches(list.substr(0, size), host, host_address, port)) return true;
        list.remove_prefix(size);
    }
}

}  // namespace pabal::http
