#include <map>
#include <string>

#include <gtest/gtest.h>

#include <pabal/proxy.hpp>

namespace pabal {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;  ///< key → URL of the proxy, or "" for direct

proxy_rules rules_of(const pairs& given, std::string_view no_proxy = {}) {
    proxy_rules rules;
    for (const auto& [key, by] : given) {
        const auto added = rules.add(key, by.empty() ? std::nullopt : std::optional(*proxy::parse(by)));
        EXPECT_TRUE(added) << added.error().message;
    }
    rules.set_no_proxy(no_proxy);
    return rules;
}

std::shared_ptr<const proxy_rules> environment(const std::map<std::string, std::string>& variables) {
    return proxy_rules::from_environment([&](const char* name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

/// The host of the proxy that is chosen, "direct", or "error".
std::string chosen(const proxy_rules& rules, std::string_view to) {
    const auto found = rules.choose(*url::parse(to));
    if (!found) return "error";
    return *found ? (*found)->host : "direct";
}

std::string chosen(const std::shared_ptr<const proxy_rules>& rules, std::string_view to) {
    return rules ? chosen(*rules, to) : "direct";
}

TEST(proxy_rules, the_most_specific_rule_counts) {
    const pairs everything{
        {"all", "a"},
        {"http", "h"},
        {"https", "s"},
        {"all://one.example", "one"},
        {"https://two.example", "two"},
        {"https://two.example:8443", "port"},
        {"all://three.example:8080", "three"},
        {"https://Direct.Example", ""},
        {"http://[::1]", "six"},
        {"ws", "w"},
    };
    struct {
        pairs given;
        std::string to;
        std::string by;
    } const cases[] = {
        {{}, "http://h/", "direct"},
        {{{"http", "h"}}, "http://x/", "h"},
        {{{"http", "h"}}, "https://x/", "direct"},
        {{{"https", "s"}}, "http://x/", "direct"},
        {{{"all", "a"}}, "https://x/", "a"},
        {{{"HTTP", "h"}}, "http://x/", "h"},
        {{{"ftp", "f"}, {"socks", "f"}}, "http://x/", "direct"},
        {everything, "http://x/", "h"},
        {everything, "https://x/", "s"},
        {everything, "http://one.example/", "h"},  // as in requests: the scheme before "all" with a host
        {everything, "https://two.example/", "two"},
        {everything, "https://TWO.example:8443/", "port"},
        {everything, "https://two.example:9000/", "two"},
        {everything, "https://direct.example/", "direct"},
        {everything, "https://sub.two.example/", "s"},
        {everything, "http://[::1]:8080/", "six"},
        {everything, "http://[0:0::1]/", "six"},
        {everything, "ws://x/", "w"},
        {everything, "wss://x/", "s"},
        {{{"http", "h"}, {"all", "a"}}, "ws://x/", "h"},
        {{{"all", "a"}, {"all://one.example", "one"}}, "http://one.example/", "one"},
        {{{"all", "a"}, {"all://one.example:81", "one"}}, "http://one.example/", "a"},
        {{{"all", "a"}, {"http", ""}}, "http://x/", "direct"},
        {{{"all", "a"}, {"http", ""}}, "https://x/", "a"},
        {{{"all", "a"}, {"all", "b"}}, "https://x/", "b"},
    };
    for (const auto& expected : cases)
        EXPECT_EQ(chosen(rules_of(expected.given), expected.to), expected.by) << expected.to;
    EXPECT_EQ(chosen(proxy_rules(*proxy::parse("p")), "https://x/"), "p");
}

TEST(proxy_rules, keys_that_name_nothing_are_refused) {
    proxy_rules rules;
    for (const char* key : {"", "htps", "http_proxy", "https:/x", "httpss://x", "://x", "http://", "http://u:p@x",
                            "http://x/path", "http://x?q", "all://*.example.com", "http://a b", "example.com"}) {
        const auto added = rules.add(key, *proxy::parse("p"));
        ASSERT_FALSE(added) << key;
        EXPECT_EQ(added.error().code, error_code::invalid_argument) << key;
    }
    EXPECT_TRUE(rules.empty());
}

TEST(proxy_rules, layers_are_asked_in_turn) {
    auto behind = std::make_shared<proxy_rules>(rules_of({{"http", "env"}, {"https", "env"}}, "exempt.example"));
    auto middle = std::make_shared<proxy_rules>(rules_of({{"https", "session"}}, "local.example"));
    middle->fall_back_on(behind);
    proxy_rules first = rules_of({{"https://x", "own"}, {"https://y", ""}});
    first.fall_back_on(middle);
    EXPECT_EQ(chosen(first, "https://x/"), "own");
    EXPECT_EQ(chosen(first, "https://y/"), "direct");
    EXPECT_EQ(chosen(first, "https://z/"), "session");
    EXPECT_EQ(chosen(first, "http://z/"), "env");
    EXPECT_EQ(chosen(first, "http://local.example/"), "direct") << "an exception holds for the layers behind";
    EXPECT_EQ(chosen(first, "https://exempt.example/"), "session") << "… and not for those in front";
    EXPECT_EQ(chosen(first, "http://exempt.example/"), "direct");
    proxy_rules all = rules_of({{"all", "own"}});
    all.fall_back_on(middle);
    EXPECT_EQ(chosen(all, "http://local.example/"), "own") << "what was asked for explicitly never goes direct";
}

TEST(proxy_rules, exceptions_of_a_layer_are_direct) {
    const proxy_rules rules = rules_of({{"all", "p"}}, "example.com,10.0.0.0/8,h:8080");
    EXPECT_EQ(chosen(rules, "https://www.example.com/"), "direct");
    EXPECT_EQ(chosen(rules, "https://notexample.com/"), "p");
    EXPECT_EQ(chosen(rules, "http://10.1.2.3/"), "direct");
    EXPECT_EQ(chosen(rules, "http://h:8080/"), "direct");
    EXPECT_EQ(chosen(rules, "http://h/"), "p");
    EXPECT_FALSE(rules.empty());
    EXPECT_FALSE(rules_of({}, "x").empty());
}

TEST(proxy_rules, the_environment) {
    struct {
        std::map<std::string, std::string> variables;
        std::string to;
        std::string by;
    } const cases[] = {
        {{}, "http://x/", "direct"},
        {{{"http_proxy", "http://p"}}, "http://x/", "p"},
        {{{"http_proxy", "p:3128"}}, "http://x/", "p"},
        {{{"http_proxy", "http://p"}}, "https://x/", "direct"},
        {{{"https_proxy", "http://p"}}, "https://x/", "p"},
        {{{"HTTP_PROXY", "http://p"}}, "http://x/", "p"},
        {{{"HTTPS_PROXY", "http://p"}}, "https://x/", "p"},
        {{{"all_proxy", "socks5h://p"}}, "https://x/", "p"},
        {{{"ALL_PROXY", "socks5h://p"}}, "http://x/", "p"},
        {{{"all_proxy", "a"}, {"http_proxy", "h"}}, "http://x/", "h"},
        {{{"http_proxy", "l"}, {"HTTP_PROXY", "u"}}, "http://x/", "l"},
        {{{"http_proxy", ""}, {"HTTP_PROXY", "u"}}, "http://x/", "direct"},
        {{{"http_proxy", ""}, {"all_proxy", "a"}}, "http://x/", "a"},
        // A CGI program's HTTP_PROXY is its client's Proxy header (CVE-2016-5385).
        {{{"HTTP_PROXY", "evil"}, {"REQUEST_METHOD", "GET"}}, "http://x/", "direct"},
        {{{"http_proxy", "good"}, {"HTTP_PROXY", "evil"}, {"REQUEST_METHOD", "GET"}}, "http://x/", "good"},
        {{{"HTTPS_PROXY", "p"}, {"REQUEST_METHOD", "GET"}}, "https://x/", "p"},
        {{{"http_proxy", "p"}, {"no_proxy", "x"}}, "http://x/", "direct"},
        {{{"http_proxy", "p"}, {"no_proxy", "x"}}, "http://y/", "p"},
        {{{"http_proxy", "p"}, {"NO_PROXY", "*"}}, "http://x/", "direct"},
        {{{"http_proxy", "p"}, {"no_proxy", "y"}, {"NO_PROXY", "*"}}, "http://x/", "p"},
        {{{"http_proxy", "p"}, {"no_proxy", ""}, {"NO_PROXY", "*"}}, "http://x/", "p"},
        // Nothing goes direct because a value is wrong; what it does not concern goes on.
        {{{"http_proxy", "socks://p"}}, "http://x/", "error"},
        {{{"http_proxy", "socks://p"}}, "https://x/", "direct"},
        {{{"http_proxy", "http://p:port"}, {"all_proxy", "a"}}, "http://x/", "error"},
        {{{"http_proxy", "http://p:port"}, {"no_proxy", "x"}}, "http://x/", "direct"},
    };
    for (const auto& expected : cases) {
        const auto rules = environment(expected.variables);
        EXPECT_EQ(chosen(rules, expected.to), expected.by)
            << ::testing::PrintToString(expected.variables) << ' ' << expected.to;
    }
    EXPECT_EQ(environment({}), nullptr);
    EXPECT_EQ(environment({{"no_proxy", "*"}, {"http_proxy", ""}}), nullptr) << "costs nothing where there is none";
    const auto wrong = environment({{"https_proxy", "http://secret:secret@p:port"}})->choose(*url::parse("https://x/"));
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message.find("https_proxy"), std::string::npos) << wrong.error().message;
    EXPECT_EQ(wrong.error().message.find("secret"), std::string::npos) << wrong.error().message;
}

TEST(proxy_rules, unix_sockets) {
    constexpr std::string_view socket = "http+unix://%2Frun%2Fx.sock/";
    EXPECT_EQ(chosen(environment({{"all_proxy", "p"}}), socket), "direct");
    EXPECT_EQ(chosen(rules_of({{"http", "p"}}), socket), "direct");
    EXPECT_EQ(chosen(rules_of({{"all", "p"}}), socket), "error");
    EXPECT_EQ(chosen(rules_of({{"all", ""}}), socket), "direct");
}

TEST(proxy_rules, know_whether_tls_is_needed) {
    EXPECT_FALSE(rules_of({{"all", "http://p"}, {"http", "socks5://p"}}).has_tls());
    auto behind = std::make_shared<proxy_rules>(rules_of({{"http", "https://p"}}));
    EXPECT_TRUE(behind->has_tls());
    proxy_rules front;
    EXPECT_TRUE(front.empty());
    front.fall_back_on(behind);
    EXPECT_TRUE(front.has_tls());
    EXPECT_FALSE(front.empty());
}

}  // namespace
}  // namespace pabal
