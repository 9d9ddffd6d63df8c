#pragma once
/// \file
/// Reading PEM (RFC 7468): bundles of certificates, chains, private keys. Anything between the blocks is ignored.

#include <string>
#include <string_view>
#include <vector>

#include <openssl/base.h>
#include <openssl/evp.h>
#include <openssl/pool.h>

#include <pabal/result.hpp>

namespace pabal::transport {

/// The largest PEM file that is read: ten times the bundles systems ship. What is larger is not a PEM file.
inline constexpr std::size_t max_pem_file_size = 16 * 1024 * 1024;

/// The whole file. The error's message names the file; `code` is the caller's.
result<std::string> read_pem_file(const std::string& path, error_code code);

/// The DER of every CERTIFICATE (also X509 CERTIFICATE, TRUSTED CERTIFICATE) block, in order.
std::vector<std::string> certificates_in_pem(std::string_view pem);

/// A chain ready for SSL_CTX_set_chain_and_key, and its key.
struct identity {
    std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> chain;
    bssl::UniquePtr<EVP_PKEY> key;
};

/// Where the PEM came from, for messages.
struct identity_names {
    std::string certificate;
    std::string key;
};

/// Reads chain and key and checks that they belong together. Errors: `client_certificate_unusable`.
result<identity> identity_from_pem(std::string_view certificate_pem, std::string_view key_pem,
                                   const std::string& password, const identity_names& names);

/// One process-wide pool, so that a certificate received a thousand times is kept once.
CRYPTO_BUFFER_POOL* certificate_pool();

/// What BoringSSL's error queue says, for people; empties it.
std::string take_library_error();

}  // namespace pabal::transport
