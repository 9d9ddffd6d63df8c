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
        // Public suffixes, as far as one label goes.
        {"a=b; Domain=com", "http://example.com/", "http://example.com/", ""},
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
    ASSERT_TRUE(jar.set(made("everywhere", "new"), start));
    EXPECT_EQ(jar.find("everywhere", "", "/")->value, "new");
}

TEST(cookies, made_by_a_program_must_be_sendable) {
    cookie_jar jar;
    for (const auto& bad :
         {made("", ""), made("a=b", "c"), made("a;b", "c"), made("a", "b;c"), made("a", "b\r\nc"), made("a\n", "b"),
          made("a", " b"), made("", "a=b"), made("a", std::string(5000, 'v')), made("a", "b", "h\n")}) {
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
