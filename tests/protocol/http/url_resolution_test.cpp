#include <string>

#include <gtest/gtest.h>

#include <pabal/url.hpp>

namespace pabal {
namespace {

std::string resolved(std::string_view base, std::string_view reference) {
    const auto parsed = url::parse(base);
    if (!parsed) return "bad base";
    const auto made = resolve(*parsed, reference);
    return made ? std::string{made->text()} : std::string{name_of(made.error().code)};
}

TEST(url_resolution, follows_the_examples_of_rfc_3986_section_5_4) {
    struct {
        const char* reference;
        const char* expected;
    } const cases[] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "invalid_url"},
        {"g:h", "unsupported"},
    };
    for (const auto& expected : cases)
        EXPECT_EQ(resolved("http://a/b/c/d;p?q", expected.reference), expected.expected) << expected.reference;
}

TEST(url_resolution, keeps_what_a_redirect_means) {
    struct {
        const char* base;
        const char* reference;
        const char* expected;
    } const cases[] = {
        {"http://a", "g", "http://a/g"},
        {"http://a?q", "", "http://a?q"},
        {"https://a/x", "//b/y", "https://b/y"},
        {"https://a/x", "http://b/../y", "http://b/y"},
        {"https://a/x", " \t/y ", "https://a/y"},
        {"https://u:p@a:8443/x", "/y", "https://u:p@a:8443/y"},
        {"https://u:p@a/x", "//b/", "https://b/"},
        {"http+unix://%2Fs/x", "/y", "http+unix://%2Fs/y"},
        {"https://a/x", "/%27%3A", "https://a/%27%3A"},
        {"https://a/x", "/a b", "https://a/a b"},
        {"https://a/x", "y?http://b/", "https://a/y?http://b/"},
        {"https://a/x", "\\\\evil/", "https://a/\\\\evil/"},
        {"https://a/x", "/\r\nInjected: 1", "invalid_url"},
        {"https://a/x", "////b", "invalid_url"},
        {"https://a/x", "https://127.1/", "invalid_url"},
        {"https://a/x", "javascript:alert(1)", "unsupported"},
        // RFC 9110 section 10.2.2
        {"https://a/x#frag", "/y", "https://a/y#frag"},
        {"https://a/x#frag", "/y#new", "https://a/y#new"},
        {"https://a/x#frag", "https://b/#", "https://b/#"},
        {"https://a/x#frag", "https://b/", "https://b/#frag"},
    };
    for (const auto& expected : cases)
        EXPECT_EQ(resolved(expected.base, expected.reference), expected.expected)
            << expected.base << " + " << expected.reference;
}

}  // namespace
}  // namespace pabal
