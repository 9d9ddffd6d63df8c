#pragma once
/// \file
/// What a QUIC server says to datagrams of no connection, without keeping anything of them: Version Negotiation (RFC 9000 section
/// 6), Retry (section 8.1.2), stateless reset (section 10.3), and what it proves later with nothing but its secret: that an
/// address is whose it says it is (section 8.1), and that it was itself who gave a connection ID.
///
///     destination_of(datagram) ──▶ a connection that is known: it is that one's
///          │ nobody's
///          ▼
///     judge(datagram, …) ──▶ a connection begins, or an answer to send, or nothing

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/quic/machine.hpp"

namespace pabal::quic {

/// Of the connection IDs that a server chooses.
inline constexpr std::size_t server_id_size = 18;

/// What the first datagram of a connection says.
struct initial {
    std::uint32_t version = 0;
    std::string source;                  ///< the client's own connection ID
    std::string destination;             ///< what it calls the server: an ID that the connection goes by at first
    std::optional<std::string> retried;  ///< what it called it before a Retry, with which it proved its address
    std::string token;                   ///< as it brought it; empty: none that counts
};

class stateless_server {
public:
    /// How long a client may take to come back with the token of a Retry, and with one of NEW_TOKEN.
    static constexpr std::chrono::seconds retry_holds{10};
    static constexpr std::chrono::hours token_holds{24};

    /// With a secret of its own, which dies with it.
    stateless_server();

    /// Whom the datagram is for. nullopt: it is not QUIC.
    static std::optional<std::string_view> destination_of(std::string_view datagram) noexcept;

    struct judgement {
        std::optional<initial> begins;  ///< a connection does
        std::string answer;             ///< else: what to send back; empty: nothing
    };
    /// Of a datagram for nobody who is known. `remote`: whom it came from, as a socket address; `must_prove`: a client whose address is
    /// not proven is asked to come again (Retry).
    judgement judge(std::string_view datagram, std::string_view remote, bool must_prove, time_point now) const;

    /// With which a connection ID of ours is disowned (RFC 9000 section 10.3.2).
    std::array<std::uint8_t, 16> reset_token(std::string_view id) const;
    /// With which the client proves its address when it comes back (NEW_TOKEN, RFC 9000 section 8.1.3).
    std::string address_token(std::string_view remote, time_point now) const;

private:
    std::string version_negotiation(std::string_view datagram) const;
    std::string disown(std::string_view datagram) const;
    std::string retry(const initial& first, std::string_view remote, time_point now) const;

    std::array<std::uint8_t, 32> secret_;
};

}  // namespace pabal::quic
