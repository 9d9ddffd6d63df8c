#include <algorithm>
#include <array>
#include <utility>

#include <pabal/proxy.hpp>

#include "protocol/http/basic_auth.hpp"

namespace pabal {

namespace {

struct kind_entry {
    std::string_view scheme;
    proxy_kind kind;
    std::uint16_t port;
};

constexpr std::array<kind_entry, 6> kinds{{
    {"http", proxy_kind::http, 80},
    {"https", proxy_kind::https, 443},
    {"socks4", proxy_kind::socks4, 1080},
    {"socks4a", proxy_kind::socks4a, 1080},
    {"socks5", proxy_kind::socks5, 1080},
    {"socks5h", proxy_kind::socks5h, 1080},
}};

/// RFC 1929 section 2: one byte tells the size of each.
constexpr std::size_t longest_socks5_credential = 255;

error unusable(std::string message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)};
}

/// What the proxy's protocol cannot carry.
result<void> check_credentials(const proxy& by) {
    if (!by.has_credentials) return {};
    if (by.speaks_http()) {
        auto basic = http::basic_credentials(by.user, by.password);
        if (!basic) return unusable("the proxy " + by.text() + ": " + basic.error().message);
        return {};
    }
    if (by.kind == proxy_kind::socks4 || by.kind == proxy_kind::socks4a) {
        if (!by.password.empty())
            return unusable("the proxy " + by.text() +
                            ": SOCKS 4 has user names but no passwords; use socks5 or socks5h");
        if (by.user.find('\0') != std::string::npos)
            return unusable("the proxy " + by.text() + ": the user name contains a NUL");
        return {};
    }
    if (by.user.size() > longest_socks5_credential || by.password.size() > longest_socks5_credential)
        return unusable("the proxy " + by.text() + ": SOCKS 5 carries a user name and a password of 255 bytes at most");
    return {};
}

bool equal(const fields& left, const fields& right) noexcept {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](auto one, auto other) { return one.name == other.name && one.value == other.value; });
}

}  // namespace

std::string_view name_of(proxy_kind kind) noexcept { return kinds[static_cast<std::size_t>(kind)].scheme; }

result<proxy> proxy::parse(std::string_view text) {
    const std::size_t colon = text.find("://");
    const std::string_view scheme = colon == text.npos ? "http" : text.substr(0, colon);
    const std::string_view rest = colon == text.npos ? text : text.substr(colon + 3);
    const auto entry =
        std::ranges::find_if(kinds, [&](const kind_entry& each) { return equals_ignoring_case(each.scheme, scheme); });
    if (entry == kinds.end()) {
        if (equals_ignoring_case(scheme, "socks"))
            return unusable("a proxy's scheme socks:// does not say which SOCKS: socks4, socks4a, socks5 or socks5h");
        return unusable("a proxy's URL begins with http://, https://, socks4://, socks4a://, socks5:// or socks5h://");
    }
    // The rules for what stands in a URL's authority are one and the same.
    std::string as_http = "http://";
    as_http += rest;
    const auto parsed = url::parse(as_http);
    if (!parsed) return unusable("a proxy's URL is not valid: " + parsed.error().message);
    if ((!parsed->path().empty() && parsed->path() != "/") || parsed->has_query() || parsed->has_fragment())
        return unusable("a proxy's URL ends after the port: it has no path, query or fragment");
    if (parsed->explicit_port() == std::uint16_t{0}) return unusable("a proxy's port cannot be 0");

    proxy made;
    made.kind = entry->kind;
    made.host = parsed->host();
    made.port = parsed->explicit_port().value_or(entry->port);
    made.has_credentials = parsed->has_userinfo();
    made.user = parsed->username();
    made.password = parsed->password().value_or("");
    if (auto checked = check_credentials(made); !checked) return std::move(checked).error();
    return made;
}

std::string proxy::text() const {
    std::string out{name_of(kind)};
    const bool is_ipv6 = host.find(':') != host.npos;
    out.append("://").append(is_ipv6 ? "[" : "").append(host).append(is_ipv6 ? "]" : "");
    return out.append(":").append(std::to_string(port));
}

bool proxy::operator==(const proxy& other) const noexcept {
    return kind == other.kind && host == other.host && port == other.port && has_credentials == other.has_credentials &&
           user == other.user && password == other.password && equal(headers, other.headers);
}

}  // namespace pabal
