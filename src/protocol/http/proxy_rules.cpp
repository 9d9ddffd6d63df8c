#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <pabal/proxy.hpp>

#include "protocol/http/no_proxy.hpp"

namespace pabal {

namespace {

error unusable(std::string message) {
    return {error_code::invalid_argument, phase::prepare, culprit::caller, 0, std::move(message)};
}

/// What mappings made for other programs hold besides: no URL of ours has these schemes.
constexpr std::array<std::string_view, 8> foreign_schemes{"ftp",   "ftps",  "sftp", "gopher",
                                                          "rsync", "socks", "ssh",  "git"};

constexpr const char* no_proxy_names[] = {"no_proxy", "NO_PROXY"};

}  // namespace

proxy_rules::proxy_rules(proxy for_all) {
    rule everything;
    everything.by = std::make_shared<const proxy>(std::move(for_all));
    put(std::move(everything));
}

std::optional<proxy_rules::scope> proxy_rules::scope_of(std::string_view scheme) noexcept {
    constexpr std::array<std::string_view, 5> names{"http", "https", "ws", "wss", "all"};
    for (std::size_t index = 0; index < names.size(); ++index) {
        if (equals_ignoring_case(names[index], scheme)) return static_cast<scope>(index);
    }
    for (const std::string_view foreign : foreign_schemes) {
        if (equals_ignoring_case(foreign, scheme)) return scope::never;
    }
    return std::nullopt;
}

result<proxy_rules::rule> proxy_rules::parse_key(std::string_view key) {
    const std::size_t colon = key.find("://");
    const auto scheme = scope_of(key.substr(0, colon));
    if (!scheme)
        return unusable("'" + std::string(key) +
                        "' names no proxy rule: http, https, ws, wss or all, alone or with ://host, or no_proxy");
    rule made;
    made.scheme = *scheme;
    if (colon == key.npos || *scheme == scope::never) return made;
    const auto parsed = url::parse("http://" + std::string(key.substr(colon + 3)));
    const bool is_host = parsed && !parsed->has_userinfo() && (parsed->path().empty() || parsed->path() == "/") &&
                         !parsed->has_query() && !parsed->has_fragment();
    if (!is_host)
        return unusable("'" + std::string(key) + "' names no proxy rule: after :// stands a host, perhaps a port");
    made.host = parsed->host();
    made.port = parsed->explicit_port();
    return made;
}

void proxy_rules::put(rule added) {
    has_tls_ |= added.by && added.by->kind == proxy_kind::https;
    rules_.push_back(std::move(added));
}

result<void> proxy_rules::add(std::string_view key, std::optional<proxy> by) {
    auto made = parse_key(key);
    if (!made) return std::move(made).error();
    if (by) made->by = std::make_shared<const proxy>(std::move(*by));
    put(std::move(*made));
    return {};
}

std::shared_ptr<const proxy_rules> proxy_rules::from_environment(const variable& read) {
    const auto value_of = [&](const char* lower, const char* upper) {
        auto value = read(lower);  // set to nothing, it still hides the other
        return value || !upper ? value : read(upper);
    };
    auto made = std::make_shared<proxy_rules>();
    made->from_environment_ = true;
    const auto add = [&](scope scheme, const char* lower, const char* upper) {
        const auto value = value_of(lower, upper);
        if (!value || value->empty()) return;
        rule found;
        found.scheme = scheme;
        auto parsed = proxy::parse(*value);
        if (parsed) found.by = std::make_shared<const proxy>(std::move(*parsed));
        else
            found.unusable = unusable("the environment variable " + std::string(lower) + ": " + parsed.error().message);
        made->put(std::move(found));
    };
    add(scope::http, "http_proxy", read("REQUEST_METHOD") ? nullptr : "HTTP_PROXY");
    add(scope::https, "https_proxy", "HTTPS_PROXY");
    add(scope::all, "all_proxy", "ALL_PROXY");
    if (made->rules_.empty()) return nullptr;
    made->no_proxy_ = value_of(no_proxy_names[0], no_proxy_names[1]).value_or("");
    return made;
}

std::shared_ptr<const proxy_rules> proxy_rules::from_environment() {
    return from_environment([](const char* name) -> std::optional<std::string> {
        const char* value = std::getenv(name);
        return value ? std::optional<std::string>(value) : std::nullopt;
    });
}

/// With host and port, with host, alone. The later of two equal rules wins.
const proxy_rules::rule* proxy_rules::find(scope scheme, const url& to) const noexcept {
    const rule* best = nullptr;
    const auto weight = [](const rule& of) { return of.host.empty() ? 0 : of.port ? 2 : 1; };
    for (const rule& each : rules_) {
        if (each.scheme != scheme || (!each.host.empty() && each.host != to.host())) continue;
        if (each.port && *each.port != to.port()) continue;
        if (!best || weight(each) >= weight(*best)) best = &each;
    }
    return best;
}

const proxy_rules::rule* proxy_rules::find(const url& to) const noexcept {
    const rule* found = nullptr;
    switch (to.scheme_id()) {
    case url_scheme::ws: found = find(scope::ws, to); [[fallthrough]];
    case url_scheme::http:
        if (!found) found = find(scope::http, to);
        break;
    case url_scheme::wss: found = find(scope::wss, to); [[fallthrough]];
    case url_scheme::https:
        if (!found) found = find(scope::https, to);
        break;
    case url_scheme::http_unix: break;
    }
    return found ? found : find(scope::all, to);
}

result<std::shared_ptr<const proxy>> proxy_rules::choose(const url& to) const {
    const bool is_unix = to.scheme_id() == url_scheme::http_unix;
    for (const proxy_rules* layer = this; layer; layer = layer->behind_.get()) {
        if (is_unix && layer->from_environment_) continue;
        if (!layer->no_proxy_.empty() && http::is_exempt_from_proxy(layer->no_proxy_, to.host(), to.port())) break;
        const rule* found = layer->find(to);
        if (!found) continue;
        if (found->unusable) return *found->unusable;
        if (is_unix && found->by)
            return unusable("a Unix socket cannot be reached through the proxy " + found->by->text());
        return found->by;
    }
    return std::shared_ptr<const proxy>{};
}

}  // namespace pabal
