#pragma once
/// \file
/// Proxies: which server to go through, and which URLs go through it.
///
/// `proxy` is one server and who we are to it; `proxy_rules` says which URL takes which proxy, as the mapping of the Python
/// library requests does and as the environment variables http_proxy, https_proxy, all_proxy and no_proxy do. Choosing is a
/// pure function of the rules and a URL; a session asks it again for every redirect.
///
/// A rule that names a proxy holds: what cannot be understood is an error when it would apply, never a direct connection.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/fields.hpp>
#include <pabal/result.hpp>
#include <pabal/url.hpp>

namespace pabal {

/// How a proxy is spoken to. http and https: http:// requests are forwarded (absolute-form, RFC 9112 section 3.2.2), all
/// others go through a tunnel made by CONNECT (RFC 9110 section 9.3.6). SOCKS: everything goes through a tunnel.
enum class proxy_kind : std::uint8_t {
    http,
    https,    ///< TLS to the proxy itself
    socks4,   ///< names are resolved here, to IPv4 only
    socks4a,  ///< names are resolved by the proxy
    socks5,   ///< RFC 1928; names are resolved here
    socks5h,  ///< names are resolved by the proxy
};
/// The scheme of such a proxy's URL.
std::string_view name_of(proxy_kind kind) noexcept;

/// One proxy. A plain value; `parse` makes one that can be used.
struct proxy {
    proxy_kind kind = proxy_kind::http;
    std::string host;  ///< as `url::host`
    std::uint16_t port = 0;
    bool has_credentials = false;
    std::string user;
    std::string password;
    /// Sent with CONNECT, and with every request that the proxy forwards. http and https only.
    fields headers;

    /// "http://user:password@host:port", with the schemes of proxy_kind; without a scheme it is http. Without a port: 80
    /// for http, 443 for https, 1080 for SOCKS. User and password are percent-decoded; the password may be empty. Fails
    /// with invalid_argument, the caller's fault, for everything else; the message does not repeat the credentials.
    static result<proxy> parse(std::string_view url);

    /// "http://host:port": without credentials, for messages.
    std::string text() const;
    bool speaks_http() const noexcept { return kind == proxy_kind::http || kind == proxy_kind::https; }
    /// Whether the names it is asked for are resolved here, so that it is told addresses only.
    bool resolves_here() const noexcept { return kind == proxy_kind::socks4 || kind == proxy_kind::socks5; }
    /// Whether requests for `to` are forwarded by it rather than sent through a tunnel.
    bool forwards(const url& to) const noexcept { return speaks_http() && to.scheme_id() == url_scheme::http; }

    /// Same server, same identity, same headers: connections may be shared.
    bool operator==(const proxy& other) const noexcept;
};

/// Which URL takes which proxy.
class proxy_rules {
public:
    /// No rule: everything that the layer behind does not say otherwise is direct.
    proxy_rules() = default;
    /// One proxy for everything.
    explicit proxy_rules(proxy for_all);

    /// A rule, by its key: "http", "https", "ws", "wss" or "all", each alone or with "://host" or "://host:port". Nothing
    /// instead of a proxy: what the key names is direct. Most specific first: the scheme with host and port, with host,
    /// alone, then "all" likewise; ws and wss fall back on http and https before "all". Keys for schemes that are not
    /// HTTP's ("ftp", "socks", …) are accepted and never apply; any other key is invalid_argument.
    result<void> add(std::string_view key, std::optional<proxy> by);
    /// What goes direct whatever the rules of this layer and those behind it say: names (with everything below them,
    /// leading dot or not), IP addresses, CIDR blocks, each perhaps with a port, or "*"; separated by commas or spaces.
    void set_no_proxy(std::string_view list) { no_proxy_ = list; }
    /// The rules to ask when no rule here applies.
    void fall_back_on(std::shared_ptr<const proxy_rules> behind) { behind_ = std::move(behind); }

    using variable = std::function<std::optional<std::string>(const char* name)>;
    /// The rules of http_proxy, https_proxy, all_proxy and no_proxy, or of their upper-case forms where those are not set;
    /// HTTP_PROXY does not count when REQUEST_METHOD is set (a CGI program's clients can set it: CVE-2016-5385). Null when
    /// there are none. A value that cannot be understood is an error of the requests that it would apply to.
    static std::shared_ptr<const proxy_rules> from_environment(const variable& read);
    /// … of this process.
    static std::shared_ptr<const proxy_rules> from_environment();

    /// The proxy for `to`; null: direct. Fails with invalid_argument where a variable's value cannot be understood, and for
    /// a Unix socket that an explicit rule sends through a proxy (the environment's do not concern Unix sockets).
    result<std::shared_ptr<const proxy>> choose(const url& to) const;

    /// No rules and no exceptions, here and behind.
    bool empty() const noexcept { return rules_.empty() && no_proxy_.empty() && (!behind_ || behind_->empty()); }
    /// Whether a proxy that speaks TLS is among the rules, here or behind.
    bool has_tls() const noexcept { return has_tls_ || (behind_ && behind_->has_tls()); }

private:
    enum class scope : std::uint8_t { http, https, ws, wss, all, never };
    struct rule {
        scope scheme = scope::all;
        std::string host;                   ///< empty: any
        std::optional<std::uint16_t> port;  ///< none: any
        std::shared_ptr<const proxy> by;    ///< null: direct
        std::optional<error> unusable;
    };

    static std::optional<scope> scope_of(std::string_view scheme) noexcept;
    static result<rule> parse_key(std::string_view key);
    const rule* find(scope scheme, const url& to) const noexcept;
    const rule* find(const url& to) const noexcept;
    void put(rule added);

    std::vector<rule> rules_;
    std::string no_proxy_;
    std::shared_ptr<const proxy_rules> behind_;
    bool has_tls_ = false;
    bool from_environment_ = false;
};

}  // namespace pabal
