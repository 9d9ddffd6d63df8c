#include "protocol/http/basic_auth.hpp"

#include <algorithm>

#include <pabal/fields.hpp>

#include "protocol/http/base64.hpp"

namespace pabal::http {

namespace {

bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

error unusable(const char* message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0, message};
}

}  // namespace

result<std::string> basic_credentials(std::string_view user, std::string_view password) {
    if (user.find(':') != std::string_view::npos)
        return unusable("the user name for basic authentication contains ':'");
    if (has_control(user) || has_control(password))
        return unusable("the user name or password for basic authentication contains a control character");
    std::string pair{user};
    pair.append(":").append(password);
    return "Basic " + base64_encode(pair);
}

std::optional<user_and_password> parse_basic_credentials(std::string_view value) {
    constexpr std::string_view scheme = "Basic";
    if (value.size() <= scheme.size() || !equals_ignoring_case(value.substr(0, scheme.size()), scheme))
        return std::nullopt;
    value.remove_prefix(scheme.size());
    const auto credentials = value.find_first_not_of(' ');
    if (credentials == 0 || credentials == std::string_view::npos) return std::nullopt;
    const auto pair = base64_decode(value.substr(credentials));
    if (!pair || has_control(*pair)) return std::nullopt;
    const auto colon = pair->find(':');
    if (colon == std::string::npos) return std::nullopt;
    return user_and_password{pair->substr(0, colon), pair->substr(colon + 1)};
}

}  // namespace pabal::http
