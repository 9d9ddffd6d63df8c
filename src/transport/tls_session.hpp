#pragma once
/// \file
/// What every TLS connection is made of, with records (tls_transport.hpp) or without (quic_tls.hpp).

#include <memory>
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
};

void take_facts(tls_connection_facts& facts, const tls_context& context, tls_peer peer);
/// Of the facts' context; they must outlive it. Null: out of memory.
ssl_ptr make_ssl(tls_connection_facts& facts);
/// Makes it a client's: with the peer's name, and a session to resume if there is one. Error: the name is too long.
result<void> set_up_client(ssl_st* connection, const tls_connection_facts& facts);
/// Fills in what the handshake agreed on.
void describe_session(const ssl_st* connection, transport_description& description);

}  // namespace pabal::transport
