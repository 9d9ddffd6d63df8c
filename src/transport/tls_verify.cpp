#include "transport/tls_verify.hpp"

#include <vector>

#include <arpa/inet.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pool.h>
#include <openssl/x509.h>

#include "transport/tls_pem.hpp"

namespace pabal::transport {

namespace {

verification_failure failure(error_code code, std::uint8_t alert, std::string message) {
    return {{code, phase::tls, culprit::peer, 0, std::move(message)}, alert};
}

std::string contents_of(BIO* bio) {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    return BIO_mem_contents(bio, &data, &size) ? std::string{reinterpret_cast<const char*>(data), size} : std::string{};
}

std::string text_of(const ASN1_TIME* time) {
    const bssl::UniquePtr<BIO> bio{BIO_new(BIO_s_mem())};
    return bio && time && ASN1_TIME_print(bio.get(), time) ? contents_of(bio.get()) : "an unreadable date";
}

/// Certificates are the peer's words: only printable ASCII of them reaches messages and logs.
std::string printable(std::string_view text) {
    std::string clean;
    for (const char letter : text.substr(0, 256)) clean += letter >= 0x20 && letter < 0x7f ? letter : '?';
    return clean;
}

/// A name's common name, or else the whole of it.
std::string text_of(const X509_NAME* name) {
    char common[256];
    const int size = X509_NAME_get_text_by_NID(name, NID_commonName, common, sizeof common);
    if (size > 0) return printable({common, static_cast<std::size_t>(size)});
    const bssl::UniquePtr<BIO> bio{BIO_new(BIO_s_mem())};
    if (!bio || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE) < 0) return "an unreadable name";
    return printable(contents_of(bio.get()));
}

std::string text_of_address(const ASN1_OCTET_STRING* bytes) {
    char text[INET6_ADDRSTRLEN];
    const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
    if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return "a malformed address";
    return ::inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof text) ? text : "a malformed address";
}

std::vector<std::string> names_of(const X509* certificate) {
    std::vector<std::string> names;
    const bssl::UniquePtr<GENERAL_NAMES> alternatives{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    for (std::size_t index = 0; alternatives && index < sk_GENERAL_NAME_num(alternatives.get()); ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), index);
        if (name->type == GEN_DNS) {
            names.push_back(printable({reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName))}));
        } else if (name->type == GEN_IPADD) {
            names.push_back(text_of_address(name->d.iPAddress));
        }
    }
    return names;
}

std::string wrong_host_message(const X509* leaf, const std::string& host) {
    const std::vector<std::string> names = names_of(leaf);
    if (names.empty())
        return "the certificate that " + host + " presented names no host at all (it has no subject alternative name)";
    std::string message = "the certificate that " + host + " presented is for ";
    for (std::size_t index = 0; index < names.size() && index < max_names_shown; ++index)
        message += (index ? ", " : "") + names[index];
    if (names.size() > max_names_shown) message += " and " + std::to_string(names.size() - max_names_shown) + " more";
    return message + ", not for " + host;
}

/// "the certificate of example.com", or "the issuing certificate 'X'" for what stands above it.
std::string subject_of(const X509* at, int depth, const std::string& peer) {
    if (depth == 0) return "the certificate of " + peer;
    return "the certificate of " + peer + "'s issuer '" + text_of(X509_get_subject_name(at)) + "'";
}

verification_failure failure_of(X509_STORE_CTX* verified, const X509* leaf, const std::string& peer,
                                const std::string& host) {
    const int why = X509_STORE_CTX_get_error(verified);
    const int depth = X509_STORE_CTX_get_error_depth(verified);
    const X509* at = X509_STORE_CTX_get_current_cert(verified);
    if (!at) at = leaf;
    const std::string subject = subject_of(at, depth, peer);
    const std::string issuer = text_of(X509_get_issuer_name(at));
    switch (why) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return failure(error_code::certificate_expired, SSL_AD_CERTIFICATE_EXPIRED,
                       subject + " expired on " + text_of(X509_get0_notAfter(at)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return failure(error_code::certificate_not_yet_valid, SSL_AD_CERTIFICATE_EXPIRED,
                       subject + " is not valid before " + text_of(X509_get0_notBefore(at)) +
                           "; is this machine's clock right?");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return failure(error_code::certificate_wrong_host, SSL_AD_BAD_CERTIFICATE, wrong_host_message(leaf, host));
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return failure(error_code::certificate_self_signed, SSL_AD_UNKNOWN_CA,
                       subject + " is self-signed and not in the trust store");
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return failure(error_code::certificate_untrusted, SSL_AD_UNKNOWN_CA,
                       "the certificate of " + peer + " descends from '" + issuer +
                           "', which is not in the trust store");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return failure(error_code::certificate_untrusted, SSL_AD_UNKNOWN_CA,
                       subject + " was issued by '" + issuer +
                           "', which neither the trust store nor the server's chain holds");
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return failure(error_code::certificate_untrusted, SSL_AD_UNKNOWN_CA,
                       subject + " may not issue certificates: " + X509_verify_cert_error_string(why));
    default:
        return failure(error_code::certificate_invalid, SSL_AD_BAD_CERTIFICATE,
                       subject + " cannot be accepted: " + X509_verify_cert_error_string(why));
    }
}

/// The chain as X509 objects; they live for the verification only, since each costs kilobytes.
struct parsed_chain {
    bssl::UniquePtr<X509> leaf;
    bssl::UniquePtr<STACK_OF(X509)> others;

    static std::optional<parsed_chain> of(const STACK_OF(CRYPTO_BUFFER) * chain) {
        parsed_chain parsed{nullptr, bssl::UniquePtr<STACK_OF(X509)>{sk_X509_new_null()}};
        for (std::size_t index = 0; index < sk_CRYPTO_BUFFER_num(chain); ++index) {
            bssl::UniquePtr<X509> certificate{X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(chain, index))};
            if (!certificate) return std::nullopt;
            if (index == 0) {
                parsed.leaf = std::move(certificate);
            } else if (!bssl::PushToStack(parsed.others.get(), std::move(certificate))) {
                return std::nullopt;
            }
        }
        return parsed;
    }
};

/// What names are compared by.
constexpr unsigned name_rules = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

bool expect_host(X509_VERIFY_PARAM* parameters, const std::string& host) {
    X509_VERIFY_PARAM_set_hostflags(parameters, name_rules);
    if (is_ip_literal(host)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
    return X509_VERIFY_PARAM_set1_host(parameters, host.data(), host.size());
}

}  // namespace

bool is_ip_literal(const std::string& host) {
    unsigned char bytes[16];
    return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

bool is_certificate_for(std::string_view certificate, const std::string& host) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(certificate.data());
    const bssl::UniquePtr<X509> parsed{d2i_X509(nullptr, &bytes, static_cast<long>(certificate.size()))};
    const bool matches = parsed && (is_ip_literal(host) ? X509_check_ip_asc(parsed.get(), host.c_str(), name_rules) == 1
                                                        : X509_check_host(parsed.get(), host.data(), host.size(),
                                                                          name_rules, nullptr) == 1);
    ERR_clear_error();
    return matches;
}

std::optional<verification_failure> verify_chain(const STACK_OF(CRYPTO_BUFFER) * chain, X509_STORE* trust,
                                                 peer_role role, const std::string& host) {
    const std::string peer = role == peer_role::client ? "the client" : host;
    const auto internal = [&](const std::string& why) {
        ERR_clear_error();
        return failure(error_code::certificate_invalid, SSL_AD_INTERNAL_ERROR,
                       "the certificate of " + peer + " cannot be verified: " + why);
    };
    if (!chain || sk_CRYPTO_BUFFER_num(chain) == 0) return internal("none was presented");
    const std::optional<parsed_chain> parsed = parsed_chain::of(chain);
    if (!parsed)
        return failure(error_code::certificate_invalid, SSL_AD_DECODE_ERROR,
                       "the certificate of " + peer + " is malformed: " + take_library_error());

    const bssl::UniquePtr<X509_STORE_CTX> verified{X509_STORE_CTX_new()};
    if (!verified || !X509_STORE_CTX_init(verified.get(), trust, parsed->leaf.get(), parsed->others.get()) ||
        !X509_STORE_CTX_set_default(verified.get(), role == peer_role::server ? "ssl_server" : "ssl_client"))
        return internal("out of memory");
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(verified.get());
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    if (role == peer_role::server && !expect_host(parameters, host))
        return failure(error_code::certificate_wrong_host, SSL_AD_BAD_CERTIFICATE,
                       printable(host) + " is not a name a certificate can be for");
    if (X509_verify_cert(verified.get()) == 1) return std::nullopt;
    verification_failure found = failure_of(verified.get(), parsed->leaf.get(), peer, host);
    ERR_clear_error();
    return found;
}

}  // namespace pabal::transport
