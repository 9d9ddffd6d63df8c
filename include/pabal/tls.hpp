#pragma once
/// \file
/// How a client verifies servers and identifies itself, and how a server identifies itself (TLS 1.2 and 1.3, BoringSSL).
///
/// These are plain values: making a connection's shared state of them is `transport::tls_context`'s work, which also reads
/// the files named here. Errors of that: `trust_store_unreadable`, `client_certificate_unusable`, `invalid_argument`.

#include <cstdint>
#include <string>
#include <vector>

namespace pabal {

/// Whether the path may read from a ClientHello which server is meant (Encrypted ClientHello, RFC 9849). The key for it is in the
/// origin's HTTPS record (RFC 9460), which costs a question to the DNS for each connection that is made. Through a proxy no such
/// question is asked: nothing is encrypted then.
enum class encrypted_client_hello : std::uint8_t {
    never,         ///< it is not asked for
    when_offered,  ///< where the origin publishes a key
    required,      ///< there is no connection without it
};

/// Trust and identity of a client. The default verifies against, in this order of precedence: `ca_file`; the bundle that
/// REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names; what SSL_CERT_FILE and SSL_CERT_DIR name; the system's roots; the fallback
/// bundle (`set_fallback_trust_bundle`).
struct tls_options {
    bool verify = true;              ///< false: accept any certificate (named leniency; never the default)
    std::string ca_file;             ///< PEM bundle, or a directory of them; empty: the default roots
    std::string client_certificate;  ///< PEM chain file; empty: none
    std::string client_key;          ///< PEM key file; empty: in the certificate file
    std::string client_key_password;
    std::vector<std::string> application_protocols{"http/1.1"};  ///< ALPN, in order of preference (RFC 7301)
    bool use_environment = true;  ///< false: ignore the environment variables named above
    encrypted_client_hello encrypted_hello = encrypted_client_hello::never;
    /// Over QUIC, where a session is resumed: GET, HEAD and OPTIONS without a body leave before the handshake is done (0-RTT, RFC
    /// 8446 section 2.3). Whoever records such a request can have the server see it again (RFC 8470 section 2).
    bool early_data = true;

    bool operator==(const tls_options&) const = default;
};

/// Identity of a server.
struct tls_server_options {
    std::string certificate;  ///< PEM text of the chain, leaf first
    std::string key;          ///< PEM text of the private key
    std::vector<std::string> application_protocols{"h2", "http/1.1"};
    std::string client_authorities;  ///< PEM text; not empty: clients must present a certificate issued by one of these

    bool operator==(const tls_server_options&) const = default;
};

/// A PEM bundle to fall back on where the system has no roots of its own (the Python package passes certifi's). Applies to
/// contexts made afterwards. May be called from any thread.
void set_fallback_trust_bundle(std::string path);

}  // namespace pabal
