#pragma once
/// \file
/// Whom a client trusts: which files hold the roots, and those files parsed, once per process however many contexts ask.
///
/// A system's bundle is some 140 certificates and a few milliseconds of parsing, so parsed stores are kept for the life of
/// the process, keyed by the files and their modification times (a bundle that is replaced is read anew). At most
/// `max_trust_stores` are kept.

#include <string>
#include <vector>

#include <openssl/base.h>

#include <pabal/result.hpp>
#include <pabal/tls.hpp>

namespace pabal::transport {

/// Test suites may use a bundle a test; a service uses one or two.
inline constexpr std::size_t max_trust_stores = 32;

/// Where roots come from.
struct trust_source {
    std::vector<std::string> files;
    std::vector<std::string> directories;
    std::string named_by;  ///< what chose them, for messages: "ca_file", "SSL_CERT_FILE", "the system"

    bool operator==(const trust_source&) const = default;
};

/// Decides, from the options, the environment, the system and the fallback bundle; reads no certificate.
result<trust_source> choose_trust_source(const tls_options& options);

/// Names the source and the state of its files: equal texts mean equal stores.
std::string fingerprint_of(const trust_source& source);

/// The parsed store, shared. Errors: `trust_store_unreadable`, naming the file.
result<bssl::UniquePtr<X509_STORE>> load_trust(const trust_source& source);

/// A store of the certificates in `pem` alone.
result<bssl::UniquePtr<X509_STORE>> trust_from_pem(const std::string& pem);

/// How many times a file or directory was parsed since the process began (for tests).
std::size_t trust_sources_parsed();

}  // namespace pabal::transport
