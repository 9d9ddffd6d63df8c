#include "dial/safe_resolver.hpp"

#include <array>
#include <utility>

#include <pabal/safe_resolver.hpp>

#include "dial/network.hpp"
#include "dial/resolver.hpp"

namespace pabal {

namespace {

using dial::address;
using dial::address_family;
using dial::network;

struct special {
    network block;
    const char* what;
};

/// The special-purpose registries of RFC 6890 (as IANA keeps them), the longer prefixes first where one holds another.
const auto& special_blocks() {
    const auto block = [](const char* text, const char* what) { return special{*network::parse(text), what}; };
    static const std::array known{
        block("0.0.0.0/8", "\"this network\" 0.0.0.0/8 (RFC 791)"),
        block("10.0.0.0/8", "private network 10.0.0.0/8 (RFC 1918)"),
        block("100.64.0.0/10", "shared address space 100.64.0.0/10 (RFC 6598)"),
        block("127.0.0.0/8", "loopback 127.0.0.0/8 (RFC 1122)"),
        block("169.254.0.0/16", "link-local 169.254.0.0/16 (RFC 3927)"),
        block("172.16.0.0/12", "private network 172.16.0.0/12 (RFC 1918)"),
        block("192.0.0.0/24", "IETF protocol assignments 192.0.0.0/24 (RFC 6890)"),
        block("192.0.2.0/24", "documentation 192.0.2.0/24 (RFC 5737)"),
        block("192.88.99.0/24", "6to4 relays 192.88.99.0/24 (RFC 7526)"),
        block("192.168.0.0/16", "private network 192.168.0.0/16 (RFC 1918)"),
        block("198.18.0.0/15", "benchmarking 198.18.0.0/15 (RFC 2544)"),
        block("198.51.100.0/24", "documentation 198.51.100.0/24 (RFC 5737)"),
        block("203.0.113.0/24", "documentation 203.0.113.0/24 (RFC 5737)"),
        block("224.0.0.0/4", "multicast 224.0.0.0/4 (RFC 5771)"),
        block("255.255.255.255/32", "broadcast 255.255.255.255 (RFC 919)"),
        block("240.0.0.0/4", "reserved 240.0.0.0/4 (RFC 1112)"),
        block("::/128", "unspecified :: (RFC 4291)"),
        block("::1/128", "loopback ::1 (RFC 4291)"),
        block("::/96", "IPv4-compatible ::/96 (RFC 4291)"),
        block("64:ff9b:1::/48", "local NAT64 64:ff9b:1::/48 (RFC 8215)"),
        block("100::/64", "discard-only 100::/64 (RFC 6666)"),
        block("2001:db8::/32", "documentation 2001:db8::/32 (RFC 3849)"),
        block("2001::/23", "IETF protocol assignments 2001::/23 (RFC 2928)"),
        block("3fff::/20", "documentation 3fff::/20 (RFC 9637)"),
        block("fc00::/7", "unique local fc00::/7 (RFC 4193)"),
        block("fe80::/10", "link-local fe80::/10 (RFC 4291)"),
        block("fec0::/10", "site-local fec0::/10 (RFC 3879)"),
        block("ff00::/8", "multicast ff00::/8 (RFC 4291)"),
    };
    return known;
}

/// Where an IPv4 address lies inside an IPv6 one.
struct embedding {
    network block;
    std::size_t at;   ///< its first byte
    bool reaches_it;  ///< the IPv6 address is another way to write it, and not refused for itself
    const char* what;
};

const embedding* embedding_of(const address& whole) noexcept {
    static const std::array known{
        embedding{*network::parse("::ffff:0:0/96"), 12, true, "IPv4-mapped"},
        embedding{*network::parse("64:ff9b::/96"), 12, true, "NAT64"},
        embedding{*network::parse("2002::/16"), 2, true, "6to4"},
        embedding{*network::parse("::/96"), 12, false, "IPv4-compatible"},
    };
    for (const embedding& each : known) {
        if (each.block.contains(whole)) return &each;
    }
    return nullptr;
}

const network& global_unicast() {
    static const network block = *network::parse("2000::/3");
    return block;
}

const special* special_of(const address& judged) noexcept {
    for (const special& each : special_blocks()) {
        if (each.block.contains(judged)) return &each;
    }
    return nullptr;
}

result<std::vector<network>> parse_all(const std::vector<std::string>& texts, std::string_view option) {
    std::vector<network> out;
    out.reserve(texts.size());
    for (const std::string& text : texts) {
        auto parsed = network::parse(text);
        if (!parsed) {
            error failure = std::move(parsed).error();
            failure.message = std::string(option) + "= of a SafeResolver: " + failure.message;
            return failure;
        }
        out.push_back(*parsed);
    }
    return out;
}

const network* first_holding(const std::vector<network>& blocks, const address& one,
                             const std::optional<address>& other) {
    for (const network& each : blocks) {
        if (each.contains(one) || (other && each.contains(*other))) return &each;
    }
    return nullptr;
}

}  // namespace

struct safe_resolver::rules {
    std::vector<network> allow;
    std::vector<network> deny;
    bool proxies_may_resolve;
};

safe_resolver::safe_resolver(std::unique_ptr<const rules> made) noexcept : rules_(std::move(made)) {}
safe_resolver::~safe_resolver() = default;

result<std::shared_ptr<const safe_resolver>> safe_resolver::make(const safe_resolver_options& options) {
    auto allow = parse_all(options.allow, "allow");
    if (!allow) return std::move(allow).error();
    auto deny = parse_all(options.deny, "deny");
    if (!deny) return std::move(deny).error();
    return std::shared_ptr<const safe_resolver>(new safe_resolver(
        std::make_unique<const rules>(rules{std::move(*allow), std::move(*deny), options.proxies_may_resolve})));
}

std::optional<std::string> safe_resolver::refusal(const dial::address& to) const {
    const embedding* embedded = embedding_of(to);
    std::optional<address> inner;
    if (embedded) inner = address::ipv4(to.bytes.data() + embedded->at);
    if (const network* denied = first_holding(rules_->deny, to, inner)) return "deny=" + denied->to_string();
    if (first_holding(rules_->allow, to, inner)) return std::nullopt;
    if (const special* found = special_of(to)) return found->what;
    if (embedded && embedded->reaches_it) {
        const special* found = special_of(*inner);
        if (!found) return std::nullopt;
        return std::string(found->what) + ", written as " + embedded->what;
    }
    if (to.family == address_family::ipv6 && !global_unicast().contains(to))
        return "no global unicast address 2000::/3 (RFC 4291)";
    return std::nullopt;
}

std::optional<error> safe_resolver::refusal_through(const proxy& by, std::string_view host) const {
    if (const auto known = dial::answer_without_asking(host)) {
        for (const dial::family_answer* answer : {&known->ipv6, &known->ipv4}) {
            if (answer->failure) return answer->failure;
            for (const address& each : answer->addresses) {
                if (auto rule = refusal(each))
                    return dial::address_refused("the proxy " + by.text() + " is not asked for " + std::string(host),
                                                 *rule);
            }
        }
        return std::nullopt;
    }
    if (by.resolves_here() || rules_->proxies_may_resolve) return std::nullopt;
    return dial::address_refused("the proxy " + by.text() + " is not asked for " + std::string(host),
                                 "it would resolve the name itself, unless proxies_may_resolve");
}

namespace dial {

error address_refused(std::string_view what, std::string_view rule) {
    std::string message(what);
    if (!what.empty()) message += ": ";
    message.append("refused by SafeResolver, ").append(rule);
    return {error_code::address_refused, phase::connect, culprit::caller, 0, std::move(message)};
}

}  // namespace dial

}  // namespace pabal
