#pragma once
/// \file
/// A cookie jar: RFC 6265bis (draft-ietf-httpbis-rfc6265bis-20), for a program instead of a browser.
///
/// What responses set is checked as a browser would: domains, paths, Secure, the `__Secure-` and `__Host-` prefixes, no
/// overwriting of secure cookies from plain http. Faulty Set-Cookie lines are ignored, silently, one by one. SameSite is kept
/// but means nothing here: a program has no "site" that could be tricked.
///
/// There is no public suffix list yet: a cookie for a single label ("com") is refused, one for "co.uk" is not.
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
};

class cookie_jar {
public:
    using time_point = cookie::time_point;

    static constexpr std::size_t max_cookie_size = 4096;     ///< name and value; section 5.6
    static constexpr std::size_t max_attribute_size = 1024;  ///< value of one attribute; section 5.6
    static constexpr std::size_t max_per_domain = 180;       ///< what Chromium keeps
    static constexpr std::size_t max_total = 3000;           ///< what browsers keep, section 6.1
    static constexpr std::chrono::days max_age{400};         ///< section 5.5

    /// Takes one Set-Cookie value from a response to a request for `from`. True if the jar changed.
    bool receive(const url& from, std::string_view set_cookie, time_point now);
    /// Takes all Set-Cookie lines of a response; returns how many were taken.
    std::size_t receive_all(const url& from, const fields& headers, time_point now);

    /// The value of the Cookie field for a request to `to`; empty when there is none. Longer paths come first, then older
    /// cookies (section 5.8.3).
    /// `own`, cookies given for this one request ("a=1; b=2"), go last and in place of held ones of the same name.
    std::string cookie_header(const url& to, time_point now, std::string_view own = {});

    /// Puts in what a program made. Replaces the cookie of the same name, domain, host-only flag and path. Fails with
    /// invalid_argument, the caller's fault, when it could not be sent, or would be read as something else.
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
    /// Calls `visit(const cookie&)` for each, ordered by domain, then by age. The jar must not change meanwhile.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        for (const auto& [domain, cookies] : by_domain_) {
            for (const cookie& each : cookies) visit(each);
        }
    }

private:
    using cookies_of_domain = std::vector<cookie>;

    void store(cookie&& received, time_point now);
    bool shadows_secure(const cookie& received) const;
    void make_room(const std::string& domain, time_point now);
    void evict_from(cookies_of_domain& cookies, time_point now);

    std::map<std::string, cookies_of_domain, std::less<>> by_domain_;  ///< each in order of creation
    std::size_t size_ = 0;
};

}  // namespace pabal
