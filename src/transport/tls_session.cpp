#include "transport/tls_session.hpp"

#include <cstdint>
#include <utility>

#include <openssl/pool.h>
#include <openssl/ssl.h>

#include "base/fork.hpp"
#include "transport/tls_callbacks.hpp"
#include "transport/tls_context.hpp"
#include "transport/tls_session_cache.hpp"
#include "transport/tls_verify.hpp"
#include "transport/transport.hpp"

namespace pabal::transport {

namespace {

/// A name as DNS has it: without the root's dot.
std::string without_root(std::string host) {
    if (host.size() > 1 && host.back() == '.') host.pop_back();
    return host;
}

}  // namespace

void ssl_deleter::operator()(ssl_st* connection) const {
    const base::no_fork whole;
    SSL_free(connection);
}

void take_facts(tls_connection_facts& facts, const tls_context& context, tls_peer peer) {
    facts.context = &context;
    facts.host = without_root(std::move(peer.host));
    facts.session_key = std::move(peer.session_key);
    facts.encrypted_hello_keys = std::move(peer.encrypted_hello_keys);
}

ssl_ptr make_ssl(tls_connection_facts& facts) {
    ssl_ptr made(SSL_new(facts.context->native()));
    if (!made) return nullptr;
    SSL_set_app_data(made.get(), &facts);
    SSL_set_shed_handshake_config(made.get(), 1);
    return made;
}

result<void> set_up_client(ssl_st* connection, const tls_connection_facts& facts) {
    SSL_set_connect_state(connection);
    if (!facts.host.empty() && !is_ip_literal(facts.host) && !SSL_set_tlsext_host_name(connection, facts.host.c_str()))
        return error{error_code::invalid_argument, phase::tls, culprit::caller, 0,
                     "'" + facts.host + "' is too long for a server name"};
    if (const std::string& keys = facts.encrypted_hello_keys;
        !keys.empty() &&
        !SSL_set1_ech_config_list(connection, reinterpret_cast<const std::uint8_t*>(keys.data()), keys.size()))
        return error{error_code::tls_handshake_failed, phase::tls, culprit::peer, 0,
                     "what " + facts.host + " publishes to encrypt a ClientHello with (ECH) is malformed"};
    if (facts.session_key.empty()) return {};
    if (const auto session = facts.context->sessions().take(facts.session_key))
        SSL_set_session(connection, session.get());
    return {};
}

std::optional<std::string> retry_keys_of(const ssl_st* connection, const tls_connection_facts& facts) {
    if (!facts.hello_was_rejected) return std::nullopt;
    const std::uint8_t* keys = nullptr;
    std::size_t size = 0;
    SSL_get0_ech_retry_configs(connection, &keys, &size);
    return std::string(reinterpret_cast<const char*>(keys), size);
}

void describe_session(const ssl_st* connection, transport_description& description) {
    const std::uint8_t* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(connection, &protocol, &size);
    if (size > 0) description.application_protocol.assign(reinterpret_cast<const char*>(protocol), size);
    description.tls_version = SSL_get_version(connection);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(connection))
        description.cipher = SSL_CIPHER_standard_name(cipher);
    const STACK_OF(CRYPTO_BUFFER)* chain = SSL_get0_peer_certificates(connection);
    if (chain && sk_CRYPTO_BUFFER_num(chain) > 0) {
        const CRYPTO_BUFFER* leaf = sk_CRYPTO_BUFFER_value(chain, 0);
        description.peer_certificate.assign(reinterpret_cast<const char*>(CRYPTO_BUFFER_data(leaf)),
                                            CRYPTO_BUFFER_len(leaf));
    }
    description.tls_session_resumed = SSL_session_reused(connection);
    description.encrypted_client_hello = SSL_ech_accepted(connection);
}

}  // namespace pabal::transport
