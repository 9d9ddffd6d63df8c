#pragma once
/// \file
/// Who the caller is: credentials that a session or a request carries.
///
///     pabal::request asked{.url = "https://example.com/private"};
///     asked.auth = pabal::digest_auth("user", "password").value();
///
/// A request's credentials are given to the origin that was asked, and to no other: a redirect that leaves it leaves them
/// behind.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <pabal/message.hpp>
#include <pabal/result.hpp>
#include <pabal/url.hpp>

namespace pabal {

/// Credentials may be shared by sessions and threads.
class credentials {
public:
    virtual ~credentials() = default;

    /// The value of Authorization for `request` to `to`; empty: it goes without. `body` is nullopt when it is not known before
    /// it is sent; `is_challenged` says that the server has just asked for it.
    virtual std::string authorize(const url& to, const request_head& request, std::optional<std::string_view> body,
                                  bool is_challenged) = 0;

    enum class verdict : std::uint8_t {
        refused,  ///< there is no better answer to this response
        answer,   ///< the request is worth sending again, once
        renewed,  ///< what was sent was right, but had become too old: once more even after an answer
    };
    /// Takes in a 401 (RFC 9110 section 15.5.2).
    virtual verdict challenge(const url& from, const response_head& response) {
        (void)from, (void)response;
        return verdict::refused;
    }
    /// Takes in any other response.
    virtual void note(const url& from, const response_head& response) { (void)from, (void)response; }
};

using credentials_ptr = std::shared_ptr<credentials>;

/// RFC 7617. Fails with invalid_argument for a user name with a colon, and for control characters.
result<credentials_ptr> basic_auth(std::string_view user, std::string_view password);

/// RFC 7616: MD5, SHA-256 and SHA-512-256, also -sess; qop auth and auth-int. The first request to an origin is sent without
/// credentials, later ones within the protection space with them. Fails with invalid_argument for control characters.
result<credentials_ptr> digest_auth(std::string_view user, std::string_view password);

}  // namespace pabal
