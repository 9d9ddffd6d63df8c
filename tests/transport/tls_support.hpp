#pragma once
/// \file
/// What the TLS tests share: certificates of every kind, made on the spot, and a client and a server joined in memory.

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <pabal/tls.hpp>

#include "reactor/simulated_poller.hpp"
#include "support/temporary_folder.hpp"
#include "transport/memory_transport.hpp"
#include "transport/tls_transport.hpp"

namespace pabal::transport::testing {

using pabal::testing::temporary_folder;

/// A certificate to be made; the defaults are a good server certificate.
struct certificate_wish {
    std::vector<std::string> dns_names{"quotes.example"};
    std::vector<std::string> ip_addresses;
    std::string common_name = "quotes.example";
    std::int64_t begins = -3600;  ///< seconds from now
    std::int64_t ends = 86400;
    bool is_authority = false;
    bool for_clients = false;
    std::string key_password;
};

struct made_certificate {
    bssl::UniquePtr<X509> certificate;
    bssl::UniquePtr<EVP_PKEY> key;
    std::string pem;
    std::string key_pem;
};

inline std::string contents(BIO* bio) {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    return BIO_mem_contents(bio, &data, &size) ? std::string{reinterpret_cast<const char*>(data), size} : std::string{};
}

inline std::string subject_alternative_names(const certificate_wish& wish) {
    std::string list;
    for (const auto& name : wish.dns_names) list.append(list.empty() ? "" : ",").append("DNS:").append(name);
    for (const auto& address : wish.ip_addresses) list.append(list.empty() ? "" : ",").append("IP:").append(address);
    return list;
}

/// Issued by `issuer`, or self-signed without one.
inline made_certificate make_certificate(const certificate_wish& wish, const made_certificate* issuer = nullptr) {
    made_certificate made{bssl::UniquePtr<X509>{X509_new()}, bssl::UniquePtr<EVP_PKEY>{EVP_PKEY_new()}, {}, {}};
    const bssl::UniquePtr<EC_KEY> point{EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)};
    EC_KEY_generate_key(point.get());
    EVP_PKEY_set1_EC_KEY(made.key.get(), point.get());
    X509* certificate = made.certificate.get();
    static std::uint64_t serial = 1;
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial++);
    X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
                               reinterpret_cast<const std::uint8_t*>(wish.common_name.data()),
                               static_cast<ossl_ssize_t>(wish.common_name.size()), -1, 0);
    X509* above = issuer ? issuer->certificate.get() : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(above));
    const std::int64_t now = std::time(nullptr);
    ASN1_TIME_set_posix(X509_getm_notBefore(certificate), now + wish.begins);
    ASN1_TIME_set_posix(X509_getm_notAfter(certificate), now + wish.ends);
    X509_set_pubkey(certificate, made.key.get());
    const auto extend = [&](int kind, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, above, certificate, nullptr, nullptr, 0);
        const bssl::UniquePtr<X509_EXTENSION> extension{X509V3_EXT_nconf_nid(nullptr, &context, kind, value.c_str())};
        if (!extension || !X509_add_ext(certificate, extension.get(), -1)) std::abort();
    };
    extend(NID_basic_constraints, wish.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wish.is_authority) extend(NID_ext_key_usage, wish.for_clients ? "clientAuth" : "serverAuth");
    const std::string names = subject_alternative_names(wish);
    if (!names.empty() && !wish.is_authority) extend(NID_subject_alt_name, names);
    X509_sign(certificate, issuer ? issuer->key.get() : made.key.get(), EVP_sha256());

    const bssl::UniquePtr<BIO> bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(bio.get(), certificate);
    made.pem = contents(bio.get());
    const bssl::UniquePtr<BIO> key_bio{BIO_new(BIO_s_mem())};
    const bool encrypted = !wish.key_password.empty();
    PEM_write_bio_PKCS8PrivateKey(key_bio.get(), made.key.get(), encrypted ? EVP_aes_256_cbc() : nullptr,
                                  wish.key_password.c_str(), static_cast<int>(wish.key_password.size()), nullptr,
                                  nullptr);
    made.key_pem = contents(key_bio.get());
    return made;
}

inline made_certificate make_authority(const std::string& name = "Test Root") {
    return make_certificate({.dns_names = {}, .common_name = name, .is_authority = true});
}

/// Sets or (nullptr) unsets an environment variable for as long as it lives.
class scoped_variable {
public:
    scoped_variable(const char* name, const char* value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        value ? ::setenv(name, value, 1) : ::unsetenv(name);
    }
    ~scoped_variable() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

private:
    const char* name_;
    std::optional<std::string> old_;
};

struct listening_observer final : transport_observer {
    void on_transport_ready(readiness now) override { seen.readable |= now.readable, seen.writable |= now.writable; }
    readiness seen;
};

/// A client and a server over a pair of memory transports.
class tls_link {
public:
    tls_link(tls_context_ptr client_context, tls_context_ptr server_context, tls_peer peer,
             const memory_wire& wire = {})
        : reactor(std::make_unique<reactor::simulated_poller>()) {
        memory_pair pair = make_memory_pair(reactor, wire, wire);
        client = tls_transport::connect(std::move(pair.first), std::move(client_context), std::move(peer)).value();
        server = tls_transport::accept(std::move(pair.second), std::move(server_context)).value();
    }

    /// Runs both handshakes; returns the first error, the client's before the server's.
    std::optional<error> shake_hands() {
        constexpr int patience = 20000;
        for (int step = 0; step < patience; ++step) {
            const auto of_client = client->handshake();
            const auto of_server = server->handshake();
            reactor.turn(std::chrono::milliseconds(1));
            if (!of_client) return of_client.error();
            if (!of_server) return of_server.error();
            if (client->is_established() && server->is_established()) return std::nullopt;
        }
        return error{error_code::timed_out, phase::tls, culprit::local, 0, "the handshake does not come to an end"};
    }

    /// Reads until the end, an error, or nothing more comes.
    struct received {
        std::string bytes;
        bool ended = false;
        std::optional<error> failure;
    };
    received read_all(pabal::transport::transport& from, std::size_t buffer_size = 4096,
                      std::size_t until = std::string::npos) {
        received all;
        std::string buffer(buffer_size, '\0');
        for (int idle = 0; idle < 200 && all.bytes.size() < until;) {
            const auto got = from.read({buffer.data(), buffer.size()});
            if (!got) return all.failure = got.error(), all;
            if (got->what == io_outcome::kind::end) return all.ended = true, all;
            if (got->what == io_outcome::kind::moved) {
                idle = 0;
                all.bytes.append(buffer.data(), got->size);
            } else {
                ++idle;
                reactor.turn(std::chrono::milliseconds(1));
            }
        }
        return all;
    }

    pabal::reactor::reactor reactor;
    std::unique_ptr<tls_transport> client;
    std::unique_ptr<tls_transport> server;
};

/// A server's context for a certificate (with the chain that it is to send).
inline tls_context_ptr server_context(const made_certificate& leaf, const std::string& intermediates = {},
                                      std::vector<std::string> protocols = {"http/1.1"},
                                      const std::string& client_authorities = {}) {
    tls_server_options options;
    options.certificate = leaf.pem + intermediates;
    options.key = leaf.key_pem;
    options.application_protocols = std::move(protocols);
    options.client_authorities = client_authorities;
    return tls_context::make_server(options).value();
}

}  // namespace pabal::transport::testing
