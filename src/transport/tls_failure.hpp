#pragma once
/// \file
/// What went wrong with a TLS handshake, in words.

#include <cstdint>
#include <string>

#include <pabal/error.hpp>

namespace pabal::transport {

struct tls_connection_facts;

/// Whom it was with: "example.com", or "the peer".
std::string peer_name(const tls_connection_facts& facts);
/// "example.com refused the TLS handshake: alert '…' (48); …", of an alert that came from there.
std::string refused_by_peer(const tls_connection_facts& facts, int alert);
/// From BoringSSL's packed error, which may be 0.
pabal::error handshake_failure(const tls_connection_facts& facts, std::uint32_t packed);
/// The failure is that the peer did not read the encrypted ClientHello, but has proved who it is (RFC 9849 section 6.1.6).
bool is_rejected_hello(std::uint32_t packed);
/// A session may be why a handshake failed; the next attempt shall be a full one.
void forget_sessions(const tls_connection_facts& facts);

}  // namespace pabal::transport
