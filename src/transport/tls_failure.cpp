#include "transport/tls_failure.hpp"

#include <cstring>
#include <string>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "transport/tls_callbacks.hpp"
#include "transport/tls_pem.hpp"
#include "transport/tls_session_cache.hpp"
#include "transport/tls_transport.hpp"

namespace pabal::transport {

namespace {

std::string alert_text(int alert) {
    return std::string{"alert '"} + SSL_alert_desc_string_long(alert) + "' (" + std::to_string(alert) + ")";
}

/// The alert a packed error stands for, or -1. BoringSSL reports a received alert as reason 1000 + its number.
int alert_of(std::uint32_t packed) {
    const int reason = packed && ERR_GET_LIB(packed) == ERR_LIB_SSL ? ERR_GET_REASON(packed) : 0;
    return reason >= SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : -1;
}

bool is_reason(std::uint32_t packed, int reason) {
    return packed && ERR_GET_LIB(packed) == ERR_LIB_SSL && ERR_GET_REASON(packed) == reason;
}

/// Alerts by which a TLS 1.3 server rejects a client's certificate; they come after the client's handshake is done.
bool is_about_certificates(int alert) {
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) || alert == SSL_AD_UNKNOWN_CA ||
           alert == SSL_AD_ACCESS_DENIED || alert == SSL_AD_CERTIFICATE_REQUIRED;
}

std::string hint_for(int alert, bool is_server) {
    if (is_server) return {};
    switch (alert) {
    case SSL_AD_UNRECOGNIZED_NAME: return "; it knows no host of that name";
    case SSL_AD_NO_APPLICATION_PROTOCOL: return "; it speaks none of the offered protocols";
    case SSL_AD_PROTOCOL_VERSION: return "; it wants a TLS version that is not offered (TLS 1.2 and 1.3 are)";
    case SSL_AD_HANDSHAKE_FAILURE: return "; no common ciphers, or it wants a client certificate";
    case SSL_AD_CERTIFICATE_REQUIRED: return "; it wants a client certificate";
    default: return {};
    }
}

}  // namespace

std::string peer_name(const tls_connection_facts& facts) {
    return facts.context->is_server() || facts.host.empty() ? "the peer" : facts.host;
}

bool is_rejected_hello(std::uint32_t packed) { return is_reason(packed, SSL_R_ECH_REJECTED); }

void forget_sessions(const tls_connection_facts& facts) {
    if (!facts.session_key.empty()) facts.context->sessions().forget(facts.session_key);
}

void tls_transport::fail(int outcome) {
    facts_->hello_was_rejected = is_rejected_hello(ERR_peek_error());
    if (!failure_) failure_ = std::make_unique<error>(failure_of(outcome));
    ERR_clear_error();
    if (!established_) forget_sessions(*facts_);
}

error tls_transport::failure_of(int outcome) const {
    if (facts_->verification_failure) return *facts_->verification_failure;
    const std::uint32_t packed = ERR_peek_error();
    if (!established_) return own_handshake_failure(packed);
    if (inner_ended_ && SSL_get_error(connection_.get(), outcome) == SSL_ERROR_SYSCALL)
        return {error_code::connection_closed, phase::read, culprit::peer, 0,
                peer_name(*facts_) +
                    " closed the connection without TLS's close_notify: what was received may be truncated"};
    const int alert = alert_of(packed);
    if (alert >= 0 && is_about_certificates(alert))
        return {error_code::tls_handshake_failed, phase::tls, culprit::peer, 0,
                peer_name(*facts_) + " refused the client certificate: " + alert_text(alert) +
                    hint_for(alert, context_->is_server())};
    if (alert >= 0)
        return {error_code::tls_failed, phase::read, culprit::peer, 0,
                peer_name(*facts_) + " ended the TLS connection: " + alert_text(alert)};
    return {error_code::tls_failed, phase::read, culprit::peer, 0,
            "TLS connection with " + peer_name(*facts_) + ": " + take_library_error()};
}

/// What concerns a connection with records only; else as for all.
error tls_transport::own_handshake_failure(std::uint32_t packed) const {
    const auto failure = [](std::string message, culprit whose = culprit::peer) {
        return error{error_code::tls_handshake_failed, phase::tls, whose, 0, std::move(message)};
    };
    const std::string peer = peer_name(*facts_);
    if (!context_->is_server() && first_bytes_size_ == sizeof first_bytes_ &&
        std::memcmp(first_bytes_, "HTTP/", sizeof first_bytes_) == 0)
        return failure(
            peer + " answered in plain HTTP: this port does not speak TLS; is the URL meant to begin with http://?");
    if (is_reason(packed, SSL_R_HTTP_REQUEST) || is_reason(packed, SSL_R_HTTPS_PROXY_REQUEST))
        return failure("the peer sent a plain HTTP request to a port that speaks TLS");
    if (inner_ended_ && packed == 0)
        return failure(peer + " closed the connection during the TLS handshake", culprit::network);
    return handshake_failure(*facts_, packed);
}

std::string refused_by_peer(const tls_connection_facts& facts, int alert) {
    return peer_name(facts) + " refused the TLS handshake: " + alert_text(alert) +
           hint_for(alert, facts.context->is_server());
}

error handshake_failure(const tls_connection_facts& facts, std::uint32_t packed) {
    const auto failure = [](std::string message) {
        return error{error_code::tls_handshake_failed, phase::tls, culprit::peer, 0, std::move(message)};
    };
    const std::string peer = peer_name(facts);
    if (const int alert = alert_of(packed); alert >= 0) return failure(refused_by_peer(facts, alert));
    if (is_reason(packed, SSL_R_WRONG_VERSION_NUMBER))
        return failure(peer + " does not speak TLS: its answer is something else");
    if (is_reason(packed, SSL_R_UNSUPPORTED_PROTOCOL))
        return failure(peer + " offers only TLS versions older than 1.2");
    if (is_reason(packed, SSL_R_NO_SHARED_CIPHER)) return failure(peer + " offers no cipher that this side accepts");
    if (is_rejected_hello(packed))
        return failure(peer + " does not read what it published to encrypt a ClientHello with (ECH)");
    if (is_reason(packed, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)) return failure(peer + " presented no certificate");
    return failure("TLS handshake with " + peer + ": " + take_library_error());
}

}  // namespace pabal::transport
