// Why a machine ended, in words.

#include <algorithm>

#include <ngtcp2/ngtcp2.h>

#include "protocol/quic/machine.hpp"
#include "protocol/quic/tls_bridge.hpp"
#include "protocol/quic/wire.hpp"

namespace pabal::quic {

namespace {

/// TLS alerts as errors of QUIC: RFC 9001 section 4.8.
constexpr std::uint64_t crypto_error = 0x100;

/// A reason as a peer wrote it, fit for a message.
std::string shown(std::string_view reason) {
    std::string text(reason.substr(0, 200));
    std::ranges::replace_if(
        text, [](char letter) { return static_cast<unsigned char>(letter) < ' ' || letter == 0x7f; }, '?');
    return text;
}

}  // namespace

error machine::why(int code) const {
    const phase where = established_ ? phase::read : phase::tls;
    const auto failed = [&](error_code what, std::string message, culprit whose = culprit::peer) {
        return error{what, where, whose, 0, std::move(message)};
    };
    switch (code) {
    case NGTCP2_ERR_DRAINING:
    case NGTCP2_ERR_CLOSING:
        if (reset_by_stranger_)
            return failed(error_code::connection_reset,
                          "the " + peer() + " no longer knows the QUIC connection (stateless reset)");
        return peers_close();
    case NGTCP2_ERR_IDLE_CLOSE:
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
        return {established_ ? error_code::connection_closed : error_code::connect_failed,
                established_ ? phase::read : phase::connect, culprit::network, 0,
                "the QUIC connection is gone: nothing came for too long"};
    case NGTCP2_ERR_CRYPTO:
        return failed(error_code::tls_handshake_failed,
                      "the TLS handshake failed: " +
                          tls_bridge::alert_text(ngtcp2_conn_get_tls_alert2(connection_.get())));
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
    case NGTCP2_ERR_VERSION_NEGOTIATION_FAILURE:
        return failed(error_code::unsupported, "the " + peer() + " does not speak QUIC version 1");
    case NGTCP2_ERR_NOMEM: return failed(error_code::connection_closed, "out of memory", culprit::local);
    default: return failed(error_code::malformed_message, "the " + peer() + " broke QUIC: " + ngtcp2_strerror(code));
    }
}

/// The peer's CONNECTION_CLOSE (RFC 9000 section 19.19), in words.
error machine::peers_close() const {
    const ngtcp2_ccerr& said = *ngtcp2_conn_get_ccerr2(connection_.get());
    const std::string reason = said.reasonlen > 0 ? ": " + shown(text_of(said.reason, said.reasonlen)) : std::string();
    if (said.type == NGTCP2_CCERR_TYPE_APPLICATION)
        return {error_code::connection_closed, phase::read, culprit::peer, 0,
                "the " + peer() + " ended the connection (code " + std::to_string(said.error_code) + ")" + reason};
    if (const auto alert = peers_alert())
        return {error_code::tls_handshake_failed, phase::tls, culprit::peer, 0,
                "the " + peer() + " refused the TLS handshake: " + tls_bridge::alert_text(*alert) + reason};
    return {error_code::connection_closed, established_ ? phase::read : phase::tls, culprit::peer, 0,
            "the " + peer() + " ended the QUIC connection (transport code " + std::to_string(said.error_code) + ")" +
                reason};
}

std::optional<int> machine::peers_alert() const noexcept {
    const ngtcp2_ccerr& said = *ngtcp2_conn_get_ccerr2(connection_.get());
    if (said.type != NGTCP2_CCERR_TYPE_TRANSPORT || said.error_code < crypto_error ||
        said.error_code >= 2 * crypto_error)
        return std::nullopt;
    return static_cast<int>(said.error_code - crypto_error);
}

}  // namespace pabal::quic
