#include "transport/quic_tls.hpp"

#include <cstdint>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/fork.hpp"
#include "transport/tls_callbacks.hpp"
#include "transport/tls_failure.hpp"
#include "transport/tls_session_cache.hpp"

namespace pabal::transport {

namespace {

constexpr std::uint8_t http3_offer[] = {2, 'h', '3'};

}  // namespace

quic_tls::quic_tls(tls_context_ptr context)
    : context_(std::move(context)), facts_(std::make_unique<tls_connection_facts>()) {}

quic_tls::~quic_tls() = default;

result<std::unique_ptr<quic_tls>> quic_tls::make(tls_context_ptr context, tls_peer peer) {
    ERR_clear_error();
    std::unique_ptr<quic_tls> made(new quic_tls(std::move(context)));
    take_facts(*made->facts_, *made->context_, std::move(peer));
    made->connection_ = make_ssl(*made->facts_);
    if (!made->connection_ || !SSL_set_min_proto_version(made->native(), TLS1_3_VERSION))
        return error{error_code::tls_failed, phase::tls, culprit::local, 0, "out of memory"};
    return made;
}

result<std::unique_ptr<quic_tls>> quic_tls::connect(tls_context_ptr context, tls_peer peer) {
    const base::no_fork whole;
    result<std::unique_ptr<quic_tls>> made = make(std::move(context), std::move(peer));
    if (!made) return made;
    SSL* connection = (*made)->native();
    SSL_set_alpn_protos(connection, http3_offer, sizeof http3_offer);
    if (auto ready = set_up_client(connection, *(*made)->facts_); !ready) return std::move(ready).error();
    const SSL_SESSION* resumed = SSL_get_session(connection);
    if (resumed && (*made)->context_->sends_early_data() && SSL_SESSION_early_data_capable(resumed))
        (*made)->remembered_ = remembered_with(resumed);
    SSL_set_early_data_enabled(connection, (*made)->remembered_.empty() ? 0 : 1);
    return made;
}

result<std::unique_ptr<quic_tls>> quic_tls::accept(tls_context_ptr context, std::string_view early_data_context) {
    const base::no_fork whole;
    result<std::unique_ptr<quic_tls>> made = make(std::move(context), {});
    if (!made) return made;
    SSL_set_accept_state((*made)->native());
    if (early_data_context.empty()) return made;
    SSL_set_early_data_enabled((*made)->native(), 1);
    SSL_set_quic_early_data_context((*made)->native(), reinterpret_cast<const std::uint8_t*>(early_data_context.data()),
                                    early_data_context.size());
    return made;
}

error quic_tls::handshake_failed() {
    const base::no_fork whole;
    const std::uint32_t packed = ERR_peek_error();
    facts_->hello_was_rejected = is_rejected_hello(packed);
    error failure = facts_->verification_failure ? *facts_->verification_failure : handshake_failure(*facts_, packed);
    ERR_clear_error();
    forget_sessions();
    return failure;
}

void quic_tls::remember(std::string what) { facts_->remembered = std::move(what); }

void quic_tls::forget_sessions() const { pabal::transport::forget_sessions(*facts_); }

error quic_tls::refused(int alert) const {
    const base::no_fork whole;
    forget_sessions();
    return {error_code::tls_handshake_failed, phase::tls, culprit::peer, 0, refused_by_peer(*facts_, alert)};
}

}  // namespace pabal::transport
