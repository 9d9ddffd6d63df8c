#pragma once
/// \file
/// Is this chain what it should be? Path validation by RFC 5280, names by RFC 6125 / RFC 9525.
///
/// Names are compared with the certificate's subject alternative names only: there is no fall-back to the common name, and a
/// wildcard must be a whole leftmost label. Every entry of the trust store is an anchor, so that a user may trust a
/// single server's certificate or an intermediate by itself.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/base.h>
#include <openssl/ssl.h>

#include <pabal/error.hpp>

namespace pabal::transport {

enum class peer_role : std::uint8_t { server, client };

struct verification_failure {
    pabal::error what;
    std::uint8_t alert;  ///< what to tell the peer
};

/// Names shown in a wrong-host message; a certificate may hold thousands.
inline constexpr std::size_t max_names_shown = 6;

/// Verifies `chain` (leaf first). `host` is a DNS name or an IP literal without brackets; it is checked when the peer is a
/// server. The failure has its own code for each kind, and a message that names the peer and, for a wrong host, the names
/// the certificate is for.
std::optional<verification_failure> verify_chain(const STACK_OF(CRYPTO_BUFFER) * chain, X509_STORE* trust,
                                                 peer_role role, const std::string& host);

/// Whether the certificate (DER) is for that host, by the same rules. Whether it can be trusted is another question.
bool is_certificate_for(std::string_view certificate, const std::string& host);

/// True for "127.0.0.1" and "::1".
bool is_ip_literal(const std::string& host);

}  // namespace pabal::transport
