#pragma once
/// \file
/// What every TLS connection is made of, with records (tls_transport.hpp) or without (quic_tls.hpp).

#include <memory>
#include <optional>
#include <string>

#include <pabal/result.hpp>

struct ssl_st;

namespace pabal::transport {

class tls_context;
struct tls_connection_facts;
struct transport_description;

struct ssl_deleter {
    void operator()(ssl_st* connection) const;
};
using ssl_ptr = std::unique_ptr<ssl_st, ssl_deleter>;

/// Whom a client expects.
struct tls_peer {
    std::string host;         ///< SNI (unless an IP literal, RFC 6066 section 3) and the name to verify
    std::string session_key;  ///< names the peer in the session cache, e.g. "example.com:443"; empty: never resume
    /// ECHConfigList, with which the ClientHello is encrypted (RFC 9849); empty: it is not. A list that has nothing that is known
    /// here is as good as an empty one.
    std::string encrypted_hello_keys;
};

void take_facts(tls_connection_facts& facts, const tls_context& context, tls_peer peer);
/// Of the facts' context; they must outlive it. Null: out of memory.
ssl_ptr make_ssl(tls_connection_facts& facts);
/// Makes it a client's: with the peer's name, and a session to resume if there is one. Errors: the name is too long; the list of
/// keys for an encrypted ClientHello is malformed.
result<void> set_up_client(ssl_st* connection, const tls_connection_facts& facts);
/// After a failed handshake. nullopt: it did not fail because the peer could not read the encrypted ClientHello. Else the peer, whose
/// certificate for the name in that list was good, says what to encrypt with; empty: not at all (RFC 9849 section 6.1.6).
std::optional<std::string> retry_keys_of(const ssl_st* connection, const tls_connection_facts& facts);
/// Fills in what the handshake agreed on.
void describe_session(const ssl_st* connection, transport_description& description);

}  // namespace pabal::transport
