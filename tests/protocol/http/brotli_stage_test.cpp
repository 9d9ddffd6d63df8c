// What Google's decoder is told and what it says. Content and streaming: content_coding_test.cpp.

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "protocol/http/coding_stage.hpp"

namespace pabal::http {
namespace {

TEST(brotli_stage, reads_vectors_of_other_encoders) {
    struct {
        std::string coded, content;
    } const cases[] = {
        {"\x06", ""},
        {"\x3b", ""},
        {std::string("\x0b\x02\x80hello\x03", 9), "hello"},
    };
    for (const auto& expected : cases) {
        const auto stage = make_brotli_stage();
        std::array<char, 100> buffer{};
        const auto step = stage->decode(expected.coded, buffer);
        EXPECT_EQ(step.fault, nullptr);
        EXPECT_EQ(std::string(buffer.data(), step.produced), expected.content);
        EXPECT_TRUE(stage->may_end());
    }
}

TEST(brotli_stage, refuses_a_window_beyond_sixteen_megabytes) {
    // The "large window" extension is not the content coding br (RFC 7932 section 9.1).
    const auto stage = make_brotli_stage();
    std::array<char, 100> buffer{};
    EXPECT_NE(stage->decode(std::string("\x11\x1e\0\0\0\0", 6), buffer).fault, nullptr);
}

TEST(brotli_stage, is_one_stream_only) {
    const auto stage = make_brotli_stage();
    std::array<char, 100> buffer{};
    const auto step = stage->decode("\x06\x06", buffer);
    EXPECT_EQ(step.used, 2U);
    EXPECT_TRUE(stage->discards());
}

}  // namespace
}  // namespace pabal::http
