#include <cstdlib>
#include <fstream>

#include "client/call_support.hpp"
#include "client/netrc.hpp"

namespace pabal::client {
namespace {

using testing::redirect_to;
using testing::scripted_answer;
using testing::seen_request;
using testing::to;

std::string read(std::string_view text) {
    std::string out;
    const netrc parsed = netrc::parse(text);
    for (const netrc_entry& each : parsed.entries()) {
        out.append("[").append(each.machine).append(" ").append(each.login);
        out.append(" ").append(each.password).append("]");
    }
    return out;
}

TEST(netrc, is_read) {
    const struct {
        const char* text;
        const char* expected;
    } cases[] = {
        {"", ""},
        {"machine a login l password p", "[a l p]"},
        {"machine A.Example\n\tlogin l\n\tpassword p\n", "[a.example l p]"},
        {"machine a password p login l account x", "[a l p]"},
        {"machine a user l password p", "[a l p]"},
        {"# hello\nmachine a login l # now\n password p#1", "[a l p#1]"},
        {"machine a login l password #p", "[a l #p]"},
        {"machine a login \"l l\" password \"p\\\" q\"", "[a l l p\" q]"},
        {"machine a login l password p\\ q", "[a l p q]"},
        {"machine a login l\nmachine b login m password q", "[a l ][b m q]"},
        {"machine a password p\nmachine b login m", "[a  p][b m ]"},
        {"default login d password e", ""},
        {"machine a login l password p\ndefault login d password e", "[a l p]"},
        {"macdef m\nmachine x login y password z\n\nmachine a login l password p", "[a l p]"},
        {"machine a login l nonsense password p", "[a l ]"},
        {"machine", ""},
        {"machine a login", "[a  ]"},
        {"login l password p", ""},
        {"machine a login l password \"open", "[a l open]"},
    };
    for (const auto& each : cases) EXPECT_EQ(read(each.text), each.expected) << each.text;
}

TEST(netrc, knows_exact_hosts_only) {
    const auto parsed = netrc::parse("machine a.example login l password p\nmachine b.example password q");
    const struct {
        const char* place;
        bool known;
    } cases[] = {
        {"http://a.example/", true},        {"https://A.EXAMPLE:8443/x", true},   {"http://b.a.example/", false},
        {"http://example/", false},         {"http://a.example.evil/", false},    {"http://b.example/", false},
        {"http://a.example:@evil/", false}, {"http://a.example@evil/", false},    {"http://evil/a.example", false},
        {"http://evil#@a.example/", false}, {"http+unix://%2Fa.example/", false},
    };
    for (const auto& each : cases) EXPECT_EQ(parsed.find(url::parse(each.place).value()) != nullptr, each.known);
}

TEST(netrc, of_the_environment) {
    const std::string path = ::testing::TempDir() + "pabal-netrc";
    std::ofstream(path) << "machine a login l password p";
    ::setenv("NETRC", path.c_str(), 1);
    const auto found = netrc_of_environment();
    ASSERT_TRUE(found);
    EXPECT_EQ(found->entries().size(), 1U);
    for (const auto* other : {"/nowhere/at/all", "/dev/zero", "/"}) {
        ::setenv("NETRC", other, 1);
        EXPECT_FALSE(netrc_of_environment()) << other;
    }
    ::unsetenv("NETRC");
}

// --- Carried out by calls -----------------------------------------------------------------------------------------------

class knowing_hosts : public testing::calling {
protected:
    void SetUp() override {
        world.session->netrc =
            std::make_shared<const netrc>(netrc::parse("machine a.example login user password secret\nmachine "
                                                       "b.example login user\nmachine c.example password x"));
    }
    std::string said(call_request asked) {
        send(std::move(asked));
        return last().all("authorization");
    }
    const std::string known = "Basic dXNlcjpzZWNyZXQ=";
};

TEST_F(knowing_hosts, what_is_nearer_goes_before) {
    EXPECT_EQ(said(to("http://a.example/")), known);
    EXPECT_EQ(said(to("http://b.example/")), "Basic dXNlcjo=") << "no password is not that of another (CVE-2024-11053)";
    EXPECT_EQ(said(to("http://c.example/")), "");
    EXPECT_EQ(said(to("http://u:p@a.example/")), "Basic dTpw");
    auto given = to("http://a.example/");
    given.headers.append_valid("Authorization", "Bearer t");
    EXPECT_EQ(said(given), "Bearer t");
    auto digest = to("http://a.example/");
    digest.auth = digest_auth("d", "e").value();
    EXPECT_EQ(said(digest), "");
}

TEST_F(knowing_hosts, a_redirect_is_given_what_its_own_host_is_to_have) {
    std::string location = "http://a.example/";
    world.handler.answer = [&](const seen_request& asked) {
        return asked.head.target == "/go" ? redirect_to(302, location) : scripted_answer{};
    };
    EXPECT_EQ(said(to("http://other.example/go")), known);
    EXPECT_EQ(said(to("https://other.example/go")), "") << "never in the open after it was protected";
    location = "https://a.example/";
    EXPECT_EQ(said(to("https://other.example/go")), known);
    location = "http://other.example/";
    EXPECT_EQ(said(to("http://a.example/go")), "");
}

}  // namespace
}  // namespace pabal::client
