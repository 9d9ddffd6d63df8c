#include "client/redirect.hpp"

namespace pabal::client {

bool is_redirect_status(int status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

result<std::optional<redirect>> plan_redirect(const url& from, const std::string& method,
                                              const response_head& response) {
    if (!is_redirect_status(response.status)) return std::optional<redirect>{};
    const auto location = response.headers.find(field_id::location);
    if (!location) return std::optional<redirect>{};
    auto to = resolve(from, *location);
    const auto refuse = [&](std::string why) {
        return error{error_code::unfollowable_redirect, phase::read, culprit::peer, 0,
                     "the server redirected (" + std::to_string(response.status) +
                         ") to a location that cannot be followed: " + std::move(why)};
    };
    if (!to) return refuse(std::move(to.error().message));
    if (to->scheme() != "http" && to->scheme() != "https") return refuse("scheme " + std::string(to->scheme()));

    redirect next{std::move(*to), method, false, false};
    next.leaves_origin = !next.location.origin_equals(from);
    const bool becomes_get = response.status == 303 ? method != "HEAD" : response.status <= 302 && method == "POST";
    if (becomes_get) next.method = "GET";
    next.drops_body = becomes_get || response.status == 303;
    return std::optional<redirect>(std::move(next));
}

}  // namespace pabal::client
