#include "client/origin_map.hpp"

namespace pabal::client {

result<origin_pattern> origin_pattern::parse(std::string_view text) {
    const auto refuse = [&](const std::string& why) {
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "a place is \"host\", \"host:port\" or \"scheme://host[:port]\": " + why};
    };
    const bool has_scheme = text.find("://") != std::string_view::npos;
    auto named = url::parse(has_scheme ? std::string(text) : "http://" + std::string(text));
    if (!named) return refuse(named.error().message);
    if (named->has_userinfo()) return refuse("it names a user");
    if (named->has_query() || named->has_fragment() || !(named->path().empty() || named->path() == "/"))
        return refuse("it names more than a place");
    const int specific = has_scheme ? 3 : named->explicit_port() ? 2 : 1;
    return origin_pattern(std::move(*named), specific);
}

int origin_pattern::matches(const url& place) const noexcept {
    if (specific_ == 3) return named_.origin_equals(place) ? 3 : 0;
    if (!place.unix_path().empty() || named_.host() != place.host()) return 0;
    return specific_ == 1 || named_.port() == place.port() ? specific_ : 0;
}

}  // namespace pabal::client
