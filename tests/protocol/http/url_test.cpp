#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <pabal/url.hpp>

namespace pabal {
namespace {

url parsed(std::string_view text) {
    auto made = url::parse(text);
    EXPECT_TRUE(made) << text << ": " << (made ? "" : made.error().message);
    return made ? std::move(*made) : *url::parse("http://failed/");
}

TEST(url, is_split_into_its_components) {
    const url all = parsed("HTTPS://User:Pa%3Ass@Example.COM:8443/a/b;c?x=1&y=%27#part");
    EXPECT_EQ(all.text(), "HTTPS://User:Pa%3Ass@Example.COM:8443/a/b;c?x=1&y=%27#part");
    EXPECT_EQ(all.scheme(), "https");
    EXPECT_TRUE(all.is_secure());
    EXPECT_EQ(all.userinfo(), "User:Pa%3Ass");
    EXPECT_EQ(all.username(), "User");
    EXPECT_EQ(all.password(), "Pa:ss");
    EXPECT_EQ(all.host(), "example.com");
    EXPECT_EQ(all.port(), 8443);
    EXPECT_EQ(all.explicit_port(), 8443);
    EXPECT_EQ(all.authority(), "example.com:8443");
    EXPECT_EQ(all.path(), "/a/b;c");
    EXPECT_EQ(all.query(), "x=1&y=%27");
    EXPECT_EQ(all.fragment(), "part");
    EXPECT_EQ(all.target(), "/a/b;c?x=1&y=%27");
    EXPECT_EQ(all.absolute_target(), "https://example.com:8443/a/b;c?x=1&y=%27");
    EXPECT_EQ(all.text_without_userinfo(), "HTTPS://Example.COM:8443/a/b;c?x=1&y=%27#part");
}

TEST(url, has_a_host_an_authority_and_a_target) {
    struct {
        std::string text, host, authority, target;
        int port;
    } const cases[] = {
        {"http://example.com", "example.com", "example.com", "/", 80},
        {"http://example.com/", "example.com", "example.com", "/", 80},
        {"http://example.com:80/", "example.com", "example.com", "/", 80},
        {"http://example.com:/", "example.com", "example.com", "/", 80},
        {"https://example.com:443/x", "example.com", "example.com", "/x", 443},
        {"https://example.com:80/x", "example.com", "example.com:80", "/x", 80},
        {"http://example.com:08080/x", "example.com", "example.com:8080", "/x", 8080},
        {"http://EXAMPLE.com:8080/x", "example.com", "example.com:8080", "/x", 8080},
        {"ws://example.com/chat", "example.com", "example.com", "/chat", 80},
        {"wss://example.com/chat", "example.com", "example.com", "/chat", 443},
        {"http://example.com?q", "example.com", "example.com", "/?q", 80},
        {"http://example.com?", "example.com", "example.com", "/?", 80},
        {"http://example.com#f", "example.com", "example.com", "/", 80},
        {"http://example.com/?a=b?c/d", "example.com", "example.com", "/?a=b?c/d", 80},
        {"http://example.com./", "example.com.", "example.com.", "/", 80},
        {"http://127.0.0.1:8000/", "127.0.0.1", "127.0.0.1:8000", "/", 8000},
        {"http://[::1]/", "::1", "[::1]", "/", 80},
        {"http://[::1]:8080/", "::1", "[::1]:8080", "/", 8080},
        {"http://[2001:DB8:0:0:0:0:0:1]:80/", "2001:db8::1", "[2001:db8::1]", "/", 80},
        {"http://[fe80::1%25eth0]:81/", "fe80::1%eth0", "[fe80::1]:81", "/", 81},
        {"http://a_b.example/", "a_b.example", "a_b.example", "/", 80},
        {"http://xn--bcher-kva.example/", "xn--bcher-kva.example", "xn--bcher-kva.example", "/", 80},
        {"http://b\xc3\xbc\x63her.example:81/", "xn--bcher-kva.example", "xn--bcher-kva.example:81", "/", 81},
        {"http://B\xc3\x9c\x43HER.example/", "xn--bcher-kva.example", "xn--bcher-kva.example", "/", 80},
        {"http://ex\xe3\x80\x82test/", "ex.test", "ex.test", "/", 80},
        // What a target cannot hold is encoded …
        {"http://h/a b?c d", "h", "h", "/a%20b?c%20d", 80},
        {"http://h/\xed\x8c\x8c\xeb\xb0\x9c", "h", "h", "/%ED%8C%8C%EB%B0%9C", 80},
        {"http://h?q=\xc3\xa9", "h", "h", "/?q=%C3%A9", 80},
        {"http://h/\"<>\\^`{|}", "h", "h", "/%22%3C%3E%5C%5E%60%7B%7C%7D", 80},
        // … and everything else is left alone.
        {"http://h/%27%3a%3A%zz%", "h", "h", "/%27%3a%3A%zz%", 80},
        {"http://h/a/../b/./c", "h", "h", "/a/../b/./c", 80},
        {"http://h//double", "h", "h", "//double", 80},
        {"http://h/?a[]=1&b='x'(y)*!$", "h", "h", "/?a[]=1&b='x'(y)*!$", 80},
        {"http://u@v@h/", "h", "h", "/", 80},
        {"http://a:@evil/", "evil", "evil", "/", 80},
        {"http+unix://%2Frun%2Fapp.sock/v1?x", "localhost", "localhost", "/v1?x", 80},
    };
    for (const auto& expected : cases) {
        SCOPED_TRACE(expected.text);
        const url made = parsed(expected.text);
        EXPECT_EQ(made.text(), expected.text);
        EXPECT_EQ(made.host(), expected.host);
        EXPECT_EQ(made.authority(), expected.authority);
        EXPECT_EQ(made.target(), expected.target);
        EXPECT_EQ(made.port(), expected.port);
    }
}

TEST(url, names_a_unix_socket) {
    EXPECT_EQ(parsed("http+unix://%2Frun%2Fapp.sock/v1").unix_path(), "/run/app.sock");
    EXPECT_EQ(parsed("http://h/").unix_path(), "");
}

TEST(url, tells_absent_from_empty) {
    const url absent = parsed("http://h/");
    EXPECT_FALSE(absent.has_query() || absent.has_fragment() || absent.has_userinfo());
    EXPECT_EQ(absent.explicit_port(), std::nullopt);
    EXPECT_EQ(absent.password(), std::nullopt);
    const url empty = parsed("http://@h/?#");
    EXPECT_TRUE(empty.has_query() && empty.has_fragment() && empty.has_userinfo());
    EXPECT_EQ(empty.query(), "");
    EXPECT_EQ(parsed("http://u:@h/").password(), "");
}

TEST(url, that_cannot_be_meant_is_refused) {
    const std::vector<std::string> cases = {
        "",
        " ",
        "example.com",
        "/path",
        "//example.com/",
        "http:",
        "http:/",
        "http:/example.com",
        "http:\\\\example.com",
        "http://",
        "http:///",
        "http:////host",
        "http://x@//h",
        "http://?q",
        "http://#f",
        "http://:80/",
        "http://u@:80/",
        "http://.",
        "http://.a/",
        "http://a..b/",
        "http://a../",
        "://h/",
        "1http://h/:",
        " http://h/",
        "http://h/ ",
        "http://h /",
        "http://a b/",
        "http://h\t/",
        "http://h/\t",
        "http://h/a\r\nHost: evil",
        "http://h/?a\nb",
        "http://h/#a\rb",
        std::string("http://h/\0", 10),
        "http://h/\x7f",
        "http://h\x01/",
        "http://h:x/",
        "http://h:-1/",
        "http://h:+80/",
        "http://h:65536/",
        "http://h:99999999999999999999/",
        "http://h:0/",
        "http://h:8 0/",
        "http://a:b:80/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[::1]80/",
        "http://[]/",
        "http://[:::1]/",
        "http://[1.2.3.4]/",
        "http://[::1%25]/",
        "http://[::1%25a/b]/",
        "http://::1/",
        "http://h\\@evil/",
        "http://h\\evil/",
        "http://u\\@h/",
        "http://2130706433/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://127.0.0.0x1/",
        "http://127.0.0.01/",
        "http://256.0.0.1/",
        "http://1.2.3.4.5/",
        "http://1.2.3.4./",
        "http://1.2.3/",
        "http://example.99/",
        "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.1/",  // full-width 127
        "http://\xc2\xad/",                                // nothing but a soft hyphen
        "http://\xff\xfe/",
        "http://ex\xc3/",
        "http://%65xample.com/",
        "http://a*b/",
        "http://a<b/",
        "http://" + std::string(64, 'a') + ".com/",
        "http://" + std::string(50, 'a') + "." + std::string(50, 'a') + "." + std::string(50, 'a') + "." +
            std::string(50, 'a') + "." + std::string(50, 'a') + "/",
        "http+unix:///path",
        "http+unix://%2Fa%00b/",
        "http+unix://%2Fa:80/",
        "http+unix://%2F" + std::string(200, 'a') + "/",
        "http://h/" + std::string(max_url_size, 'a'),
    };
    for (const auto& text : cases) {
        const auto made = url::parse(text);
        ASSERT_FALSE(made) << text;
        EXPECT_EQ(name_of(made.error().code), "invalid_url") << text;
        EXPECT_EQ(made.error().whose, culprit::caller) << text;
        EXPECT_EQ(made.error().where, phase::prepare) << text;
        for (const char c : made.error().message) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << text;
    }
}

TEST(url, of_a_scheme_nobody_speaks_is_unsupported) {
    for (const char* text : {"ftp://h/", "file:///etc/passwd", "mailto:a@b", "javascript:alert(1)", "data:,x"}) {
        const auto made = url::parse(text);
        ASSERT_FALSE(made) << text;
        EXPECT_EQ(name_of(made.error().code), "unsupported") << text;
    }
}

TEST(url, errors_say_where_and_keep_secrets) {
    EXPECT_EQ(url::parse("http://user:secret@h:x/").error().message,
              "invalid URL: the port is not a number (at byte 21)");
    EXPECT_EQ(url::parse("http://user:secret@127.1/").error().message.find("secret"), std::string::npos);
}

TEST(url, knows_its_origin) {
    const url base = parsed("https://example.com/a");
    for (const char* same : {"https://example.com:443/", "HTTPS://EXAMPLE.com/b?c", "https://u:p@example.com/"})
        EXPECT_TRUE(base.origin_equals(parsed(same))) << same;
    for (const char* other : {"http://example.com/", "https://example.com:444/", "https://www.example.com/",
                              "https://example.com./", "wss://example.com/"})
        EXPECT_FALSE(base.origin_equals(parsed(other))) << other;
    EXPECT_TRUE(parsed("http://[::1]/").origin_equals(parsed("http://[0:0:0:0:0:0:0:1]/")));
    EXPECT_FALSE(parsed("http+unix://%2Fa/").origin_equals(parsed("http+unix://%2Fb/")));
}

TEST(url, survives_being_copied_and_moved) {
    for (const char* text : {"http://a/", "http://LONGER.example.com/a path?q"}) {
        url original = parsed(text);
        const std::string target{original.target()};
        const std::string host{original.host()};
        url copy = original;
        EXPECT_EQ(copy.target(), target);
        const url moved = std::move(original);
        EXPECT_EQ(moved.host(), host);
        EXPECT_EQ(moved.target(), target);
        EXPECT_EQ(moved, copy);
    }
}

TEST(url, takes_further_query) {
    struct {
        std::string text, encoded, expected;
    } const cases[] = {
        {"http://h", "a=1", "http://h?a=1"},    {"http://h/", "a=1", "http://h/?a=1"},
        {"http://h/?", "a=1", "http://h/?a=1"}, {"http://h/?x=%27", "a=1&b=2", "http://h/?x=%27&a=1&b=2"},
        {"http://h/?x&", "a", "http://h/?x&a"}, {"http://h/?x#f?g", "a", "http://h/?x&a#f?g"},
        {"http://h/#f", "a", "http://h/?a#f"},  {"http://h/#", "a", "http://h/?a#"},
        {"http://h/x", "", "http://h/x"},
    };
    for (const auto& expected : cases) {
        const auto made = parsed(expected.text).with_query_appended(expected.encoded);
        ASSERT_TRUE(made) << expected.text;
        EXPECT_EQ(made->text(), expected.expected);
    }
    EXPECT_FALSE(parsed("http://h/").with_query_appended("a#b"));
    EXPECT_FALSE(parsed("http://h/").with_query_appended("a\nb"));
}

}  // namespace
}  // namespace pabal
