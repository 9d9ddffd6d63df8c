#include "dial/network.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "base/leading_bits.hpp"

namespace pabal::dial {

namespace {

constexpr std::size_t shown_at_most = 64;

unsigned bits_of(const address& whose) noexcept { return whose.family == address_family::ipv4 ? 32 : 128; }

/// The address with everything beyond `prefix` bits cleared.
address masked(address whole, unsigned prefix) noexcept {
    for (unsigned at = 0; at < whole.bytes.size(); ++at) {
        const unsigned kept = prefix <= 8 * at ? 0 : std::min(prefix - 8 * at, 8U);
        whole.bytes[at] = static_cast<std::uint8_t>(whole.bytes[at] & (0xFF00U >> kept));
    }
    return whole;
}

error refused(std::string_view text, std::string_view why) {
    std::string shown(text.substr(0, shown_at_most));
    std::ranges::replace_if(
        shown, [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == 0x7f; }, '?');
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0,
            "\"" + shown + "\" is no network: " + std::string(why)};
}

}  // namespace

result<network> network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view literal = text.substr(0, slash);
    const auto base = address::parse(literal);
    if (!base || literal.find('%') != literal.npos)
        return refused(text, "it must be an address and a prefix length, such as 10.0.0.0/8 or fc00::/7");
    network made{*base, bits_of(*base)};
    if (slash == text.npos) return made;
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), made.prefix);
    if (digits.empty() || failure != std::errc{} || end != digits.data() + digits.size() ||
        made.prefix > bits_of(*base))
        return refused(text, "the prefix length must be from 0 to " + std::to_string(bits_of(*base)));
    const address begin = masked(*base, made.prefix);
    if (begin != *base)
        return refused(text, "it has bits beyond its prefix; write " + network{begin, made.prefix}.to_string());
    return made;
}

bool network::contains(const address& tested) const noexcept {
    return tested.family == base.family && base::share_leading_bits(tested.bytes, base.bytes, prefix);
}

std::string network::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(base.family == address_family::ipv4 ? AF_INET : AF_INET6, base.bytes.data(), text.data(), text.size());
    return std::string(text.data()) + '/' + std::to_string(prefix);
}

}  // namespace pabal::dial
