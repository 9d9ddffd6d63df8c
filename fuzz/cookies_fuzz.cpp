// Cookies. Each line of the input is a Set-Cookie value; they arrive from six URLs by turns, a second apart.
//
// Invariants:
//   - nothing crashes; the jar stays within its bounds, and counts what it holds;
//   - what it sends is a valid field value (or nothing), the same when asked again;
//   - a secure cookie is never sent over plain http; a host-only cookie only to its host; every domain stored belongs to
//     the host that set it; none is for a public suffix, but of that very host;
//   - names with a prefix, and SameSite=None, hold their promises;
//   - what would be sent is what `matching` tells;
//   - everything that is held can be put into another jar, as it is, which is then equal and sends the same;
//   - a host that the policy blocks sets and gets nothing;
//   - any line is a host of which the public suffix and the registrable domain are ends, one a label longer;
//   - date readers accept or refuse, and never leave the calendar.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <pabal/cookies.hpp>

#include "protocol/http/http_date.hpp"
#include "protocol/http/public_suffix.hpp"

namespace {

using pabal::url;

void require(bool holds) {
    if (!holds) std::abort();
}

bool begins_with(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && pabal::equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

void check_public_suffix(std::string_view host) {
    const std::string_view suffix = pabal::http::public_suffix(host);
    require(host.ends_with(suffix));
    require(suffix.size() == host.size() || host[host.size() - suffix.size() - 1] == '.');
    const std::string_view domain = pabal::http::registrable_domain(host);
    require(host.ends_with(domain));
    require(domain.empty() == (suffix.size() == host.size()));
    if (!domain.empty()) require(domain.ends_with(suffix) && domain.size() > suffix.size());
    require(pabal::http::is_same_site(host, host));
}

/// Of one cookie that was received.
void check_promises(const pabal::cookie& each) {
    require(each.host_only || !pabal::http::is_public_suffix(each.domain));
    require(each.site != pabal::same_site::none || each.secure);
    const std::string_view shown = each.name.empty() ? std::string_view{each.value} : std::string_view{each.name};
    const bool host = begins_with(shown, "__Host-");
    if (host || begins_with(shown, "__Secure-")) require(each.secure && !each.name.empty());
    if (host) require(each.host_only && each.path == "/");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const url sources[] = {*url::parse("https://www.example.com/a/b"), *url::parse("http://www.example.com/a"),
                                  *url::parse("https://example.com/"),        *url::parse("http://127.0.0.1/x/y/z"),
                                  *url::parse("https://me.github.io/"),       *url::parse("https://github.io/")};
    std::string_view input{reinterpret_cast<const char*>(data), size};
    pabal::cookie_jar jar, narrow;
    require(narrow.set_policy({.blocked_domains = {"www.example.com"}}).has_value());
    auto now = pabal::cookie_jar::time_point{} + std::chrono::hours{500'000};
    std::size_t turn = 0;
    while (!input.empty()) {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(line.size() + 1, input.size()));
        const url& source = sources[turn++ % std::size(sources)];
        jar.receive(source, line, now);
        require(!narrow.receive(source, line, now) || source.host() != "www.example.com");
        check_public_suffix(line);
        now += std::chrono::seconds{1};
        pabal::http::parse_cookie_date(line);
        const auto today = std::chrono::floor<std::chrono::seconds>(now);
        if (const auto date = pabal::http::parse_http_date(line, today))
            require(pabal::http::parse_http_date(pabal::http::format_http_date(*date), today) == date);
    }

    std::size_t held = 0;
    jar.for_each([&](const pabal::cookie& each) {
        ++held;
        require(each.name.size() + each.value.size() <= pabal::cookie_jar::max_cookie_size);
        require(each.path.starts_with('/') && !each.domain.empty());
        require(std::any_of(std::begin(sources), std::end(sources), [&](const url& from) {
            return each.domain == from.host() || (from.host().ends_with("." + each.domain) && !from.host_is_ipv4());
        }));
        check_promises(each);
        require(!each.expires || *each.expires <= now + pabal::cookie_jar::max_age);
    });
    require(held == jar.size() && held <= pabal::cookie_jar::max_total);
    require(narrow.matching(sources[0], now).empty() && narrow.cookie_header(sources[1], now).empty());

    pabal::cookie_jar copied;
    jar.remove_expired(now);  // an expired one would not be put in
    jar.for_each([&](const pabal::cookie& each) { require(copied.set(each, now).has_value()); });
    require(copied.equals(jar) && jar.equals(copied));

    for (const url& to : sources) {
        const std::string header = jar.cookie_header(to, now);
        require(header == jar.cookie_header(to, now));
        require(header == copied.cookie_header(to, now));
        std::string told;
        for (const pabal::cookie& each : jar.matching(to, now)) {
            if (!told.empty()) told += "; ";
            told += each.name.empty() ? each.value : each.name + "=" + each.value;
        }
        require(header == told);
        require(pabal::is_field_value(header));
        if (header.empty()) continue;
        jar.for_each([&](const pabal::cookie& each) {
            const bool sent = each.last_used == now;
            require(!sent || !each.expires || *each.expires > now);
        });
    }
    jar.remove_if([](const pabal::cookie& each) { return !each.secure; });
    require(jar.cookie_header(sources[1], now).empty() && jar.cookie_header(sources[3], now).empty());
    return 0;
}
