#include <vector>

#include <gtest/gtest.h>

#include "dial/dialer.hpp"

namespace pabal::dial {
namespace {

std::shared_ptr<const proxy> by(std::string_view url) { return std::make_shared<const proxy>(*proxy::parse(url)); }

TEST(target, equals_only_what_may_share_its_connections) {
    const auto one_context = transport::tls_context::make_client({.verify = false}).value();
    const auto other_context =
        transport::tls_context::make_client({.verify = false, .application_protocols = {}}).value();
    const std::vector<target> all_different{
        {.host = "h", .port = 80},
        {.host = "h", .port = 81},
        {.host = "i", .port = 80},
        {.host = "h", .port = 80, .unix_path = "/x"},
        {.host = "h", .port = 80, .tls = one_context},
        {.host = "h", .port = 80, .tls = other_context},
        {.host = "h", .port = 80, .tls = one_context, .server_name = "n"},
        {.host = "h", .port = 80, .proxy = by("http://p")},
        {.host = "h", .port = 80, .proxy = by("http://u:w@p")},
        {.host = "h", .port = 80, .proxy = by("http://u:x@p")},
        {.host = "h", .port = 80, .proxy = by("http://p:81")},
        {.host = "h", .port = 80, .proxy = by("socks5://p:80")},
        {.host = "h", .port = 80, .proxy = by("socks5h://p:80")},
        {.host = "h", .port = 80, .proxy = by("https://p:80"), .proxy_tls = one_context},
        {.host = "h", .port = 80, .proxy = by("https://p:80"), .proxy_tls = other_context},
        {.proxy = by("http://p")},
        {.host = "h", .port = 80, .guard = safe_resolver::make().value()},
        {.host = "h", .port = 80, .conduct = {.congestion_control = congestion_control::bbr}},
        {.host = "h", .port = 80, .from = address::parse("127.0.0.1")},
        {.host = "h", .port = 80, .from = address::parse("127.0.0.2")},
        {.host = "h", .port = 80, .tls = one_context, .encrypted_hello_keys = "k"},
    };
    for (const target& left : all_different) {
        for (const target& right : all_different) EXPECT_EQ(left == right, &left == &right) << left.text();
    }
    EXPECT_EQ((target{.host = "h", .port = 80, .proxy = by("http://u:w@p")}),
              (target{.host = "h", .port = 80, .proxy = by("http://u:w@p:80")}))
        << "proxies are compared by what they are";
}

TEST(target, names_itself_without_credentials) {
    EXPECT_EQ((target{.host = "h", .port = 80, .proxy = by("http://u:w@p")}).text(), "h:80");
    EXPECT_EQ((target{.host = "::1", .port = 80}).text(), "[::1]:80");
    EXPECT_EQ((target{.unix_path = "/run/x"}).text(), "/run/x");
    EXPECT_EQ((target{.proxy = by("http://u:w@p")}).text(), "http://p:80");
}

}  // namespace
}  // namespace pabal::dial
