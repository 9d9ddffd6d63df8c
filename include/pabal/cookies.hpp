#pragma once
/// \file
/// A cookie jar: RFC 6265bis (draft-ietf-httpbis-rfc6265bis-20), for a program instead of a browser.
///
/// What responses set is checked as a browser would: domains, the public suffix list, paths, Secure, the `__Secure-` and
/// `__Host-` prefixes, no overwriting of secure cookies from plain http. Faulty Set-Cookie lines are ignored, silently, one
/// by one. SameSite is kept but holds nothing back: a program has no "site" that could be tricked.
///
/// What a jar takes and gives beyond that is its `cookie_policy`.
///
/// Everything is bounded: cookies by size, their number per domain and in total, their life by 400 days. Nothing here
/// reads a clock: time is passed in. Not synchronised: a jar belongs to one session.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/fields.hpp>
#include <pabal/result.hpp>
#include <pabal/url.hpp>

namespace pabal {

enum class same_site : std::uint8_t { unset, none, lax, strict };

struct cookie {
    using time_point = std::chrono::system_clock::time_point;

    std::string name;   ///< may be empty: then only the value is sent
    std::string value;  ///< as it came, quotes included
    /// Lower-case, without a leading dot. Empty in a cookie made by a program: sent to every host.
    std::string domain;
    std::string path = "/";
    bool host_only = true;  ///< sent to `domain` itself, not to names below it
    bool secure = false;    ///< sent over https and wss only
    bool http_only = false;
    same_site site = same_site::unset;
    std::optional<time_point> expires;  ///< nothing: when the session ends
    time_point created{};
    time_point last_used{};

    /// In everything but `created` and `last_used`.
    bool equals(const cookie& other) const noexcept;
};

/// What a jar takes from responses and gives to requests, beyond what RFC 6265bis demands: restrictions first, then
/// leniencies by name. A domain stands for itself and for all names below it.
struct cookie_policy {
    bool accept = true;       ///< false: nothing that responses set is kept; what the program puts in is sent as ever
    bool third_party = true;  ///< false: a redirect to another site neither gets nor sets cookies
    std::vector<std::string> allowed_domains;  ///< only hosts in these set and get cookies; empty: all
    std::vector<std::string> blocked_domains;  ///< hosts in these do not, even if they are allowed

    bool accept_public_suffix = false;  ///< take cookies for "co.uk" or "com" from hosts below
    bool trust_loopback = false;        ///< http to localhost, 127.* and ::1 is as good as https, as browsers have it

    bool operator==(const cookie_policy&) const = default;
};

/// The form in which a jar keeps a domain: lower-case, as A-labels, without a leading dot. Fails with invalid_argument,
/// the caller's fault, for what is no host.
result<std::string> normalise_cookie_domain(std::string_view domain);

/// What a program made, with its domain in the form of the jar; a leading dot there means "and every host below". Fails with
/// invalid_argument, the caller's fault, when it could not be sent, or would be read as something else.
result<cookie> checked_cookie(cookie made);

class cookie_jar {
public:
    using time_point = cookie::time_point;

    static constexpr std::size_t max_cookie_size = 4096;     ///< name and value; section 5.6
    static constexpr std::size_t max_attribute_size = 1024;  ///< value of one attribute; section 5.6
    static constexpr std::size_t max_per_domain = 180;       ///< what Chromium keeps
    static constexpr std::size_t max_total = 3000;           ///< what browsers keep, section 6.1
    static constexpr std::chrono::days max_age{400};         ///< section 5.5

    const cookie_policy& policy() const noexcept { return policy_; }
    /// From now on; what is held already stays. Fails with invalid_argument for a domain that is no host.
    result<void> set_policy(cookie_policy policy);
    /// Whether the policy lets `at`, a hop of a request that began at `began`, set and get cookies.
    bool allows(const url& at, const url& began) const noexcept;

    /// Takes one Set-Cookie value from a response to a request for `from`. True if the jar changed.
    bool receive(const url& from, std::string_view set_cookie, time_point now);
    /// Takes all Set-Cookie lines of a response; returns how many were taken.
    std::size_t receive_all(const url& from, const fields& headers, time_point now);

    /// The value of the Cookie field for a request to `to`; empty when there is none. Longer paths come first, then older
    /// cookies (section 5.8.3).
    /// `own`, cookies given for this one request ("a=1; b=2"), go last and in place of held ones of the same name.
    std::string cookie_header(const url& to, time_point now, std::string_view own = {});
    /// The cookies that `cookie_header` would send, in that order. Does not count as use.
    std::vector<cookie> matching(const url& to, time_point now) const;

    /// Puts in what a program made, if `checked_cookie` has nothing against it. Replaces the cookie of the same name,
    /// domain, host-only flag and path. The policy is not asked.
    result<void> set(cookie made, time_point now);

    const cookie* find(std::string_view name, std::string_view domain, std::string_view path) const noexcept;
    /// Removes the cookies for which `chosen` says so; returns how many there were.
    std::size_t remove_if(const std::function<bool(const cookie&)>& chosen);
    /// Removes by name and, where given, domain and path.
    std::size_t remove(std::string_view name, std::optional<std::string_view> domain = {},
                       std::optional<std::string_view> path = {});
    std::size_t remove_expired(time_point now);
    void clear() noexcept;

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    /// Whether both hold equal cookies; policies do not count.
    bool equals(const cookie_jar& other) const noexcept;
    /// Calls `visit(const cookie&)` for each, ordered by domain, then by age. The jar must not change meanwhile.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        for (const auto& [domain, cookies] : by_domain_) {
            for (const cookie& each : cookies) visit(each);
        }
    }

private:
    using cookies_of_domain = std::vector<cookie>;

    bool allows_host(const url& at) const noexcept;
    bool counts_as_secure(const url& at) const noexcept;
    bool settle_domain(cookie& received, const url& from) const;
    template <class Jar, class Visitor>
    static void visit_matching(Jar& jar, const url& to, time_point now, Visitor&& visit);
    void store(cookie&& received, time_point now);
    bool shadows_secure(const cookie& received) const;
    void make_room(const std::string& domain, time_point now);
    void evict_from(cookies_of_domain& cookies, time_point now);

    std::map<std::string, cookies_of_domain, std::less<>> by_domain_;  ///< each in order of creation
    std::size_t size_ = 0;
    cookie_policy policy_;
};

}  // namespace pabal
