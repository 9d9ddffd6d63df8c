#include "transport/tls_callbacks.hpp"

#include <optional>
#include <string_view>
#include <utility>

#include "transport/tls_context.hpp"
#include "transport/tls_key_log.hpp"
#include "transport/tls_session_cache.hpp"
#include "transport/tls_verify.hpp"

namespace pabal::transport {

namespace {

tls_connection_facts& facts_of(const SSL* connection) {
    return *static_cast<tls_connection_facts*>(SSL_get_app_data(connection));
}

}  // namespace

ssl_verify_result_t tls_callbacks::verify(SSL* connection, std::uint8_t* alert) {
    tls_connection_facts& facts = facts_of(connection);
    if (!facts.context->verifies_peer()) return ssl_verify_ok;
    const peer_role role = facts.context->is_server() ? peer_role::client : peer_role::server;
    // A peer that could not read an encrypted ClientHello has to be whom the clear one named (RFC 9849 section 6.1.7).
    const char* public_name = nullptr;
    std::size_t public_name_size = 0;
    SSL_get0_ech_name_override(connection, &public_name, &public_name_size);
    const std::string expected = public_name_size > 0 ? std::string(public_name, public_name_size) : facts.host;
    std::optional<verification_failure> failed =
        verify_chain(SSL_get0_peer_certificates(connection), facts.context->trust(), role, expected);
    if (!failed) return ssl_verify_ok;
    *alert = failed->alert;
    facts.verification_failure = std::make_unique<error>(std::move(failed->what));
    return ssl_verify_invalid;
}

int tls_callbacks::keep_session(SSL* connection, SSL_SESSION* session) {
    const tls_connection_facts& facts = facts_of(connection);
    if (facts.session_key.empty()) return 0;
    if (!facts.remembered.empty()) remember_with(session, facts.remembered);
    facts.context->sessions().put(facts.session_key, bssl::UniquePtr<SSL_SESSION>{session});
    return 1;  // ownership of the session was taken
}

int tls_callbacks::select_application_protocol(SSL*, const std::uint8_t** selected, std::uint8_t* selected_size,
                                               const std::uint8_t* offered, unsigned offered_size, void* context) {
    const std::string_view names{reinterpret_cast<const char*>(offered), offered_size};
    for (const std::string& accepted : static_cast<const tls_context*>(context)->application_protocols()) {
        for (std::size_t at = 0; at < names.size();) {
            const auto size = static_cast<std::uint8_t>(names[at]);
            if (names.substr(at + 1, size) == accepted) {
                *selected = offered + at + 1;
                *selected_size = size;
                return SSL_TLSEXT_ERR_OK;
            }
            at += 1U + size;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 section 3.2: no_application_protocol
}

void tls_callbacks::log_key(const SSL* connection, const char* line) {
    if (key_log* log = facts_of(connection).context->log()) log->write(line);
}

}  // namespace pabal::transport
