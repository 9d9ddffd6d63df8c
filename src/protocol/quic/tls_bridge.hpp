#pragma once
/// \file
/// The seam between BoringSSL, which makes the handshake's messages and its secrets, and ngtcp2, which carries and uses them
/// (RFC 9001 section 4).

#include <string>

struct ssl_st;

namespace pabal::quic {

class machine;

struct tls_bridge {
    /// From now on the handshake of `tls` goes through the machine. False: out of memory.
    static bool join(ssl_st* tls, machine& its_machine);
    static void part(ssl_st* tls) noexcept;
    /// "alert 'unknown CA' (48)".
    static std::string alert_text(int alert);
};

}  // namespace pabal::quic
