#pragma once
/// \file
/// What many TLS connections share: an SSL_CTX with its trust store, identity, ALPN list and session cache.
///
/// Contexts are interned: equal options (and an equal state of the files they name) give the same pointer for as long as
/// somebody holds it. The pool therefore may compare pointers, and connections of different trust never mix.
///
/// Immutable once made; used by any number of connections on any number of threads. Both functions read files (the trust
/// store, parsed once per process; certificates), so call them when the first https request comes, not at start-up.
///
/// Environment: SSL_CERT_FILE, SSL_CERT_DIR, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE (see pabal/tls.hpp), SSLKEYLOGFILE.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <pabal/result.hpp>
#include <pabal/tls.hpp>

struct ssl_ctx_st;
struct x509_store_st;

namespace pabal::transport {

class tls_session_cache;
class key_log;

class tls_context {
public:
    /// At most this many contexts are remembered for sharing; beyond, the oldest is forgotten (it keeps working).
    static constexpr std::size_t max_interned = 256;

    /// Errors: `trust_store_unreadable`, `client_certificate_unusable`, `invalid_argument` (ALPN names).
    static result<std::shared_ptr<const tls_context>> make_client(const tls_options& options);
    /// Errors: `invalid_argument` (certificate or key unusable, ALPN names), `trust_store_unreadable` (client authorities).
    static result<std::shared_ptr<const tls_context>> make_server(const tls_server_options& options);

    ~tls_context();
    tls_context(const tls_context&) = delete;
    tls_context& operator=(const tls_context&) = delete;

    bool is_server() const noexcept { return is_server_; }
    /// False: any certificate is accepted (client), none is asked for (server).
    bool verifies_peer() const noexcept { return trust_ != nullptr; }
    /// The ALPN names offered or accepted, in order of preference.
    const std::vector<std::string>& application_protocols() const noexcept { return application_protocols_; }

    ssl_ctx_st* native() const noexcept { return native_; }
    x509_store_st* trust() const noexcept { return trust_; }
    /// A client's.
    encrypted_client_hello encrypted_hello() const noexcept { return encrypted_hello_; }
    /// Likewise: as tls_options::early_data.
    bool sends_early_data() const noexcept { return sends_early_data_; }

    tls_session_cache& sessions() const noexcept { return *sessions_; }
    key_log* log() const noexcept { return key_log_.get(); }

private:
    tls_context(bool is_server, std::vector<std::string> application_protocols);
    result<void> set_up();

    bool is_server_;
    std::vector<std::string> application_protocols_;
    encrypted_client_hello encrypted_hello_ = encrypted_client_hello::never;
    bool sends_early_data_ = false;
    ssl_ctx_st* native_ = nullptr;
    x509_store_st* trust_ = nullptr;
    std::unique_ptr<tls_session_cache> sessions_;
    std::shared_ptr<key_log> key_log_;
};

using tls_context_ptr = std::shared_ptr<const tls_context>;

}  // namespace pabal::transport
