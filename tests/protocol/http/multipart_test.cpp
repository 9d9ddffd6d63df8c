#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/multipart.hpp"

namespace pabal::http {
namespace {

multipart with(std::string_view boundary) { return *multipart::with_boundary(boundary); }

multipart::part part(std::string name, std::optional<std::string> filename = {}, std::string content_type = "",
                     std::optional<std::uint64_t> size = {}) {
    return {std::move(name), std::move(filename), std::move(content_type), {}, size};
}

TEST(multipart, frames_its_parts) {
    multipart form = with("x");
    ASSERT_TRUE(form.add(part("field", {}, "", 5)));
    multipart::part file = part("file", "a.txt", "text/plain", 0);
    ASSERT_TRUE(file.headers.append("X-Note", "yes"));
    ASSERT_TRUE(form.add(file));
    const std::vector<std::string_view> contents{"value", ""};
    const std::string expected = "--x\r\n"
                                 "Content-Disposition: form-data; name=\"field\"\r\n\r\n"
                                 "value\r\n"
                                 "--x\r\n"
                                 "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n"
                                 "Content-Type: text/plain\r\n"
                                 "X-Note: yes\r\n\r\n"
                                 "\r\n"
                                 "--x--\r\n";
    EXPECT_EQ(form.body(contents), expected);
    EXPECT_EQ(form.size(), expected.size());
    EXPECT_EQ(form.content_type(), "multipart/form-data; boundary=x");
    EXPECT_EQ(form.parts(), 2U);
}

TEST(multipart, without_parts_is_its_end) {
    const multipart form = with("x");
    EXPECT_EQ(form.body({}), "--x--\r\n");
    EXPECT_EQ(form.size(), 7U);
}

TEST(multipart, has_no_size_when_a_part_has_none) {
    multipart form;
    ASSERT_TRUE(form.add(part("a", {}, "", 3)));
    EXPECT_TRUE(form.size());
    ASSERT_TRUE(form.add(part("b")));
    ASSERT_TRUE(form.add(part("c", {}, "", 3)));
    EXPECT_FALSE(form.size());
}

TEST(multipart, escapes_names_as_browsers_do) {
    multipart form = with("x");
    ASSERT_TRUE(form.add(part("a\"b\r\nc: d", "\xed\x8c\x8c\"; filename=\"evil\\.txt")));
    EXPECT_EQ(form.head(0), "--x\r\nContent-Disposition: form-data; name=\"a%22b%0D%0Ac: d\"; "
                            "filename=\"\xed\x8c\x8c%22; filename=%22evil\\.txt\"\r\n\r\n");
}

TEST(multipart, refuses_what_would_forge_headers) {
    multipart form;
    multipart::part disposition = part("a");
    ASSERT_TRUE(disposition.headers.append("content-disposition", "form-data; name=b"));
    multipart::part parsed = part("a");
    parsed.headers.append_valid("X", "1\r\nInjected: yes");
    for (const auto& bad : {part("a", {}, "text/plain\r\nInjected: yes"), part("a", {}, "text/plain\n"),
                            part("a", {}, std::string("te\0xt", 5)), part(std::string("a\0b", 3)),
                            part("a", std::string("f\0", 2)), part("a\x1b"), disposition, parsed}) {
        const auto outcome = form.add(bad);
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().code, error_code::invalid_header);
        EXPECT_EQ(outcome.error().whose, culprit::caller);
    }
    EXPECT_EQ(form.parts(), 0U);
    EXPECT_EQ(form.size(), form.closing().size());
}

TEST(multipart, has_a_boundary_of_its_own) {
    const multipart first;
    const multipart second;
    EXPECT_NE(first.boundary(), second.boundary());
    EXPECT_EQ(first.boundary().size(), 32U);
    EXPECT_TRUE(multipart::with_boundary(std::string(70, 'a')));
    for (const std::string& bad : {std::string{}, std::string(71, 'a'), std::string{"a b"}, std::string{"a\r\n"},
                                   std::string{"a;b"}, std::string{"a\"b"}})
        EXPECT_FALSE(multipart::with_boundary(bad)) << bad;
}

}  // namespace
}  // namespace pabal::http
