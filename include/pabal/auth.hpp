#pragma once
/// \file
/// Who the caller is: credentials that a session or a request carries.
///
///     pabal::request asked{.url = "https://example.com/private"};
///     asked.auth = pabal::digest_auth("user", "password").value();
///
/// A request's credentials are given to the origin that was asked, and to no other: a redirect that leaves it leaves them
/// behind. `auth_by_place` says whom each host is told about, and is asked again for every host that a redirect leads to.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
    /// What `place` may be told, null for nothing; `leaves_origin` says that a redirect led there, away from the origin that
    /// was asked. Whoever does not name places is for that origin alone.
    virtual credentials* at(const url& place, bool leaves_origin) noexcept {
        (void)place;
        return leaves_origin ? nullptr : this;
    }
};

using credentials_ptr = std::shared_ptr<credentials>;

/// RFC 7617. Fails with invalid_argument for a user name with a colon, and for control characters.
result<credentials_ptr> basic_auth(std::string_view user, std::string_view password);

/// RFC 7616: MD5, SHA-256 and SHA-512-256, also -sess; qop auth and auth-int. The first request to an origin is sent without
/// credentials, later ones within the protection space with them. Fails with invalid_argument for control characters.
result<credentials_ptr> digest_auth(std::string_view user, std::string_view password);

/// RFC 6750. Fails with invalid_argument when the token is empty or holds anything but visible ASCII.
result<credentials_ptr> bearer_auth(std::string_view token);

/// Credentials by place: "host" (any scheme and port), "host:port" or "scheme://host[:port]"; the most specific place
/// counts, and null stands for none. Hosts that a redirect leads to are given their own. Fails with invalid_argument for
/// what names no place.
result<credentials_ptr> auth_by_place(std::vector<std::pair<std::string, credentials_ptr>> places);

}  // namespace pabal
