#include "protocol/http/set_cookie.hpp"

#include <algorithm>
#include <string>

#include "protocol/http/http_date.hpp"

namespace pabal::http {

namespace {

using std::chrono::seconds;

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Controls but HTAB: section 5.6 step 1.
bool has_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char byte) {
        const auto c = static_cast<unsigned char>(byte);
        return (c < 0x20 && c != '\t') || c == 0x7F;
    });
}

std::string lowered(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    return out;
}

/// No later than 400 days from now, and not so early that the clock cannot hold it.
cookie::time_point limited(std::chrono::sys_seconds expires, cookie::time_point now) {
    const auto latest = std::chrono::floor<seconds>(now) + cookie_jar::max_age;
    return std::clamp(expires, std::chrono::sys_seconds{}, latest);
}

/// Section 5.6.2: digits, perhaps after '-'; anything else is no Max-Age.
std::optional<cookie::time_point> expiry_of_max_age(std::string_view text, cookie::time_point now) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    constexpr std::int64_t most = seconds{cookie_jar::max_age}.count();
    std::int64_t age = 0;
    for (const char c : text) age = std::min(most, age * 10 + (c - '0'));
    if (negative || age == 0) return cookie::time_point{};
    return limited(std::chrono::floor<seconds>(now) + seconds{age}, now);
}

class attributes {
public:
    explicit attributes(set_cookie& out, cookie::time_point now) noexcept : out_(out), now_(now) {}

    void take(std::string_view name, std::string_view value) {
        if (value.size() > cookie_jar::max_attribute_size) return;
        if (equals_ignoring_case(name, "expires")) {
            if (const auto date = parse_cookie_date(value)) by_expires_ = limited(*date, now_);
        } else if (equals_ignoring_case(name, "max-age")) {
            if (const auto expiry = expiry_of_max_age(value, now_)) by_max_age_ = expiry;
        } else if (equals_ignoring_case(name, "domain")) {
            if (value.starts_with('.')) value.remove_prefix(1);
            out_.parsed.domain = lowered(value);
        } else if (equals_ignoring_case(name, "path")) {
            out_.has_path_attribute = true;
            out_.parsed.path = value.starts_with('/') ? value : std::string_view{};
        } else if (equals_ignoring_case(name, "secure")) {
            out_.parsed.secure = true;
        } else if (equals_ignoring_case(name, "httponly")) {
            out_.parsed.http_only = true;
        } else if (equals_ignoring_case(name, "samesite")) {
            out_.parsed.site = equals_ignoring_case(value, "none")     ? same_site::none
                               : equals_ignoring_case(value, "strict") ? same_site::strict
                               : equals_ignoring_case(value, "lax")    ? same_site::lax
                                                                       : same_site::unset;
        }
    }

    /// Max-Age has precedence, section 5.7 step 6.
    void settle() noexcept { out_.parsed.expires = by_max_age_ ? by_max_age_ : by_expires_; }

private:
    set_cookie& out_;
    cookie::time_point now_;
    std::optional<cookie::time_point> by_expires_;
    std::optional<cookie::time_point> by_max_age_;
};

/// Cuts `rest` at the first `delimiter`, which is dropped, and returns what stood before it.
std::string_view take_until(std::string_view& rest, char delimiter) noexcept {
    const auto end = std::min(rest.find(delimiter), rest.size());
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return taken;
}

}  // namespace

std::optional<set_cookie> parse_set_cookie(std::string_view text, cookie::time_point now) {
    if (has_control(text)) return std::nullopt;
    set_cookie out;
    out.parsed.path.clear();
    std::string_view value = take_until(text, ';');
    std::string_view name;
    if (value.find('=') != std::string_view::npos) name = trimmed(take_until(value, '='));
    value = trimmed(value);
    if (name.size() + value.size() > cookie_jar::max_cookie_size || (name.empty() && value.empty()))
        return std::nullopt;
    out.parsed.name = name;
    out.parsed.value = value;

    attributes taken{out, now};
    while (!text.empty()) {
        std::string_view attribute = take_until(text, ';');
        const std::string_view attribute_name = trimmed(take_until(attribute, '='));
        taken.take(attribute_name, trimmed(attribute));
    }
    taken.settle();
    return out;
}

bool domain_matches(std::string_view host, std::string_view domain, bool host_is_address) noexcept {
    if (host == domain) return true;
    return !host_is_address && !domain.empty() && host.size() > domain.size() && host.ends_with(domain) &&
           host[host.size() - domain.size() - 1] == '.';
}

bool path_matches(std::string_view request_path, std::string_view cookie_path) noexcept {
    if (!request_path.starts_with(cookie_path)) return false;
    return request_path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
           request_path[cookie_path.size()] == '/';
}

std::string_view default_path(std::string_view request_path) noexcept {
    const auto last_slash = request_path.rfind('/');
    return last_slash == 0 || last_slash == std::string_view::npos ? std::string_view{"/"}
                                                                   : request_path.substr(0, last_slash);
}

std::string_view request_path(const url& of) noexcept { return of.target().substr(0, of.target().find('?')); }

}  // namespace pabal::http
