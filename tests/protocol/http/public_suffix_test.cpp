#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "protocol/http/idna.hpp"
#include "protocol/http/public_suffix.hpp"

namespace pabal::http {
namespace {

/// The vectors that come with the list: a name and its registrable domain, or "null", on each line.
TEST(public_suffix, passes_the_lists_own_tests) {
    std::ifstream file(PABAL_PUBLIC_SUFFIX_TESTS);
    ASSERT_TRUE(file) << PABAL_PUBLIC_SUFFIX_TESTS;
    std::string line;
    int checked = 0;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string given, expected;
        if (line.starts_with("//") || !(words >> given >> expected)) continue;
        ++checked;
        // No name, and names that begin with a dot, are no hosts: what stands for "null" there is refused before.
        if (given == "null" || given.starts_with('.')) continue;
        const std::string host = host_to_ascii(given).value();
        EXPECT_EQ(registrable_domain(host), expected == "null" ? "" : host_to_ascii(expected).value()) << line;
    }
    EXPECT_GE(checked, 78);
}

TEST(public_suffix, is_the_longest_rule_or_one_label) {
    struct {
        const char* host;
        const char* suffix;
    } const cases[] = {
        {"com", "com"},
        {"www.example.com", "com"},
        {"www.example.co.uk", "co.uk"},
        {"co.uk", "co.uk"},
        // The private section.
        {"somebody.github.io", "github.io"},
        {"github.io", "github.io"},
        {"bucket.s3.amazonaws.com", "s3.amazonaws.com"},
        // Wildcards, their parents, and their exceptions.
        {"ck", "ck"},
        {"a.ck", "a.ck"},
        {"b.a.ck", "a.ck"},
        {"www.ck", "ck"},
        {"a.www.ck", "ck"},
        {"kobe.jp", "jp"},
        {"c.kobe.jp", "c.kobe.jp"},
        {"city.kobe.jp", "kobe.jp"},
        // Internationalised, as A-labels.
        {"xn--85x722f.xn--55qx5d.cn", "xn--55qx5d.cn"},
        // Nothing is known of these.
        {"localhost", "localhost"},
        {"db.internal.corp", "corp"},
        // A final dot makes no difference.
        {"example.co.uk.", "co.uk."},
        {"com.", "com."},
        // Not names: nothing bad happens.
        {"", ""},
        {".", "."},
        {"..", "."},
        {".com", "com"},
        {"a..com", "com"},
        {"127.0.0.1", "1"},
        {"::1", "::1"},
    };
    for (const auto& expected : cases) EXPECT_EQ(public_suffix(expected.host), expected.suffix) << expected.host;
    EXPECT_TRUE(is_public_suffix("co.uk"));
    EXPECT_TRUE(is_public_suffix("co.uk."));
    EXPECT_FALSE(is_public_suffix("example.co.uk"));
    EXPECT_FALSE(is_public_suffix(""));
}

TEST(public_suffix, tells_sites_apart) {
    EXPECT_TRUE(is_same_site("example.com", "example.com"));
    EXPECT_TRUE(is_same_site("a.example.co.uk", "b.c.example.co.uk"));
    EXPECT_FALSE(is_same_site("a.co.uk", "b.co.uk"));
    EXPECT_FALSE(is_same_site("a.github.io", "b.github.io"));
    EXPECT_TRUE(is_same_site("localhost", "localhost"));
    EXPECT_FALSE(is_same_site("localhost", "other"));
    EXPECT_FALSE(is_same_site("com", "example.com"));
}

}  // namespace
}  // namespace pabal::http
