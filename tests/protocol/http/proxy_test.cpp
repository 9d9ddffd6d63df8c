#include <string>

#include <gtest/gtest.h>

#include <pabal/proxy.hpp>

namespace pabal {
namespace {

TEST(proxy, is_read_from_a_url) {
    struct {
        std::string url;
        proxy_kind kind;
        std::string host;
        std::uint16_t port;
        bool has_credentials;
        std::string user;
        std::string password;
        std::string text;
    } const cases[] = {
        {"http://p:3128", proxy_kind::http, "p", 3128, false, "", "", "http://p:3128"},
        {"http://p:3128/", proxy_kind::http, "p", 3128, false, "", "", "http://p:3128"},
        {"http://p", proxy_kind::http, "p", 80, false, "", "", "http://p:80"},
        {"p:3128", proxy_kind::http, "p", 3128, false, "", "", "http://p:3128"},
        {"u:w@p:3128", proxy_kind::http, "p", 3128, true, "u", "w", "http://p:3128"},
        {"HTTPS://P.Example", proxy_kind::https, "p.example", 443, false, "", "", "https://p.example:443"},
        {"socks4://p", proxy_kind::socks4, "p", 1080, false, "", "", "socks4://p:1080"},
        {"socks4a://u@p", proxy_kind::socks4a, "p", 1080, true, "u", "", "socks4a://p:1080"},
        {"socks5://p:9050", proxy_kind::socks5, "p", 9050, false, "", "", "socks5://p:9050"},
        {"socks5h://u:w@127.0.0.1", proxy_kind::socks5h, "127.0.0.1", 1080, true, "u", "w", "socks5h://127.0.0.1:1080"},
        {"http://[::1]:3128", proxy_kind::http, "::1", 3128, false, "", "", "http://[::1]:3128"},
        {"http://u:@p", proxy_kind::http, "p", 80, true, "u", "", "http://p:80"},
        {"http://u@p", proxy_kind::http, "p", 80, true, "u", "", "http://p:80"},
        {"http://:w@p", proxy_kind::http, "p", 80, true, "", "w", "http://p:80"},
        {"http://u%40x:p%3Aw%2F@p", proxy_kind::http, "p", 80, true, "u@x", "p:w/", "http://p:80"},
        {"http://u:p@ss@p", proxy_kind::http, "p", 80, true, "u", "p@ss", "http://p:80"},
    };
    for (const auto& expected : cases) {
        const auto made = proxy::parse(expected.url);
        ASSERT_TRUE(made) << expected.url << ": " << made.error().message;
        EXPECT_EQ(made->kind, expected.kind) << expected.url;
        EXPECT_EQ(made->host, expected.host) << expected.url;
        EXPECT_EQ(made->port, expected.port) << expected.url;
        EXPECT_EQ(made->has_credentials, expected.has_credentials) << expected.url;
        EXPECT_EQ(made->user, expected.user) << expected.url;
        EXPECT_EQ(made->password, expected.password) << expected.url;
        EXPECT_EQ(made->text(), expected.text) << expected.url;
    }
}

TEST(proxy, what_cannot_be_one_is_the_callers_fault_and_stays_secret) {
    const std::string cases[] = {
        "",
        "http://",
        "://p",
        "socks://secret:secret@p",
        "ftp://secret:secret@p",
        "secret:secret@p:port",
        "http://secret:secret@p:0",
        "http://secret:secret@p:65536",
        "http://secret:secret@p q:80",
        "http://secret:secret@p:80/path",
        "http://secret:secret@p:80?query",
        "http://secret:secret@p:80#fragment",
        "http://secret:secret@127.1",
        "http://secret%3Asecret:x@p",
        "http://secret%0D%0A:x@p",
        "socks4://secret:secret@p",
        "socks4://se%00cret@p",
        "socks5://" + std::string(256, 's') + ":x@p",
        "socks5://secret:" + std::string(256, 's') + "@p",
    };
    for (const std::string& url : cases) {
        const auto made = proxy::parse(url);
        ASSERT_FALSE(made) << url;
        EXPECT_EQ(made.error().code, error_code::invalid_argument) << url;
        EXPECT_EQ(made.error().whose, culprit::caller) << url;
        EXPECT_EQ(made.error().message.find("secret"), std::string::npos) << made.error().message;
        EXPECT_EQ(made.error().message.find("sssss"), std::string::npos) << made.error().message;
    }
}

TEST(proxy, forwards_only_what_is_not_encrypted) {
    struct {
        std::string url;
        std::string to;
        bool forwards;
    } const cases[] = {
        {"http://p", "http://h/", true},    {"https://p", "http://h/", true},    {"http://p", "https://h/", false},
        {"https://p", "https://h/", false}, {"http://p", "ws://h/", false},      {"http://p", "wss://h/", false},
        {"socks5://p", "http://h/", false}, {"socks4a://p", "http://h/", false},
    };
    for (const auto& expected : cases) {
        EXPECT_EQ(proxy::parse(expected.url)->forwards(*url::parse(expected.to)), expected.forwards)
            << expected.url << ' ' << expected.to;
    }
}

TEST(proxy, is_compared_with_who_we_are_to_it) {
    const proxy one = *proxy::parse("http://u:w@p:3128");
    EXPECT_EQ(one, *proxy::parse("u:w@P:3128"));
    for (const char* other : {"http://u:x@p:3128", "http://v:w@p:3128", "http://p:3128", "http://u:w@q:3128",
                              "http://u:w@p:3129", "https://u:w@p:3128", "socks5://u:w@p:3128"})
        EXPECT_NE(one, *proxy::parse(other)) << other;
    proxy told = one;
    told.headers.append_valid("X-Tenant", "7");
    EXPECT_NE(one, told);
    proxy told_more = told;
    EXPECT_EQ(told, told_more);
    told_more.headers.append_valid("X-More", "1");
    EXPECT_NE(told, told_more);
    EXPECT_NE(*proxy::parse("http://@p"), *proxy::parse("http://p"));
}

}  // namespace
}  // namespace pabal
