#include <gtest/gtest.h>

#include "protocol/http/media_type.hpp"

namespace pabal::http {
namespace {

TEST(media_type, has_an_essence_and_a_charset) {
    struct {
        const char* text;
        const char* essence;
        std::optional<std::string> charset;
    } const cases[] = {
        {"text/html", "text/html", std::nullopt},
        {"Text/HTML; Charset=UTF-8", "text/html", "utf-8"},
        {"text/html;charset=\"Shift_JIS\"", "text/html", "shift_jis"},
        {"text/html ; x=\"a;b=\\\"c\" ; charset=latin1", "text/html", "latin1"},
        {"application/json;;charset=utf-8;", "application/json", "utf-8"},
        {"text/plain; charset", "text/plain", std::nullopt},
        {"text/plain; charset=", "text/plain", std::nullopt},
        {"text/plain; charset=\"\"", "text/plain", std::nullopt},
        {"text/plain; charset=a; charset=b", "text/plain", "a"},
        {"text/plain; charset=\"unclosed", "text/plain", "unclosed"},
        {"text/plain; bad name=x; charset=utf-8", "text/plain", "utf-8"},
        {"application/vnd.api+json", "application/vnd.api+json", std::nullopt},
    };
    for (const auto& expected : cases) {
        const auto made = media_type::parse(expected.text);
        ASSERT_TRUE(made) << expected.text;
        EXPECT_EQ(made->essence, expected.essence) << expected.text;
        EXPECT_EQ(made->charset(), expected.charset) << expected.text;
    }
    EXPECT_EQ(media_type::parse("a/b; x=\"q;\\\"r\"")->parameter("x"), "q;\"r");
}

TEST(media_type, needs_type_and_subtype) {
    for (const char* bad : {"", "text", "/", "text/", "/html", "te xt/html", "text/html/x", ";charset=utf-8", "*"})
        EXPECT_FALSE(media_type::parse(bad)) << bad;
}

}  // namespace
}  // namespace pabal::http
