#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <random>
#include <vector>

#include <pabal/auth.hpp>

#include "base/fork.hpp"
#include "client/origin_map.hpp"
#include "protocol/http/basic_auth.hpp"
#include "protocol/http/digest_auth.hpp"

namespace pabal {

namespace {

/// The same value of Authorization for every request.
class fixed_credentials final : public credentials {
public:
    explicit fixed_credentials(std::string value) : value_(std::move(value)) {}
    std::string authorize(const url&, const request_head&, std::optional<std::string_view>, bool) override {
        return value_;
    }

private:
    std::string value_;
};

/// Unpredictable, as RFC 7616 section 5.12 wants it: the operating system's randomness.
std::string new_client_nonce() {
    std::random_device source;
    std::string out;
    for (int word = 0; word < 4; ++word) {
        unsigned bits = source();
        for (int digit = 0; digit < 8; ++digit, bits >>= 4U) out.push_back("0123456789abcdef"[bits & 15U]);
    }
    return out;
}

std::string origin_of(const url& of) {
    return std::string(of.scheme()) + "://" + std::string(of.authority()) + "|" + std::string(of.unix_path());
}

class digest_credentials final : public credentials {
public:
    digest_credentials(std::string_view user, std::string_view password) : user_(user), password_(password) {}

    std::string authorize(const url& to, const request_head& request, std::optional<std::string_view> body,
                          bool is_challenged) override {
        const base::no_fork whole;
        const std::lock_guard guard(mutex_);
        const auto known = spaces_.find(origin_of(to));
        if (known == spaces_.end()) return {};
        space& in = known->second;
        if (!is_challenged && !in.covers(to.path())) return {};
        auto answer = http::answer_digest(in.challenge, {.user = user_,
                                                         .password = password_,
                                                         .method = request.method,
                                                         .target = request.target,
                                                         .body = body,
                                                         .client_nonce = in.client_nonce,
                                                         .count = in.count + 1});
        if (!answer) return {};
        ++in.count;
        return std::move(*answer);
    }

    verdict challenge(const url& from, const response_head& response) override {
        auto read = http::strongest_digest(http::parse_challenges(response.headers, "www-authenticate"));
        if (!read) return verdict::refused;
        const verdict found = read->is_stale ? verdict::renewed : verdict::answer;
        const base::no_fork whole;
        const std::lock_guard guard(mutex_);
        if (spaces_.size() >= most_origins) spaces_.clear();
        space& in = spaces_[origin_of(from)];
        // The same nonce again, as to requests that were under way together: its count goes on.
        const bool goes_on = in.challenge.nonce == read->nonce && !in.client_nonce.empty();
        in.paths = paths_of(from, read->domain);
        in.challenge = std::move(*read);
        if (!goes_on) in.renew();
        return found;
    }

    void note(const url& from, const response_head& response) override {
        const auto info = response.headers.find("authentication-info");
        if (!info) return;
        for (auto& [name, value] : http::parse_auth_parameters(*info)) {
            if (name != "nextnonce" || !is_field_value(value)) continue;
            const base::no_fork whole;
            const std::lock_guard guard(mutex_);
            const auto known = spaces_.find(origin_of(from));
            if (known == spaces_.end() || known->second.challenge.nonce == value) continue;
            known->second.challenge.nonce = std::move(value);
            known->second.renew();
        }
    }

private:
    /// What one origin asked for last.
    struct space {
        http::digest_challenge challenge;
        std::vector<std::string> paths;  ///< prefixes; none: everything
        std::string client_nonce;
        std::uint32_t count = 0;

        bool covers(std::string_view path) const {
            return paths.empty() ||
                   std::ranges::any_of(paths, [&](const std::string& prefix) { return path.starts_with(prefix); });
        }
        void renew() {
            client_nonce = new_client_nonce();
            count = 0;
        }
    };

    /// Those of a challenge's `domain` that lie in its own origin; others were given no credentials (security first, though
    /// RFC 7616 section 3.3 would let a server name them).
    static std::vector<std::string> paths_of(const url& from, std::string_view domain) {
        std::vector<std::string> out;
        while (!domain.empty() && out.size() < most_paths) {
            const std::size_t end = std::min(domain.find(' '), domain.size());
            if (end > 0) {
                const auto named = resolve(from, domain.substr(0, end));
                if (named && named->origin_equals(from)) out.emplace_back(named->path());
            }
            domain.remove_prefix(std::min(end + 1, domain.size()));
        }
        return out;
    }

    static constexpr std::size_t most_origins = 1000;
    static constexpr std::size_t most_paths = 100;

    const std::string user_;
    const std::string password_;
    std::mutex mutex_;
    std::map<std::string, space, std::less<>> spaces_;
};

class placed_credentials final : public credentials {
public:
    explicit placed_credentials(client::origin_map<credentials_ptr> places) : places_(std::move(places)) {}
    /// Never asked: `at` names who is.
    std::string authorize(const url&, const request_head&, std::optional<std::string_view>, bool) override {
        return {};
    }
    credentials* at(const url& place, bool) noexcept override {
        const credentials_ptr* found = places_.find(place);
        return found && *found ? (*found)->at(place, false) : nullptr;
    }

private:
    client::origin_map<credentials_ptr> places_;
};

bool has_control(std::string_view text) noexcept {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

result<credentials_ptr> basic_auth(std::string_view user, std::string_view password) {
    auto value = http::basic_credentials(user, password);
    if (!value) return std::move(value).error();
    return credentials_ptr(std::make_shared<fixed_credentials>(std::move(*value)));
}

result<credentials_ptr> digest_auth(std::string_view user, std::string_view password) {
    if (has_control(user) || has_control(password))
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "the user name or password for digest authentication contains a control character"};
    return credentials_ptr(std::make_shared<digest_credentials>(user, password));
}

result<credentials_ptr> bearer_auth(std::string_view token) {
    const bool is_visible = std::ranges::all_of(token, [](char c) { return c > 0x20 && c < 0x7F; });
    if (token.empty() || !is_visible)
        return error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                     "a bearer token must be visible ASCII characters, at least one"};
    return credentials_ptr(std::make_shared<fixed_credentials>("Bearer " + std::string(token)));
}

result<credentials_ptr> auth_by_place(std::vector<std::pair<std::string, credentials_ptr>> places) {
    client::origin_map<credentials_ptr> map;
    for (auto& [place, who] : places) {
        auto pattern = client::origin_pattern::parse(place);
        if (!pattern) return std::move(pattern).error();
        map.add(std::move(*pattern), std::move(who));
    }
    return credentials_ptr(std::make_shared<placed_credentials>(std::move(map)));
}

}  // namespace pabal
