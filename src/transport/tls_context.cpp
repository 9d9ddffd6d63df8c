#include "transport/tls_context.hpp"

#include <algorithm>
#include <list>
#include <mutex>
#include <optional>
#include <utility>

#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include "base/fork.hpp"
#include "transport/tls_callbacks.hpp"
#include "transport/tls_key_log.hpp"
#include "transport/tls_pem.hpp"
#include "transport/tls_session_cache.hpp"
#include "transport/tls_trust.hpp"

namespace pabal::transport {

namespace {

// TLS 1.2 (TLS 1.3 suites are not configurable): forward secrecy always; AEAD first, CBC for servers that have nothing else.
constexpr const char* cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";

error invalid(std::string message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)};
}

/// The wire form of ALPN, RFC 7301 section 3.1.
result<std::vector<std::uint8_t>> wire_form(const std::vector<std::string>& names) {
    std::vector<std::uint8_t> wire;
    for (const std::string& name : names) {
        if (name.empty() || name.size() > 255) return invalid("an application protocol's name has 1 to 255 bytes");
        wire.push_back(static_cast<std::uint8_t>(name.size()));
        wire.insert(wire.end(), name.begin(), name.end());
    }
    if (wire.size() > 65535) return invalid("too many application protocols");
    return wire;
}

result<identity> read_client_identity(const tls_options& options) {
    const std::string& key_file = options.client_key.empty() ? options.client_certificate : options.client_key;
    result<std::string> certificate =
        read_pem_file(options.client_certificate, error_code::client_certificate_unusable);
    if (!certificate) return std::move(certificate).error();
    result<std::string> key = read_pem_file(key_file, error_code::client_certificate_unusable);
    if (!key) return std::move(key).error();
    return identity_from_pem(*certificate, *key, options.client_key_password, {options.client_certificate, key_file});
}

bool use_identity(SSL_CTX* native, const identity& own) {
    std::vector<CRYPTO_BUFFER*> chain;
    chain.reserve(own.chain.size());
    for (const auto& certificate : own.chain) chain.push_back(certificate.get());
    return SSL_CTX_set_chain_and_key(native, chain.data(), chain.size(), own.key.get(), nullptr);
}

/// Contexts that somebody may hold, by everything that makes them differ.
class interned_contexts {
public:
    std::shared_ptr<const tls_context> find(const std::string& key) {
        const auto found = std::ranges::find(known_, key, &known::key);
        if (found == known_.end()) return nullptr;
        std::shared_ptr<const tls_context> context = found->context.lock();
        if (!context) known_.erase(found);
        return context;
    }
    void add(std::string key, const std::shared_ptr<const tls_context>& context) {
        known_.remove_if([](const known& each) { return each.context.expired(); });
        if (known_.size() >= tls_context::max_interned) known_.pop_back();
        known_.push_front({std::move(key), context});
    }
    std::mutex mutex;

private:
    struct known {
        std::string key;
        std::weak_ptr<const tls_context> context;
    };
    std::list<known> known_;
};

interned_contexts& interned() {
    static auto& contexts = *new interned_contexts;
    return contexts;
}

/// Unambiguous: each part is preceded by its size.
class key_builder {
public:
    key_builder& add(std::string_view part) {
        text_ += std::to_string(part.size()) + ':';
        text_ += part;
        return *this;
    }
    key_builder& add(const std::vector<std::string>& parts) {
        add(std::to_string(parts.size()));
        for (const std::string& part : parts) add(part);
        return *this;
    }
    /// A file's name and state: a renewed certificate makes another context.
    key_builder& add_file(const std::string& path) {
        struct stat facts{};
        add(path);
        if (path.empty() || ::stat(path.c_str(), &facts) != 0) return add("");
        return add(std::to_string(facts.st_dev) + ' ' + std::to_string(facts.st_ino) + ' ' +
                   std::to_string(facts.st_size) + ' ' + std::to_string(facts.st_mtim.tv_sec) + ' ' +
                   std::to_string(facts.st_mtim.tv_nsec));
    }
    /// A digest, because the parts may be secrets.
    std::string take() {
        std::string digest(SHA256_DIGEST_LENGTH, '\0');
        SHA256(reinterpret_cast<const std::uint8_t*>(text_.data()), text_.size(),
               reinterpret_cast<std::uint8_t*>(digest.data()));
        OPENSSL_cleanse(text_.data(), text_.size());
        return digest;
    }

private:
    std::string text_;
};

std::string log_path(const std::shared_ptr<key_log>& log) { return log ? log->path() : std::string{}; }

}  // namespace

tls_context::tls_context(bool is_server, std::vector<std::string> application_protocols)
    : is_server_(is_server),
      application_protocols_(std::move(application_protocols)),
      sessions_(std::make_unique<tls_session_cache>()) {}

tls_context::~tls_context() {
    const base::no_fork whole;
    sessions_.reset();
    SSL_CTX_free(native_);
    X509_STORE_free(trust_);
}

result<void> tls_context::set_up() {
    // "with buffers": certificates stay bytes that the pool shares; X509 objects exist only while a chain is verified.
    native_ = SSL_CTX_new(TLS_with_buffers_method());
    if (!native_) return error{error_code::tls_failed, phase::prepare, culprit::local, 0, "out of memory"};
    SSL_CTX_set_min_proto_version(native_, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(native_, TLS1_3_VERSION);
    if (!SSL_CTX_set_strict_cipher_list(native_, cipher_list))
        return error{error_code::tls_failed, phase::prepare, culprit::local, 0, "ciphers: " + take_library_error()};
    SSL_CTX_set_mode(native_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set0_buffer_pool(native_, certificate_pool());
    result<std::vector<std::uint8_t>> protocols = wire_form(application_protocols_);
    if (!protocols) return std::move(protocols).error();
    if (is_server_) {
        static constexpr std::uint8_t session_context[] = {'p', 'a', 'b', 'a', 'l'};
        SSL_CTX_set_session_id_context(native_, session_context, sizeof session_context);
        if (!protocols->empty()) SSL_CTX_set_alpn_select_cb(native_, tls_callbacks::select_application_protocol, this);
    } else {
        SSL_CTX_set_alpn_protos(native_, protocols->data(), protocols->size());
        SSL_CTX_set_session_cache_mode(native_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(native_, tls_callbacks::keep_session);
    }
    if (!is_server_ || trust_) {
        const int mode = trust_ ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE;
        SSL_CTX_set_custom_verify(native_, mode, tls_callbacks::verify);
    }
    if (key_log_) SSL_CTX_set_keylog_callback(native_, tls_callbacks::log_key);
    return {};
}

result<std::shared_ptr<const tls_context>> tls_context::make_client(const tls_options& options) {
    const base::no_fork whole;
    ERR_clear_error();
    std::optional<trust_source> source;
    if (options.verify) {
        result<trust_source> chosen = choose_trust_source(options);
        if (!chosen) return std::move(chosen).error();
        source = std::move(*chosen);
    }
    std::shared_ptr<key_log> log = key_log::from_environment();
    std::string key = key_builder{}
                          .add("client")
                          .add(source ? fingerprint_of(*source) : "unverified")
                          .add_file(options.client_certificate)
                          .add_file(options.client_key)
                          .add(options.client_key_password)
                          .add(options.application_protocols)
                          .add(std::to_string(static_cast<int>(options.encrypted_hello)))
                          .add(std::to_string(static_cast<int>(options.early_data)))
                          .add(log_path(log))
                          .take();
    const std::lock_guard lock{interned().mutex};
    if (std::shared_ptr<const tls_context> known = interned().find(key)) return known;

    std::shared_ptr<tls_context> made{new tls_context{false, options.application_protocols}};
    made->key_log_ = std::move(log);
    made->encrypted_hello_ = options.encrypted_hello;
    made->sends_early_data_ = options.early_data;
    if (source) {
        result<bssl::UniquePtr<X509_STORE>> trust = load_trust(*source);
        if (!trust) return std::move(trust).error();
        made->trust_ = trust->release();
    }
    if (result<void> done = made->set_up(); !done) return std::move(done).error();
    if (!options.client_certificate.empty()) {
        result<identity> own = read_client_identity(options);
        if (!own) return std::move(own).error();
        if (!use_identity(made->native_, *own))
            return error{error_code::client_certificate_unusable, phase::prepare, culprit::caller, 0,
                         options.client_certificate + ": " + take_library_error()};
    } else if (!options.client_key.empty()) {
        return error{error_code::client_certificate_unusable, phase::prepare, culprit::caller, 0,
                     "a client key was given without a client certificate"};
    }
    interned().add(std::move(key), made);
    return std::shared_ptr<const tls_context>{std::move(made)};
}

result<std::shared_ptr<const tls_context>> tls_context::make_server(const tls_server_options& options) {
    const base::no_fork whole;
    ERR_clear_error();
    std::shared_ptr<key_log> log = key_log::from_environment();
    std::string key = key_builder{}
                          .add("server")
                          .add(options.certificate)
                          .add(options.key)
                          .add(options.client_authorities)
                          .add(options.application_protocols)
                          .add(log_path(log))
                          .take();
    const std::lock_guard lock{interned().mutex};
    if (std::shared_ptr<const tls_context> known = interned().find(key)) return known;

    std::shared_ptr<tls_context> made{new tls_context{true, options.application_protocols}};
    made->key_log_ = std::move(log);
    result<identity> own =
        identity_from_pem(options.certificate, options.key, {}, {"the server's certificate", "the server's key"});
    if (!own) return invalid(std::move(own.error().message));
    if (!options.client_authorities.empty()) {
        result<bssl::UniquePtr<X509_STORE>> trust = trust_from_pem(options.client_authorities);
        if (!trust) return std::move(trust).error();
        made->trust_ = trust->release();
    }
    if (result<void> done = made->set_up(); !done) return std::move(done).error();
    if (!use_identity(made->native_, *own)) return invalid("the server's certificate: " + take_library_error());
    interned().add(std::move(key), made);
    return std::shared_ptr<const tls_context>{std::move(made)};
}

}  // namespace pabal::transport
