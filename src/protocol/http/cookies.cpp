#include <algorithm>
#include <utility>

#include <pabal/cookies.hpp>

#include "protocol/http/set_cookie.hpp"

namespace pabal {

namespace {

bool is_address(const url& of) noexcept { return of.host_is_ipv4() || of.host_is_ipv6(); }

bool is_expired(const cookie& held, cookie::time_point now) noexcept { return held.expires && *held.expires <= now; }

bool same_key(const cookie& left, const cookie& right) noexcept {
    return left.name == right.name && left.path == right.path && left.host_only == right.host_only;
}

bool has_prefix(std::string_view text, std::string_view prefix) noexcept {
    return text.size() >= prefix.size() && equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

/// What the name promises must hold: section 4.1.3, in the strict reading of section 5.7.
bool keeps_promise_of_prefix(const http::set_cookie& received) noexcept {
    const cookie& made = received.parsed;
    // Sent without a name, a value that begins so would look like a name with that promise.
    const std::string_view shown = made.name.empty() ? std::string_view{made.value} : std::string_view{made.name};
    const bool promises_secure = has_prefix(shown, "__Secure-");
    const bool promises_host = has_prefix(shown, "__Host-");
    if (!promises_secure && !promises_host) return true;
    if (made.name.empty() || !made.secure) return false;
    return !promises_host || (made.domain.empty() && received.has_path_attribute && made.path == "/");
}

/// Settles domain and host-only flag by the host that set the cookie; false: it may not set this one.
bool settle_domain(cookie& made, const url& from) {
    const std::string_view host = from.host();
    // A single label is a public suffix, as far as anyone knows without a list of them.
    if (made.domain.find('.') == std::string::npos && made.domain != host && !made.domain.empty()) return false;
    if (!made.domain.empty() && !http::domain_matches(host, made.domain, is_address(from))) return false;
    made.host_only = made.domain.empty() || is_address(from) || made.domain.find('.') == std::string::npos;
    made.domain = made.host_only ? std::string{host} : std::move(made.domain);
    return true;
}

bool is_older(const cookie& left, const cookie& right) noexcept { return left.last_used < right.last_used; }

/// A cookie to be sent, and when it was found, so that the order is always the same.
struct candidate {
    cookie* held;
    std::size_t order;

    /// Section 5.8.3 step 2.
    bool operator<(const candidate& other) const noexcept {
        if (held->path.size() != other.held->path.size()) return held->path.size() > other.held->path.size();
        if (held->created != other.held->created) return held->created < other.held->created;
        return order < other.order;
    }
};

error unsendable(std::string message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)};
}

bool is_cookie_text(std::string_view text) noexcept {
    return is_field_value(text) && text.find(';') == std::string_view::npos;
}

/// Whether `line` ("a=1; b=2") has a cookie of that name.
bool names_cookie(std::string_view line, std::string_view name) noexcept {
    while (!line.empty()) {
        const std::size_t end = std::min(line.find("; "), line.size());
        const std::string_view pair = line.substr(0, end);
        if (pair.substr(0, pair.find('=')) == name) return true;
        line.remove_prefix(std::min(end + 2, line.size()));
    }
    return false;
}

}  // namespace

bool cookie_jar::receive(const url& from, std::string_view set_cookie, time_point now) {
    auto received = http::parse_set_cookie(set_cookie, now);
    if (!received || !keeps_promise_of_prefix(*received)) return false;
    cookie& made = received->parsed;
    if (made.secure && !from.is_secure()) return false;
    if (!settle_domain(made, from)) return false;
    if (made.path.empty()) made.path = http::default_path(http::request_path(from));
    if (!made.secure && !from.is_secure() && shadows_secure(made)) return false;
    made.created = made.last_used = now;
    store(std::move(made), now);
    return true;
}

std::size_t cookie_jar::receive_all(const url& from, const fields& headers, time_point now) {
    std::size_t taken = 0;
    for (const auto line : headers) {
        if (line.id == field_id::set_cookie) taken += receive(from, line.value, now) ? 1 : 0;
    }
    return taken;
}

/// Section 5.7 step 13: plain http must not hide or replace what https set ("leave secure cookies alone").
bool cookie_jar::shadows_secure(const cookie& received) const {
    for (const auto& [domain, cookies] : by_domain_) {
        if (!http::domain_matches(domain, received.domain, false) &&
            !http::domain_matches(received.domain, domain, false))
            continue;
        for (const cookie& held : cookies) {
            if (held.secure && held.name == received.name && http::path_matches(received.path, held.path)) return true;
        }
    }
    return false;
}

/// Adds, replaces (keeping the age, section 5.7 step 24), or removes when it has already expired.
void cookie_jar::store(cookie&& received, time_point now) {
    const auto domain = by_domain_.find(received.domain);
    if (domain != by_domain_.end()) {
        auto& cookies = domain->second;
        const auto held =
            std::find_if(cookies.begin(), cookies.end(), [&](const cookie& each) { return same_key(each, received); });
        if (held != cookies.end()) {
            if (is_expired(received, now)) {
                cookies.erase(held);
                --size_;
                if (cookies.empty()) by_domain_.erase(domain);
            } else {
                received.created = held->created;
                *held = std::move(received);
            }
            return;
        }
    }
    if (is_expired(received, now)) return;
    make_room(received.domain, now);
    auto& cookies = by_domain_[received.domain];
    cookies.push_back(std::move(received));
    ++size_;
}

/// Section 5.7: first the expired, then of a domain with too many, then of all, the longest unused.
void cookie_jar::make_room(const std::string& domain, time_point now) {
    if (const auto crowded = by_domain_.find(domain);
        crowded != by_domain_.end() && crowded->second.size() >= max_per_domain)
        evict_from(crowded->second, now);
    if (size_ < max_total) return;
    if (remove_expired(now) > 0) return;
    auto oldest_domain = by_domain_.end();
    const cookie* oldest = nullptr;
    for (auto at = by_domain_.begin(); at != by_domain_.end(); ++at) {
        const auto candidate = std::min_element(at->second.begin(), at->second.end(), is_older);
        if (oldest == nullptr || is_older(*candidate, *oldest)) {
            oldest = &*candidate;
            oldest_domain = at;
        }
    }
    auto& cookies = oldest_domain->second;
    cookies.erase(cookies.begin() + (oldest - cookies.data()));
    --size_;
    if (cookies.empty()) by_domain_.erase(oldest_domain);
}

/// Of one domain: the expired, else the longest unused, plain ones before secure ones.
void cookie_jar::evict_from(cookies_of_domain& cookies, time_point now) {
    const std::size_t expired = std::erase_if(cookies, [&](const cookie& each) { return is_expired(each, now); });
    size_ -= expired;
    if (expired > 0) return;
    cookies.erase(std::min_element(cookies.begin(), cookies.end(), [](const cookie& left, const cookie& right) {
        return std::pair{left.secure, left.last_used} < std::pair{right.secure, right.last_used};
    }));
    --size_;
}

std::string cookie_jar::cookie_header(const url& to, time_point now, std::string_view own) {
    std::string out;
    if (empty()) return out = own;
    std::vector<candidate> chosen;
    const std::string_view path = http::request_path(to);
    const auto collect = [&](std::string_view domain) {
        const auto found = by_domain_.find(domain);
        if (found == by_domain_.end()) return;
        for (cookie& held : found->second) {
            if (held.host_only && !domain.empty() && domain != to.host()) continue;
            if (held.secure && !to.is_secure()) continue;
            if (is_expired(held, now) || !http::path_matches(path, held.path)) continue;
            chosen.push_back({&held, chosen.size()});
        }
    };
    // The host, every domain above it, and cookies a program made for all hosts.
    for (std::string_view domain = to.host(); !domain.empty();) {
        collect(domain);
        const auto dot = domain.find('.');
        if (is_address(to) || dot == std::string_view::npos) break;
        domain.remove_prefix(dot + 1);
    }
    collect("");
    std::sort(chosen.begin(), chosen.end());
    for (const auto [sent, order] : chosen) {
        if (names_cookie(own, sent->name)) continue;
        sent->last_used = now;
        if (!out.empty()) out += "; ";
        if (!sent->name.empty()) out.append(sent->name).append("=");
        out += sent->value;
    }
    if (!out.empty() && !own.empty()) out += "; ";
    return out += own;
}

result<void> cookie_jar::set(cookie made, time_point now) {
    if (made.name.empty() && made.value.empty()) return unsendable("a cookie needs a name or a value");
    if (!is_cookie_text(made.name) || made.name.find('=') != std::string::npos)
        return unsendable("a cookie's name contains '=', ';' or a control character");
    if (!is_cookie_text(made.value)) return unsendable("a cookie's value contains ';' or a control character");
    if (made.name.empty() && made.value.find('=') != std::string::npos)
        return unsendable("a cookie without a name has a value that would be read as one");
    if (made.name.size() + made.value.size() > max_cookie_size) return unsendable("a cookie is larger than 4096 bytes");
    if (!made.path.starts_with('/') || !is_cookie_text(made.path))
        return unsendable("a cookie's path does not begin with '/' or contains a control character");
    if (made.domain.starts_with('.')) {
        made.domain.erase(0, 1);
        made.host_only = false;
    }
    if (!is_cookie_text(made.domain)) return unsendable("a cookie's domain contains a control character");
    for (char& c : made.domain) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    if (made.created == time_point{}) made.created = now;
    if (made.last_used == time_point{}) made.last_used = now;
    store(std::move(made), now);
    return {};
}

const cookie* cookie_jar::find(std::string_view name, std::string_view domain, std::string_view path) const noexcept {
    const auto found = by_domain_.find(domain);
    if (found == by_domain_.end()) return nullptr;
    for (const cookie& held : found->second) {
        if (held.name == name && held.path == path) return &held;
    }
    return nullptr;
}

std::size_t cookie_jar::remove_if(const std::function<bool(const cookie&)>& chosen) {
    std::size_t removed = 0;
    for (auto at = by_domain_.begin(); at != by_domain_.end();) {
        removed += std::erase_if(at->second, chosen);
        at = at->second.empty() ? by_domain_.erase(at) : std::next(at);
    }
    size_ -= removed;
    return removed;
}

std::size_t cookie_jar::remove(std::string_view name, std::optional<std::string_view> domain,
                               std::optional<std::string_view> path) {
    return remove_if([&](const cookie& held) {
        return held.name == name && (!domain || held.domain == *domain) && (!path || held.path == *path);
    });
}

std::size_t cookie_jar::remove_expired(time_point now) {
    return remove_if([now](const cookie& held) { return is_expired(held, now); });
}

void cookie_jar::clear() noexcept {
    by_domain_.clear();
    size_ = 0;
}

}  // namespace pabal
