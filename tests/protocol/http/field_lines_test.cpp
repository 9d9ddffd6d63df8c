#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/field_lines.hpp"

namespace pabal::http {
namespace {

struct line {
    const std::uint8_t* name;
    const std::uint8_t* value;
    std::size_t namelen;
    std::size_t valuelen;
    std::uint8_t flags;
};

std::string text(const std::uint8_t* bytes, std::size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

TEST(field_lines, holds_as_many_as_are_added_in_their_order) {
    std::vector<std::string> names;
    for (int count = 0; count < 100; ++count) names.push_back("name-" + std::to_string(count));
    for (const std::size_t size : {0U, 1U, 23U, 24U, 25U, 100U}) {
        field_lines<line> lines;
        for (std::size_t at = 0; at < size; ++at) lines(names[at], "value");
        ASSERT_EQ(lines.size(), size);
        for (std::size_t at = 0; at < size; ++at) {
            EXPECT_EQ(text(lines.data()[at].name, lines.data()[at].namelen), names[at]);
            EXPECT_EQ(text(lines.data()[at].value, lines.data()[at].valuelen), "value");
            EXPECT_EQ(lines.data()[at].flags, 0);
        }
    }
}

}  // namespace
}  // namespace pabal::http
