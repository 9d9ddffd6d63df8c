#include "transport/tls_pem.hpp"

#include <cstring>
#include <system_error>

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/file.hpp"

namespace pabal::transport {

namespace {

error unreadable(const std::string& path, int number, error_code code) {
    return {code, phase::prepare, culprit::caller, number,
            "cannot read " + path + ": " + std::generic_category().message(number)};
}

error unusable(std::string message) {
    return {error_code::client_certificate_unusable, phase::prepare, culprit::caller, 0, std::move(message)};
}

bssl::UniquePtr<BIO> bio_over(std::string_view text) {
    return bssl::UniquePtr<BIO>{BIO_new_mem_buf(text.data(), static_cast<ossl_ssize_t>(text.size()))};
}

/// A password that is asked for but was not given is an error, never a question on the terminal.
int give_password(char* out, int size, int, void* given) {
    const auto& password = *static_cast<const std::string*>(given);
    if (password.size() > static_cast<std::size_t>(size)) return -1;
    return static_cast<int>(password.copy(out, static_cast<std::size_t>(size)));
}

bool is_certificate_label(const char* label) {
    return std::strcmp(label, "CERTIFICATE") == 0 || std::strcmp(label, "X509 CERTIFICATE") == 0 ||
           std::strcmp(label, "TRUSTED CERTIFICATE") == 0;
}

}  // namespace

result<std::string> read_pem_file(const std::string& path, error_code code) {
    std::string text;
    if (const int failed = base::read_file(path, max_pem_file_size, text)) return unreadable(path, failed, code);
    return text;
}

std::vector<std::string> certificates_in_pem(std::string_view pem) {
    std::vector<std::string> found;
    const bssl::UniquePtr<BIO> bio = bio_over(pem);
    char* label = nullptr;
    char* header = nullptr;
    std::uint8_t* data = nullptr;
    long size = 0;
    while (bio && PEM_read_bio(bio.get(), &label, &header, &data, &size)) {
        const bssl::UniquePtr<char> label_owner{label};
        const bssl::UniquePtr<char> header_owner{header};
        const bssl::UniquePtr<std::uint8_t> data_owner{data};
        if (!is_certificate_label(label)) continue;
        // A TRUSTED CERTIFICATE carries OpenSSL's own attributes after the certificate: only the first element counts.
        CBS all;
        CBS certificate;
        CBS_init(&all, data, static_cast<std::size_t>(size));
        if (!CBS_get_asn1_element(&all, &certificate, CBS_ASN1_SEQUENCE)) continue;
        found.emplace_back(reinterpret_cast<const char*>(CBS_data(&certificate)), CBS_len(&certificate));
    }
    ERR_clear_error();  // the end of the text is reported as an error too
    return found;
}

result<identity> identity_from_pem(std::string_view certificate_pem, std::string_view key_pem,
                                   const std::string& password, const identity_names& names) {
    identity made;
    for (const std::string& der : certificates_in_pem(certificate_pem)) {
        made.chain.emplace_back(
            CRYPTO_BUFFER_new(reinterpret_cast<const std::uint8_t*>(der.data()), der.size(), certificate_pool()));
        if (!made.chain.back()) return unusable("out of memory");
    }
    if (made.chain.empty()) return unusable(names.certificate + " holds no certificate in PEM form");

    const bssl::UniquePtr<BIO> bio = bio_over(key_pem);
    made.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, const_cast<std::string*>(&password)));
    if (!made.key) {
        const bool encrypted = key_pem.find("ENCRYPTED") != std::string_view::npos;
        const bool present = key_pem.find("PRIVATE KEY-----") != std::string_view::npos;
        const std::string reason = take_library_error();
        if (!present) return unusable(names.key + " holds no private key in PEM form");
        if (encrypted && password.empty()) return unusable("the private key in " + names.key + " needs a password");
        if (encrypted) return unusable("the private key in " + names.key + " cannot be decrypted: wrong password?");
        return unusable("the private key in " + names.key + " cannot be used: " + reason);
    }

    // The same check a context makes, here so that the message can name the files.
    CBS leaf;
    CRYPTO_BUFFER_init_CBS(made.chain.front().get(), &leaf);
    const bssl::UniquePtr<SSL_CTX> trial{SSL_CTX_new(TLS_with_buffers_method())};
    CRYPTO_BUFFER* const leaf_buffer = made.chain.front().get();
    if (!trial || !SSL_CTX_set_chain_and_key(trial.get(), &leaf_buffer, 1, made.key.get(), nullptr)) {
        const std::uint32_t why = ERR_peek_last_error();
        const bool mismatch =
            ERR_GET_REASON(why) == X509_R_KEY_VALUES_MISMATCH || ERR_GET_REASON(why) == X509_R_KEY_TYPE_MISMATCH;
        const std::string reason = take_library_error();
        if (mismatch)
            return unusable("the private key in " + names.key + " does not belong to the certificate in " +
                            names.certificate);
        return unusable("the certificate in " + names.certificate + " cannot be used: " + reason);
    }
    return made;
}

CRYPTO_BUFFER_POOL* certificate_pool() {
    // Never freed: sessions and contexts of any thread may outlive static destruction.
    static CRYPTO_BUFFER_POOL* const pool = CRYPTO_BUFFER_POOL_new();
    return pool;
}

std::string take_library_error() {
    const std::uint32_t packed = ERR_peek_last_error();
    const char* reason = packed ? ERR_reason_error_string(packed) : nullptr;
    std::string text = reason ? reason : "unknown reason";
    ERR_clear_error();
    for (char& letter : text) {
        if (letter == '_') letter = ' ';
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    return text;
}

}  // namespace pabal::transport
