#pragma once
/// \file
/// The Digest authentication scheme, RFC 7616, as a client: which challenge to take, and the answer to it.
///
/// MD5, SHA-256 and SHA-512-256, each with and without -sess; qop auth and auth-int, and none at all (RFC 2069); userhash.
/// Nothing here remembers anything: nonce counts and client nonces are the caller's (client/credentials.cpp).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/http/challenge.hpp"

namespace pabal::http {

enum class digest_algorithm : std::uint8_t { md5, sha_256, sha_512_256 };

struct digest_challenge {
    std::string realm;
    std::string nonce;
    std::optional<std::string> opaque;
    std::string domain;          ///< URIs of the protection space, separated by spaces; empty: the whole origin
    std::string algorithm_name;  ///< as the server spelled it; empty when it named none, which is MD5
    digest_algorithm algorithm = digest_algorithm::md5;
    bool is_session = false;  ///< -sess
    bool is_stale = false;    ///< the credentials were good, only the nonce is too old
    bool has_qop = false;
    bool offers_auth = false;
    bool offers_auth_int = false;
    bool hashes_user = false;  ///< userhash
};

/// The challenge to answer: of those for Digest that can be answered the one with the strongest hash, the first of equals.
std::optional<digest_challenge> strongest_digest(std::span<const challenge> challenges);

/// What is authorised, and by whom. The user and the password are bytes, UTF-8 if they are text.
struct digest_request {
    std::string_view user;
    std::string_view password;
    std::string_view method;
    std::string_view target;               ///< exactly as in the request line
    std::optional<std::string_view> body;  ///< nullopt: not known before it is sent
    std::string_view client_nonce;         ///< the same for all answers to one nonce, so that -sess works everywhere
    std::uint32_t count = 1;               ///< of requests with this nonce, this one included
};

/// The value of Authorization. nullopt when only auth-int is offered and the body is not known.
std::optional<std::string> answer_digest(const digest_challenge& to, const digest_request& asked);

}  // namespace pabal::http
