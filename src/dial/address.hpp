#pragma once
/// \file
/// An Internet address and port, as resolvers give it and connection attempts take it. A plain value.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

#include "transport/socket_address.hpp"

namespace pabal::dial {

enum class address_family : std::uint8_t { ipv6, ipv4 };  ///< in the order of preference (RFC 8305 section 4)

struct address {
    address_family family = address_family::ipv4;
    std::array<std::uint8_t, 16> bytes{};  ///< network order; the first four for IPv4
    std::uint16_t port = 0;
    std::uint32_t scope = 0;  ///< interface of a link-local IPv6 address, else 0

    static address ipv4(const void* four_bytes) noexcept;
    static address ipv6(const void* sixteen_bytes) noexcept;
    /// "192.0.2.1", "2001:db8::1", "fe80::1%eth0": strictly, so no "127.1" and no octal (they are names, and bad ones).
    static std::optional<address> parse(std::string_view literal);

    address with_port(std::uint16_t number) const noexcept;
    transport::socket_address to_socket_address() const noexcept;
    /// "192.0.2.1:443", "[2001:db8::1]:443".
    std::string to_string() const;

    /// 0.0.0.0 or ::, which names no one.
    bool is_unspecified() const noexcept { return bytes == std::array<std::uint8_t, 16>{}; }

    bool operator==(const address&) const = default;
};

/// The address of this machine that a session's connections are to leave from. invalid_argument, the caller's fault: no IP
/// address.
result<address> local_address(std::string_view literal);

}  // namespace pabal::dial
