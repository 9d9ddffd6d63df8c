#include "transport/throw_away_certificate.hpp"

#include <cstdint>
#include <ctime>

#include <arpa/inet.h>

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "transport/tls_pem.hpp"

namespace pabal::transport {

namespace {

constexpr std::int64_t hour = 3600;
constexpr std::int64_t lifetime = 30 * 24 * hour;

error failure() {
    return {error_code::tls_failed, phase::prepare, culprit::local, 0,
            "cannot make a certificate: " + take_library_error()};
}

bssl::UniquePtr<EVP_PKEY> make_key() {
    const bssl::UniquePtr<EC_KEY> point{EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)};
    bssl::UniquePtr<EVP_PKEY> key{EVP_PKEY_new()};
    if (!point || !key || !EC_KEY_generate_key(point.get()) || !EVP_PKEY_set1_EC_KEY(key.get(), point.get()))
        return nullptr;
    return key;
}

bool set_serial(X509* certificate) {
    std::uint64_t number = 0;
    RAND_bytes(reinterpret_cast<std::uint8_t*>(&number), sizeof number);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1);
}

bssl::UniquePtr<GENERAL_NAME> general_name(const std::string& name) {
    bssl::UniquePtr<GENERAL_NAME> made{GENERAL_NAME_new()};
    std::uint8_t bytes[16];
    const bool is_v4 = ::inet_pton(AF_INET, name.c_str(), bytes) == 1;
    const bool is_address = is_v4 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
    bssl::UniquePtr<ASN1_STRING> value{ASN1_STRING_type_new(is_address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING)};
    if (!made || !value) return nullptr;
    const void* data = is_address ? static_cast<const void*>(bytes) : name.data();
    const std::size_t size = !is_address ? name.size() : is_v4 ? 4 : 16;
    if (!ASN1_STRING_set(value.get(), data, static_cast<ossl_ssize_t>(size))) return nullptr;
    GENERAL_NAME_set0_value(made.get(), is_address ? GEN_IPADD : GEN_DNS, value.release());
    return made;
}

bool add_names(X509* certificate, std::span<const std::string> names) {
    const bssl::UniquePtr<GENERAL_NAMES> all{GENERAL_NAMES_new()};
    if (!all) return false;
    for (const std::string& name : names) {
        bssl::UniquePtr<GENERAL_NAME> one = general_name(name);
        if (!one || !bssl::PushToStack(all.get(), std::move(one))) return false;
    }
    return X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), /*crit=*/0, X509V3_ADD_DEFAULT);
}

bool add_extension(X509* certificate, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const bssl::UniquePtr<X509_EXTENSION> extension{X509V3_EXT_nconf_nid(nullptr, &context, kind, value)};
    return extension && X509_add_ext(certificate, extension.get(), -1);
}

/// What strict verifiers (Python 3.13's among them) want to see.
bool add_usage(X509* certificate) {
    return add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, NID_authority_key_identifier, "keyid");
}

template <class Write>
std::string pem_of(Write&& write) {
    const bssl::UniquePtr<BIO> bio{BIO_new(BIO_s_mem())};
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    if (!bio || !write(bio.get()) || !BIO_mem_contents(bio.get(), &data, &size)) return {};
    return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

result<throw_away_certificate> self_signed_certificate(std::span<const std::string> names) {
    if (names.empty())
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "a certificate needs at least one name"};
    const bssl::UniquePtr<EVP_PKEY> key = make_key();
    const bssl::UniquePtr<X509> certificate{X509_new()};
    if (!key || !certificate) return failure();
    const std::int64_t now = std::time(nullptr);
    static constexpr std::uint8_t common_name[] = "pabal throw-away certificate";
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    const bool filled = X509_set_version(certificate.get(), X509_VERSION_3) && set_serial(certificate.get()) &&
                        X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, common_name,
                                                   sizeof common_name - 1, -1, 0) &&
                        X509_set_issuer_name(certificate.get(), subject) &&
                        ASN1_TIME_set_posix(X509_getm_notBefore(certificate.get()), now - hour) &&
                        ASN1_TIME_set_posix(X509_getm_notAfter(certificate.get()), now + lifetime) &&
                        X509_set_pubkey(certificate.get(), key.get()) && add_names(certificate.get(), names) &&
                        add_usage(certificate.get()) && X509_sign(certificate.get(), key.get(), EVP_sha256());
    if (!filled) return failure();
    throw_away_certificate made;
    made.certificate = pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
    made.key = pem_of(
        [&](BIO* bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    if (made.certificate.empty() || made.key.empty()) return failure();
    return made;
}

}  // namespace pabal::transport
