#pragma once
/// \file
/// What a server publishes so that clients encrypt their ClientHello (RFC 9849 section 4), and has to read it with.

#include <cstdint>
#include <string>

#include <gtest/gtest.h>
#include <openssl/hpke.h>
#include <openssl/ssl.h>

namespace pabal::dial::testing {

/// A pair of keys to encrypt with, under the name that is told in the clear.
class hello_keys {
public:
    hello_keys(std::uint8_t id, const char* public_name) {
        EVP_HPKE_KEY_generate(key_.get(), EVP_hpke_x25519_hkdf_sha256());
        std::uint8_t* config = nullptr;
        std::size_t size = 0;
        EXPECT_TRUE(SSL_marshal_ech_config(&config, &size, id, key_.get(), public_name, 64));
        config_.assign(reinterpret_cast<char*>(config), size);
        OPENSSL_free(config);
    }
    /// ECHConfigList, as a record publishes it.
    std::string published() const {
        std::string list{static_cast<char>(config_.size() >> 8U), static_cast<char>(config_.size())};
        return list + config_;
    }
    void give_to(SSL_CTX* server) const {
        const bssl::UniquePtr<SSL_ECH_KEYS> keys(SSL_ECH_KEYS_new());
        EXPECT_TRUE(SSL_ECH_KEYS_add(keys.get(), 1, reinterpret_cast<const std::uint8_t*>(config_.data()),
                                     config_.size(), key_.get()));
        EXPECT_TRUE(SSL_CTX_set1_ech_keys(server, keys.get()));
    }

private:
    bssl::ScopedEVP_HPKE_KEY key_;
    std::string config_;
};

}  // namespace pabal::dial::testing
