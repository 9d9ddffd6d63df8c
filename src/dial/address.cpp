#include "dial/address.hpp"

#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

namespace pabal::dial {

namespace {

/// The interface after the '%' of a scoped literal (RFC 4007 section 11): a name or a number; 0 if there is no such.
std::uint32_t scope_of(const std::string& zone) {
    if (const unsigned index = ::if_nametoindex(zone.c_str()); index != 0) return index;
    std::uint32_t number = 0;
    const auto [end, failure] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
    return failure == std::errc{} && end == zone.data() + zone.size() ? number : 0;
}

}  // namespace

address address::ipv4(const void* four_bytes) noexcept {
    address made{.family = address_family::ipv4};
    std::memcpy(made.bytes.data(), four_bytes, 4);
    return made;
}

address address::ipv6(const void* sixteen_bytes) noexcept {
    address made{.family = address_family::ipv6};
    std::memcpy(made.bytes.data(), sixteen_bytes, 16);
    return made;
}

std::optional<address> address::parse(std::string_view literal) {
    const std::size_t percent = literal.find('%');
    const std::string text{literal.substr(0, percent)};
    std::array<std::uint8_t, 16> bytes{};
    if (percent == literal.npos && ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return ipv4(bytes.data());
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
    address made = ipv6(bytes.data());
    if (percent == literal.npos) return made;
    made.scope = scope_of(std::string{literal.substr(percent + 1)});
    return made.scope == 0 ? std::nullopt : std::optional{made};
}

address address::with_port(std::uint16_t number) const noexcept {
    address made = *this;
    made.port = number;
    return made;
}

transport::socket_address address::to_socket_address() const noexcept {
    transport::socket_address made;
    if (family == address_family::ipv4) {
        auto& ipv4 = *reinterpret_cast<sockaddr_in*>(&made.storage);
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port);
        std::memcpy(&ipv4.sin_addr, bytes.data(), 4);
        made.size = sizeof ipv4;
        return made;
    }
    auto& ipv6 = *reinterpret_cast<sockaddr_in6*>(&made.storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    ipv6.sin6_scope_id = scope;
    std::memcpy(&ipv6.sin6_addr, bytes.data(), 16);
    made.size = sizeof ipv6;
    return made;
}

std::string address::to_string() const {
    const transport::socket_address socket = to_socket_address();
    return transport::text_of(socket.get(), socket.size);
}

result<address> local_address(std::string_view literal) {
    if (const auto parsed = address::parse(literal)) return *parsed;
    return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                 "local_address must be an IP address of this machine, such as 192.0.2.7 or 2001:db8::7"};
}

}  // namespace pabal::dial
