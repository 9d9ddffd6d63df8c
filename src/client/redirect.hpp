#pragma once
/// \file
/// Redirects as a pure decision (RFC 9110 section 15.4): what, if anything, to ask next.

#include <optional>
#include <string>

#include <pabal/message.hpp>
#include <pabal/result.hpp>
#include <pabal/url.hpp>

namespace pabal::client {

struct redirect {
    url location;  ///< absolute; inherits the fragment of the request's URL (section 10.2.2)
    std::string method;
    bool drops_body = false;     ///< the next request has no content (303, or POST turned into GET)
    bool leaves_origin = false;  ///< scheme, host or port differ: no credentials, no per-request cookies go along
};

/// True for the statuses that a client may follow by itself: 301, 302, 303, 307, 308.
bool is_redirect_status(int status) noexcept;

/// The redirect that `response` to `method` at `from` asks for; nullopt when it asks for none (other status, no Location).
/// 301 and 302 turn POST into GET as every browser does (RFC 9110 sections 15.4.2, 15.4.3); 303 turns everything but HEAD
/// into GET and drops whatever content there was; 307 and 308 change nothing. Fails with `unfollowable_redirect` when Location is no http(s) URL.
result<std::optional<redirect>> plan_redirect(const url& from, const std::string& method,
                                              const response_head& response);

}  // namespace pabal::client
