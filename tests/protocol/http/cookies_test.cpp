#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <pabal/cookies.hpp>

namespace pabal {
namespace {

using namespace std::chrono_literals;

const cookie_jar::time_point start = cookie_jar::time_point{} + std::chrono::hours{24 * 365 * 50};

url at(std::string_view text) { return *url::parse(text); }

/// What a jar sends to `to` after `from` set `lines`.
std::string sent(const std::vector<std::string>& lines, std::string_view from, std::string_view to) {
    cookie_jar jar;
    for (const auto& line : lines) jar.receive(at(from), line, start);
    return jar.cookie_header(at(to), start);
}

TEST(cookies, go_back_to_where_they_came_from_and_nowhere_else) {
    struct {
        const char* line;
        const char* from;
        const char* to;
        const char* expected;
    } const cases[] = {
        {"a=b", "http://example.com/", "http://example.com/", "a=b"},
        {"a=b", "http://example.com/", "http://EXAMPLE.com:8080/any", "a=b"},
        {"b", "http://example.com/", "http://example.com/", "b"},
        // Host-only and domain cookies.
        {"a=b", "http://example.com/", "http://www.example.com/", ""},
        {"a=b; Domain=example.com", "http://example.com/", "http://www.example.com/", "a=b"},
        {"a=b; Domain=.example.com", "http://www.example.com/", "http://example.com/", "a=b"},
        {"a=b; Domain=example.com", "http://www.example.com/", "http://deep.down.example.com/", "a=b"},
        {"a=b; Domain=www.example.com", "http://example.com/", "http://www.example.com/", ""},
        {"a=b; Domain=other.com", "http://example.com/", "http://other.com/", ""},
        {"a=b; Domain=ample.com", "http://example.com/", "http://ample.com/", ""},
        {"a=b; Domain=example.com", "http://badexample.com/", "http://example.com/", ""},
        {"a=b; Domain=", "http://example.com/", "http://example.com/", "a=b"},
        {"a=b; Domain=", "http://example.com/", "http://www.example.com/", ""},
        // Public suffixes (public_suffix_test.cpp has more).
        {"a=b; Domain=com", "http://example.com/", "http://example.com/", ""},
        {"a=b; Domain=co.uk", "http://example.co.uk/", "http://example.co.uk/", ""},
        {"a=b; Domain=.co.uk", "http://example.co.uk/", "http://example.co.uk/", ""},
        {"a=b; Domain=CO.UK", "http://example.co.uk/", "http://example.co.uk/", ""},
        {"a=b; Domain=co.uk.", "http://example.co.uk./", "http://example.co.uk./", ""},
        {"a=b; Domain=example.co.uk", "http://www.example.co.uk/", "http://example.co.uk/", "a=b"},
        {"a=b; Domain=github.io", "http://somebody.github.io/", "http://other.github.io/", ""},
        {"a=b; Domain=github.io", "http://github.io/", "http://github.io/", "a=b"},
        {"a=b; Domain=github.io", "http://github.io/", "http://other.github.io/", ""},
        {"a=b; Domain=xn--55qx5d.cn", "http://\xe9\xa3\x9f\xe7\x8b\xae.\xe5\x85\xac\xe5\x8f\xb8.cn/",
         "http://\xe9\xa3\x9f\xe7\x8b\xae.\xe5\x85\xac\xe5\x8f\xb8.cn/", ""},
        {"a=b; Domain=www.ck", "http://x.www.ck/", "http://www.ck/", "a=b"},
        {"a=b; Domain=localhost", "http://localhost/", "http://localhost/", "a=b"},
        {"a=b; Domain=localhost", "http://localhost/", "http://app.localhost/", ""},
        // Addresses have no names below them.
        {"a=b", "http://127.0.0.1/", "http://127.0.0.1/", "a=b"},
        {"a=b; Domain=127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", "a=b"},
        {"a=b; Domain=0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", ""},
        {"a=b", "http://[::1]/", "http://[0::1]/", "a=b"},
        // Paths.
        {"a=b", "http://h/x/y", "http://h/x/z", "a=b"},
        {"a=b", "http://h/x/y", "http://h/x", "a=b"},
        {"a=b", "http://h/x/y", "http://h/", ""},
        {"a=b; Path=/", "http://h/x/y", "http://h/", "a=b"},
        {"a=b; Path=/x", "http://h/", "http://h/xy", ""},
        {"a=b; Path=/x", "http://h/", "http://h/x/y", "a=b"},
        // Secure.
        {"a=b; Secure", "https://h/", "https://h/", "a=b"},
        {"a=b; Secure", "https://h/", "wss://h/", "a=b"},
        {"a=b; Secure", "https://h/", "http://h/", ""},
        {"a=b; Secure", "http://h/", "https://h/", ""},
        {"a=b; Secure", "http://127.0.0.1/", "http://127.0.0.1/", ""},
        {"a=b; HttpOnly; SameSite=Strict", "http://h/", "http://h/", "a=b"},
        // Prefixes.
        {"__Secure-a=b; Secure", "https://h/", "https://h/", "__Secure-a=b"},
        {"__Secure-a=b", "https://h/", "https://h/", ""},
        {"__secure-a=b", "https://h/", "https://h/", ""},
        {"__Host-a=b; Secure; Path=/", "https://h.com/", "https://h.com/", "__Host-a=b"},
        {"__Host-a=b; Secure", "https://h.com/", "https://h.com/", ""},
        {"__Host-a=b; Secure; Path=/x", "https://h.com/x", "https://h.com/x", ""},
        {"__Host-a=b; Secure; Path=/; Domain=h.com", "https://h.com/", "https://h.com/", ""},
        {"__Host-a=b; Path=/", "https://h.com/", "https://h.com/", ""},
        {"=__Host-a=b; Secure; Path=/", "https://h.com/", "https://h.com/", ""},
        {"__Secure-a; Secure", "https://h.com/", "https://h.com/", ""},
        // Time.
        {"a=b; Max-Age=0", "http://h/", "http://h/", ""},
        {"a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://h/", "http://h/", ""},
        {"a=b; Max-Age=1", "http://h/", "http://h/", "a=b"},
    };
    for (const auto& expected : cases)
        EXPECT_EQ(sent({expected.line}, expected.from, expected.to), expected.expected)
            << expected.line << " from " << expected.from << " to " << expected.to;
}

/// RFC 6265bis section 5.7, one row and more for each of its steps.
TEST(cookies, are_stored_step_by_step) {
    const std::string large(4090, 'v');
    const std::string long_domain = "; Domain=" + std::string(1100, 'd');
    struct {
        int step;
        std::string line;
        const char* from;
        bool stored;
    } const cases[] = {
        {1, "=x=y", "https://a.example.com/", false},
        {1, "=x", "https://a.example.com/", true},
        {2, "=", "https://a.example.com/", false},
        {2, "; Secure", "https://a.example.com/", false},
        {3, "a=b\x01", "https://a.example.com/", false},
        {3, "a\x7f=b", "https://a.example.com/", false},
        {3, "a=b; Path=/\x1f", "https://a.example.com/", false},
        {3, std::string("a=b\0c", 5), "https://a.example.com/", false},
        {3, "a=b\tc", "https://a.example.com/", true},
        {4, "123456=" + large, "https://a.example.com/", true},
        {4, "1234567=" + large, "https://a.example.com/", false},
        {6, "a=b; Max-Age=0", "https://a.example.com/", false},
        {6, "a=b; Max-Age=-5; Expires=Fri, 31 Dec 2100 23:59:59 GMT", "https://a.example.com/", false},
        {6, "a=b; Max-Age=5; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://a.example.com/", true},
        {7, "a=b; Domain=other.org; Domain=example.com", "https://a.example.com/", true},
        {7, "a=b; Domain=example.com; Domain=other.org", "https://a.example.com/", false},
        {7, "a=b; Domain=example.com" + long_domain, "https://a.example.com/", true},
        {8, "a=b; Domain=\xc3\xa9xample.com", "https://a.xn--xample-9ua.com/", false},
        {9, "a=b; Domain=com", "https://a.example.com/", false},
        {9, "a=b; Domain=co.uk", "https://a.example.co.uk/", false},
        {9, "a=b; Domain=github.io", "https://github.io/", true},
        {10, "a=b; Domain=b.example.com", "https://a.example.com/", false},
        {10, "a=b; Domain=example.com", "https://a.example.com/", true},
        {13, "a=b; Secure", "http://a.example.com/", false},
        {13, "a=b; Secure", "https://a.example.com/", true},
        {16, "held=b; Path=/p", "http://a.example.com/", false},
        {16, "held=b; Path=/p/q; Domain=example.com", "http://a.example.com/", false},
        {16, "held=b; Path=/p; Domain=example.com", "https://a.example.com/", true},
        {16, "held=b; Path=/", "http://a.example.com/", true},
        {16, "HELD=b; Path=/p", "http://a.example.com/", true},
        {19, "a=b; SameSite=None", "https://a.example.com/", false},
        {19, "a=b; SameSite=none", "http://a.example.com/", false},
        {19, "a=b; SameSite=None; Secure", "https://a.example.com/", true},
        {19, "a=b; SameSite=Lax", "https://a.example.com/", true},
        {20, "__Secure-a=b", "https://a.example.com/", false},
        {20, "__sEcUrE-a=b", "https://a.example.com/", false},
        {20, "__Secure-a=b; Secure", "http://a.example.com/", false},
        {20, "__Secure-a=b; Secure; Domain=example.com", "https://a.example.com/", true},
        {21, "__Host-a=b; Secure; Path=/", "https://a.example.com/", true},
        {21, "__host-a=b; Path=/", "https://a.example.com/", false},
        {21, "__Host-a=b; Secure; Path=/", "http://a.example.com/", false},
        {21, "__Host-a=b; Secure", "https://a.example.com/", false},
        {21, "__Host-a=b; Secure; Path=/p", "https://a.example.com/p", false},
        {21, "__HOST-a=b; Secure; Path=/; Domain=a.example.com", "https://a.example.com/", false},
        {21, "__Host-a=b; Secure; Path=/; Domain=github.io", "https://github.io/", true},
        {22, "=__Host-a=b; Secure; Path=/", "https://a.example.com/", false},
        {22, "__secure-a; Secure", "https://a.example.com/", false},
        {22, "=__Secure-a; Secure", "https://a.example.com/", false},
        {23, "held=; Max-Age=0; Path=/p; Secure; Domain=example.com", "https://a.example.com/", false},
    };
    for (const auto& expected : cases) {
        cookie_jar jar;
        ASSERT_TRUE(jar.receive(at("https://example.com/"), "held=secret; Secure; Path=/p; Domain=example.com", start));
        jar.receive(at(expected.from), expected.line, start + 1s);
        bool stored = false;
        jar.for_each([&](const cookie& each) { stored |= each.created == start + 1s || each.last_used == start + 1s; });
        EXPECT_EQ(stored, expected.stored) << "step " << expected.step << ": " << expected.line;
    }
}

TEST(cookies, keep_what_they_came_with) {
    cookie_jar jar;
    ASSERT_TRUE(
        jar.receive(at("https://a.example.com/x/y"), "a=1; HttpOnly; SameSite=Strict; Max-Age=99999999", start));
    const cookie* held = jar.find("a", "a.example.com", "/x");
    ASSERT_NE(held, nullptr);
    EXPECT_TRUE(held->host_only && held->http_only && !held->secure);
    EXPECT_EQ(held->site, same_site::strict);
    EXPECT_EQ(held->expires, start + cookie_jar::max_age);
    ASSERT_TRUE(jar.receive(at("https://a.example.com/x/y"), "a=2; Secure; SameSite=None", start + 5s));
    held = jar.find("a", "a.example.com", "/x");
    EXPECT_EQ(held->created, start);  // step 23: the age is that of the one replaced
    EXPECT_EQ(held->last_used, start + 5s);
    EXPECT_FALSE(held->expires);
    EXPECT_TRUE(held->secure && !held->http_only);
}

TEST(cookie_policy, restricts_by_domain) {
    cookie_jar jar;
    ASSERT_TRUE(jar.set_policy({.allowed_domains = {"Example.com",
                                                    ".b\xc3\xbc"
                                                    "cher.example",
                                                    "127.0.0.1", "::1"},
                                .blocked_domains = {"ads.example.com"}}));
    EXPECT_EQ(jar.policy().allowed_domains,
              (std::vector<std::string>{"example.com", "xn--bcher-kva.example", "127.0.0.1", "::1"}));
    struct {
        const char* host;
        bool allowed;
    } const cases[] = {
        {"http://example.com/", true},
        {"http://www.example.com/", true},
        {"http://badexample.com/", false},
        {"http://ads.example.com/", false},
        {"http://x.ads.example.com/", false},
        {"http://b\xc3\xbc"
         "cher.example/",
         true},
        {"http://127.0.0.1/", true},
        {"http://10.127.0.0.1.nip.io/", false},
        {"http://[::1]:80/", true},
    };
    for (const auto& expected : cases) {
        EXPECT_EQ(jar.receive(at(expected.host), "a=1", start), expected.allowed) << expected.host;
        EXPECT_EQ(jar.allows(at(expected.host), at(expected.host)), expected.allowed) << expected.host;
    }
    // What is held already, or was put in by the program, is not given away either.
    cookie everywhere;
    everywhere.name = "e";
    ASSERT_TRUE(jar.set(everywhere, start));
    EXPECT_EQ(jar.cookie_header(at("http://example.com/"), start), "a=1; e=");
    EXPECT_EQ(jar.cookie_header(at("http://ads.example.com/"), start), "");
    EXPECT_EQ(jar.cookie_header(at("http://ads.example.com/"), start, "own=1"), "own=1");
    for (const char* bad : {"", ".", "a b", "http://example.com", "example.com/x", "a:80", "u@h", "[::1]", "1.2.3"}) {
        const auto outcome = jar.set_policy({.blocked_domains = {bad}});
        ASSERT_FALSE(outcome) << bad;
        EXPECT_EQ(outcome.error().whose, culprit::caller);
    }
}

TEST(cookie_policy, may_take_nothing) {
    cookie_jar jar;
    ASSERT_TRUE(jar.receive(at("http://h/"), "before=1", start));
    ASSERT_TRUE(jar.set_policy({.accept = false}));
    EXPECT_FALSE(jar.receive(at("http://h/"), "a=1", start));
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start), "before=1");
}

TEST(cookie_policy, knows_third_parties_by_site) {
    cookie_jar jar;
    const auto allowed = [&](const char* hop, const char* began) { return jar.allows(at(hop), at(began)); };
    EXPECT_TRUE(allowed("http://other.org/", "http://example.com/"));
    ASSERT_TRUE(jar.set_policy({.third_party = false}));
    EXPECT_FALSE(allowed("http://other.org/", "http://example.com/"));
    EXPECT_TRUE(allowed("https://login.example.com/", "http://www.example.com/"));
    EXPECT_FALSE(allowed("http://a.github.io/", "http://b.github.io/"));
    EXPECT_TRUE(allowed("http://10.0.0.1:81/", "http://10.0.0.1/"));
    EXPECT_FALSE(allowed("http://11.0.0.1/", "http://10.0.0.1/"));
}

TEST(cookie_policy, has_leniencies_by_name) {
    cookie_jar jar;
    ASSERT_TRUE(jar.set_policy({.accept_public_suffix = true}));
    EXPECT_TRUE(jar.receive(at("http://a.co.uk/"), "a=1; Domain=co.uk", start));
    EXPECT_TRUE(jar.receive(at("http://a.corp/"), "a=1; Domain=corp", start));
    EXPECT_EQ(jar.cookie_header(at("http://b.co.uk/"), start), "a=1");
    ASSERT_TRUE(jar.set_policy({.trust_loopback = true}));
    for (const char* host : {"http://localhost:8000/", "http://127.1.2.3/", "http://[::1]/", "http://app.localhost/"}) {
        EXPECT_TRUE(jar.receive(at(host), "__Host-s=1; Secure; Path=/", start)) << host;
        EXPECT_EQ(jar.cookie_header(at(host), start), "__Host-s=1") << host;
    }
    EXPECT_FALSE(jar.receive(at("http://128.0.0.1/"), "s=1; Secure", start));
    EXPECT_FALSE(jar.receive(at("http://127.example.com/"), "s=1; Secure", start));
    ASSERT_TRUE(jar.set_policy({}));
    EXPECT_EQ(jar.cookie_header(at("http://localhost:8000/"), start), "");
}

TEST(cookies, can_be_compared_and_matched) {
    cookie_jar left, right;
    for (const char* line : {"a=1", "b=2; Path=/x; HttpOnly", "c=3; Domain=example.com; Max-Age=100"})
        ASSERT_TRUE(left.receive(at("http://www.example.com/"), line, start));
    for (const char* line : {"c=3; Domain=example.com; Max-Age=95", "b=2; Path=/x; HttpOnly", "a=1"})
        ASSERT_TRUE(right.receive(at("http://www.example.com/"), line, start + 5s));
    EXPECT_TRUE(left.equals(right));
    ASSERT_TRUE(right.receive(at("http://www.example.com/"), "b=2; Path=/x", start));
    EXPECT_FALSE(left.equals(right));
    right.remove("b");
    EXPECT_FALSE(left.equals(right));
    const auto found = left.matching(at("http://www.example.com/x"), start + 50s);
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].name, "b");
    EXPECT_EQ(found[0].last_used, start);
    EXPECT_EQ(left.matching(at("http://www.example.com/x"), start + 100s).size(), 2U);
}

TEST(cookies, are_sent_longest_path_first_then_oldest_first) {
    cookie_jar jar;
    jar.receive(at("http://www.example.com/a/b"), "short=1; Path=/", start);
    jar.receive(at("http://www.example.com/a/b"), "late=2; Path=/a/b", start + 2s);
    jar.receive(at("http://www.example.com/a/b"), "early=3; Path=/a/b; Domain=example.com", start + 1s);
    jar.receive(at("http://www.example.com/a/b"), "same=4; Path=/", start);
    EXPECT_EQ(jar.cookie_header(at("http://www.example.com/a/b"), start + 3s), "early=3; late=2; short=1; same=4");
    // Replacing keeps the age.
    jar.receive(at("http://www.example.com/a/b"), "early=new; Path=/a/b; Domain=example.com", start + 5s);
    EXPECT_EQ(jar.cookie_header(at("http://www.example.com/a/b"), start + 6s), "early=new; late=2; short=1; same=4");
    EXPECT_EQ(jar.size(), 4U);
}

TEST(cookies, expire) {
    cookie_jar jar;
    jar.receive(at("http://h/"), "a=1; Max-Age=10", start);
    jar.receive(at("http://h/"), "b=2", start);
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start + 9s), "a=1; b=2");
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start + 10s), "b=2");
    EXPECT_EQ(jar.remove_expired(start + 10s), 1U);
    EXPECT_EQ(jar.size(), 1U);
    jar.receive(at("http://h/"), "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", start);
    EXPECT_TRUE(jar.empty());
}

TEST(cookies, of_plain_http_leave_secure_ones_alone) {
    cookie_jar jar;
    ASSERT_TRUE(jar.receive(at("https://example.com/"), "a=secret; Secure; Path=/login; Domain=example.com", start));
    EXPECT_FALSE(jar.receive(at("http://example.com/"), "a=evil; Path=/login; Domain=example.com", start));
    EXPECT_FALSE(jar.receive(at("http://example.com/"), "a=evil; Path=/login/en", start));
    EXPECT_FALSE(jar.receive(at("http://www.example.com/"), "a=evil; Path=/login", start));
    EXPECT_TRUE(jar.receive(at("http://example.com/"), "a=other; Path=/", start));
    EXPECT_TRUE(jar.receive(at("http://example.com/"), "b=other; Path=/login", start));
    EXPECT_TRUE(jar.receive(at("https://example.com/"), "a=new; Path=/login; Domain=example.com", start));
    EXPECT_EQ(jar.cookie_header(at("https://example.com/login"), start), "a=new; b=other; a=other");
}

TEST(cookies, are_told_apart_by_name_domain_path_and_host_only) {
    cookie_jar jar;
    for (const char* line : {"a=1", "a=2; Domain=example.com", "a=3; Path=/x", "A=4"})
        jar.receive(at("http://example.com/"), line, start);
    EXPECT_EQ(jar.size(), 4U);
    EXPECT_EQ(jar.cookie_header(at("http://example.com/x"), start), "a=3; a=1; a=2; A=4");
}

TEST(cookies, of_one_domain_are_bounded) {
    cookie_jar jar;
    jar.receive(at("https://h.com/"), "keep=secure; Secure", start);
    for (std::size_t i = 0; i < 1000; ++i)
        jar.receive(at("https://h.com/"), "c" + std::to_string(i) + "=v", start + std::chrono::seconds{i + 1});
    EXPECT_EQ(jar.size(), cookie_jar::max_per_domain);
    EXPECT_NE(jar.find("keep", "h.com", "/"), nullptr);
    EXPECT_NE(jar.find("c999", "h.com", "/"), nullptr);
    EXPECT_EQ(jar.find("c0", "h.com", "/"), nullptr);
}

TEST(cookies, of_all_domains_are_bounded) {
    cookie_jar jar;
    for (std::size_t i = 0; i < cookie_jar::max_total + 500; ++i)
        jar.receive(at("http://h" + std::to_string(i) + ".com/"), "c=v", start + std::chrono::seconds{i});
    EXPECT_EQ(jar.size(), cookie_jar::max_total);
    EXPECT_EQ(jar.find("c", "h0.com", "/"), nullptr);
    EXPECT_NE(jar.find("c", "h500.com", "/"), nullptr);
    // What has expired goes first.
    cookie_jar expiring;
    for (std::size_t i = 0; i < cookie_jar::max_total; ++i)
        expiring.receive(at("http://h" + std::to_string(i) + ".com/"), i % 2 == 0 ? "c=v" : "c=v; Max-Age=1", start);
    expiring.receive(at("http://new.com/"), "c=v", start + 2s);
    EXPECT_EQ(expiring.size(), cookie_jar::max_total / 2 + 1);
}

TEST(cookies, of_a_whole_response_are_taken_one_by_one) {
    fields headers;
    ASSERT_TRUE(headers.append("Set-Cookie", "a=1"));
    ASSERT_TRUE(headers.append("Cookie", "not=this"));
    ASSERT_TRUE(headers.append("set-cookie", "b=2; Domain=evil.com"));
    ASSERT_TRUE(headers.append("Set-Cookie", "c=3"));
    cookie_jar jar;
    EXPECT_EQ(jar.receive_all(at("http://h/"), headers, start), 2U);
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start), "a=1; c=3");
}

TEST(cookies, of_one_request_take_the_place_of_held_ones_of_the_same_name) {
    cookie_jar jar;
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start, "own=0"), "own=0");
    EXPECT_TRUE(jar.receive(at("http://h/"), "a=1", start));
    EXPECT_TRUE(jar.receive(at("http://h/"), "ab=2", start));
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start, "own=0; a=3"), "ab=2; own=0; a=3");
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start, "ab=4; a=3"), "ab=4; a=3");
    EXPECT_EQ(jar.cookie_header(at("http://h/"), start), "a=1; ab=2");
}

cookie made(std::string name, std::string value, std::string domain = "") {
    cookie out;
    out.name = std::move(name);
    out.value = std::move(value);
    out.domain = std::move(domain);
    return out;
}

TEST(cookies, made_by_a_program_are_sent) {
    cookie_jar jar;
    ASSERT_TRUE(jar.set(made("everywhere", "1"), start));
    ASSERT_TRUE(jar.set(made("host", "2", "Example.com"), start));
    ASSERT_TRUE(jar.set(made("below", "3", ".example.com"), start));
    EXPECT_EQ(jar.cookie_header(at("http://example.com/"), start), "host=2; below=3; everywhere=1");
    EXPECT_EQ(jar.cookie_header(at("http://www.example.com/"), start), "below=3; everywhere=1");
    EXPECT_EQ(jar.cookie_header(at("http://127.0.0.1/"), start), "everywhere=1");
    ASSERT_TRUE(jar.set(made("idn", "4",
                             "B\xc3\xbc"
                             "cher.example"),
                        start));
    EXPECT_EQ(jar.cookie_header(at("http://b\xc3\xbc"
                                   "cher.example/"),
                                start),
              "idn=4; everywhere=1");
    ASSERT_TRUE(jar.set(made("everywhere", "new"), start));
    EXPECT_EQ(jar.find("everywhere", "", "/")->value, "new");
}

TEST(cookies, made_by_a_program_must_be_sendable) {
    cookie_jar jar;
    for (const auto& bad :
         {made("", ""), made("a=b", "c"), made("a;b", "c"), made("a", "b;c"), made("a", "b\r\nc"), made("a\n", "b"),
          made("a", " b"), made("", "a=b"), made("a", std::string(5000, 'v')), made("a", "b", "h\n"),
          made("a", "b", "h/x"), made("a", "b", "a b"), made("a", "b", "h:80"), made("a", "b", ".")}) {
        const auto outcome = jar.set(bad, start);
        ASSERT_FALSE(outcome) << bad.name;
        EXPECT_EQ(outcome.error().whose, culprit::caller);
    }
    cookie path = made("a", "b");
    path.path = "x";
    EXPECT_FALSE(jar.set(path, start));
    EXPECT_TRUE(jar.empty());
}

TEST(cookies, can_be_listed_and_removed) {
    cookie_jar jar;
    for (const char* host : {"http://b.com/", "http://a.com/"}) {
        jar.receive(at(host), "x=1", start);
        jar.receive(at(host), "y=2; Path=/p", start);
    }
    std::string listed;
    jar.for_each([&](const cookie& each) { listed += each.domain + each.path + each.name + " "; });
    EXPECT_EQ(listed, "a.com/x a.com/py b.com/x b.com/py ");
    EXPECT_EQ(jar.remove("x", "a.com"), 1U);
    EXPECT_EQ(jar.remove("y", std::nullopt, "/p"), 2U);
    EXPECT_EQ(jar.remove("y"), 0U);
    EXPECT_EQ(jar.size(), 1U);
    jar.clear();
    EXPECT_TRUE(jar.empty());
    EXPECT_EQ(jar.cookie_header(at("http://b.com/"), start), "");
}

}  // namespace
}  // namespace pabal
