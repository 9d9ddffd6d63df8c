#pragma once
/// \file
/// What BoringSSL calls back during a connection, and the state of the connection that it then needs.

#include <cstdint>
#include <memory>
#include <string>

#include <openssl/ssl.h>

#include <pabal/error.hpp>

namespace pabal::transport {

class tls_context;

/// The app data of every SSL object that pabal makes.
struct tls_connection_facts {
    const tls_context* context = nullptr;
    std::string host;                  ///< client: whom the certificate must be for
    std::string session_key;           ///< client: the peer's name in the session cache; empty: sessions are not kept
    std::string encrypted_hello_keys;  ///< client: as tls_peer has them
    std::string remembered;  ///< client of QUIC: what is kept with the sessions that come (tls_session_cache.hpp)
    std::unique_ptr<pabal::error> verification_failure;
    bool hello_was_rejected = false;  ///< the peer did not read the encrypted ClientHello, and proved who it is
};

struct tls_callbacks {
    static ssl_verify_result_t verify(SSL* connection, std::uint8_t* alert);
    static int keep_session(SSL* connection, SSL_SESSION* session);
    static int select_application_protocol(SSL* connection, const std::uint8_t** selected, std::uint8_t* selected_size,
                                           const std::uint8_t* offered, unsigned offered_size, void* context);
    static void log_key(const SSL* connection, const char* line);
};

}  // namespace pabal::transport
