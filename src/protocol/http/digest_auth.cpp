#include "protocol/http/digest_auth.hpp"

#include <array>
#include <initializer_list>

#include <openssl/digest.h>

#include "base/hexadecimal.hpp"

namespace pabal::http {

namespace {

const EVP_MD* hash_of(digest_algorithm algorithm) noexcept {
    switch (algorithm) {
    case digest_algorithm::sha_256: return EVP_sha256();
    case digest_algorithm::sha_512_256: return EVP_sha512_256();
    default: return EVP_md5();
    }
}

/// H(a ":" b ":" …) in lower-case hexadecimal.
std::string hash(digest_algorithm algorithm, std::initializer_list<std::string_view> parts) {
    bssl::ScopedEVP_MD_CTX context;
    EVP_DigestInit_ex(context.get(), hash_of(algorithm), nullptr);
    bool first = true;
    for (const std::string_view part : parts) {
        if (!std::exchange(first, false)) EVP_DigestUpdate(context.get(), ":", 1);
        EVP_DigestUpdate(context.get(), part.data(), part.size());
    }
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context.get(), digest.data(), &size);
    return base::hexadecimal_bytes({reinterpret_cast<const char*>(digest.data()), size});
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + '"';
}

std::string eight_digits(std::uint32_t count) {
    std::string out;
    for (int shift = 28; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[(count >> shift) & 15U]);
    return out;
}

/// False: an algorithm that is not known here.
bool read_algorithm(std::string_view name, digest_challenge& out) {
    constexpr std::string_view session = "-sess";
    out.algorithm_name = name;
    if (name.size() > session.size() && equals_ignoring_case(name.substr(name.size() - session.size()), session)) {
        out.is_session = true;
        name.remove_suffix(session.size());
    }
    if (equals_ignoring_case(name, "MD5")) out.algorithm = digest_algorithm::md5;
    else if (equals_ignoring_case(name, "SHA-256")) out.algorithm = digest_algorithm::sha_256;
    else if (equals_ignoring_case(name, "SHA-512-256")) out.algorithm = digest_algorithm::sha_512_256;
    else return false;
    return true;
}

void read_qop(std::string_view list, digest_challenge& out) {
    out.has_qop = true;
    while (!list.empty()) {
        const std::size_t end = list.find_first_of(", \t");
        const std::string_view item = list.substr(0, end);
        out.offers_auth = out.offers_auth || equals_ignoring_case(item, "auth");
        out.offers_auth_int = out.offers_auth_int || equals_ignoring_case(item, "auth-int");
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
}

/// What goes into a field's value must not end it.
bool is_sendable(const digest_challenge& it) noexcept {
    return is_field_value(it.realm) && is_field_value(it.nonce) && (!it.opaque || is_field_value(*it.opaque));
}

std::optional<digest_challenge> read_digest(const challenge& given) {
    if (given.scheme != "digest") return std::nullopt;
    const std::string* realm = given.find("realm");
    const std::string* nonce = given.find("nonce");
    if (!realm || !nonce) return std::nullopt;
    digest_challenge out;
    out.realm = *realm;
    out.nonce = *nonce;
    if (const auto* value = given.find("opaque")) out.opaque = *value;
    if (const auto* value = given.find("domain")) out.domain = *value;
    if (const auto* value = given.find("stale")) out.is_stale = equals_ignoring_case(*value, "true");
    if (const auto* value = given.find("userhash")) out.hashes_user = equals_ignoring_case(*value, "true");
    if (const auto* value = given.find("qop")) read_qop(*value, out);
    if (const auto* value = given.find("algorithm"); value && !read_algorithm(*value, out)) return std::nullopt;
    if ((out.has_qop && !out.offers_auth && !out.offers_auth_int) || !is_sendable(out)) return std::nullopt;
    return out;
}

int strength(const digest_challenge& of) noexcept { return of.algorithm == digest_algorithm::md5 ? 0 : 1; }

}  // namespace

std::optional<digest_challenge> strongest_digest(std::span<const challenge> challenges) {
    std::optional<digest_challenge> best;
    for (const challenge& each : challenges) {
        auto read = read_digest(each);
        if (read && (!best || strength(*read) > strength(*best))) best = std::move(read);
    }
    return best;
}

std::optional<std::string> answer_digest(const digest_challenge& to, const digest_request& asked) {
    const digest_algorithm algorithm = to.algorithm;
    const bool protects_body = to.has_qop && !to.offers_auth;
    if (protects_body && !asked.body) return std::nullopt;
    const std::string_view qop = protects_body ? "auth-int" : "auth";
    const std::string count = eight_digits(asked.count);

    // RFC 7616 section 3.4: the response is KD(H(A1), …H(A2)).
    std::string secret = hash(algorithm, {asked.user, to.realm, asked.password});
    if (to.is_session) secret = hash(algorithm, {secret, to.nonce, asked.client_nonce});
    const std::string what = protects_body
                                 ? hash(algorithm, {asked.method, asked.target, hash(algorithm, {*asked.body})})
                                 : hash(algorithm, {asked.method, asked.target});
    const std::string response = to.has_qop ? hash(algorithm, {secret, to.nonce, count, asked.client_nonce, qop, what})
                                            : hash(algorithm, {secret, to.nonce, what});

    const std::string user = to.hashes_user ? hash(algorithm, {asked.user, to.realm}) : std::string(asked.user);
    std::string out = "Digest username=" + quoted(user) + ", realm=" + quoted(to.realm) +
                      ", nonce=" + quoted(to.nonce) + ", uri=" + quoted(asked.target) +
                      ", response=" + quoted(response);
    if (!to.algorithm_name.empty()) out += ", algorithm=" + to.algorithm_name;
    if (to.opaque) out += ", opaque=" + quoted(*to.opaque);
    if (to.has_qop) out.append(", qop=").append(qop).append(", nc=" + count);
    if (to.has_qop || to.is_session) out += ", cnonce=" + quoted(asked.client_nonce);
    if (to.hashes_user) out += ", userhash=true";
    return out;
}

}  // namespace pabal::http
