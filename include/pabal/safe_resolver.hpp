#pragma once
/// \file
/// Which addresses a session may connect to, for programs that fetch URLs which strangers gave them: what only this machine
/// or its network can reach stays out of reach (server-side request forgery).
///
///     pabal::session_options options;
///     options.resolver = pabal::safe_resolver::make({.allow = {"10.1.0.0/16"}}).value();
///
/// The judgement is made on each address at the moment of connecting to it, whatever led there: a name, however often it
/// is resolved anew (DNS rebinding), a CNAME, an IP literal, a redirect, one of several addresses that are raced. What is
/// refused fails with `address_refused` before a byte is sent; other addresses of the same name are still tried.
///
/// Refused are: unspecified, private, shared (CGNAT), loopback, link-local, unique local, site-local, documentation,
/// benchmarking, multicast, broadcast and reserved addresses (the registries of RFC 6890), all IPv6 that is no global
/// unicast, and such IPv4 addresses inside IPv6: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056). Unix sockets are
/// refused, too.
///
/// Proxies: the program chose them, so their own addresses are not judged. What is asked of them is: addresses always; names
/// that are resolved here (socks4, socks5) as any other; names that the proxy resolves (http, https, socks4a, socks5h)
/// are refused unless `proxies_may_resolve`, for nobody here could tell where they lead.
///
/// Immutable; may be shared by sessions and threads.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/proxy.hpp>
#include <pabal/result.hpp>

namespace pabal {

namespace dial {
struct address;
}

struct safe_resolver_options {
    std::vector<std::string> allow;  ///< networks that are reached all the same: "10.1.0.0/16", "fd00::/8", "127.0.0.1"
    std::vector<std::string> deny;   ///< networks that are refused besides; they go before `allow`
    bool proxies_may_resolve = false;  ///< the proxy is trusted to judge where the names it resolves lead
};

class safe_resolver {
public:
    /// Fails with invalid_argument, the caller's fault, for what is no network.
    static result<std::shared_ptr<const safe_resolver>> make(const safe_resolver_options& options = {});
    ~safe_resolver();
    safe_resolver(const safe_resolver&) = delete;
    safe_resolver& operator=(const safe_resolver&) = delete;

    /// The rule that refuses an address, for a person: "private network 10.0.0.0/8 (RFC 1918)". Empty: it may be reached.
    std::optional<std::string> refusal(const dial::address& to) const;
    /// What becomes of a request for `host` (as `url::host`) through a proxy, as far as it can be told without resolving.
    std::optional<error> refusal_through(const proxy& by, std::string_view host) const;

private:
    struct rules;
    explicit safe_resolver(std::unique_ptr<const rules> made) noexcept;
    std::unique_ptr<const rules> rules_;
};

}  // namespace pabal
