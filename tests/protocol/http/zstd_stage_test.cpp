// What Facebook's decoder is told and what it says. Content and streaming: content_coding_test.cpp.

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "encoders.hpp"
#include "protocol/http/coding_stage.hpp"

namespace pabal::http {
namespace {

struct outcome {
    std::string content;
    std::string fault;
    bool may_end = false;
    bool discards = false;
};

outcome decoded(std::string_view coded) {
    const auto stage = make_zstd_stage();
    std::array<char, 1000> buffer{};
    const auto step = stage->decode(coded, buffer);
    return {std::string(buffer.data(), step.produced), step.fault != nullptr ? step.fault : "", stage->may_end(),
            stage->discards()};
}

TEST(zstd_stage, skips_skippable_frames_wherever_they_are) {
    const std::string frame = testing::zstd("text");
    for (char kind = '\x50'; kind <= '\x5f'; ++kind) {
        const std::string skippable = kind + std::string("\x2a\x4d\x18\x02\0\0\0..", 9);
        for (const auto& coded : {skippable + frame, frame + skippable, skippable + skippable + frame}) {
            const auto out = decoded(coded);
            EXPECT_EQ(out.content, "text") << out.fault;
            EXPECT_TRUE(out.may_end && !out.discards);
        }
    }
}

TEST(zstd_stage, allows_the_window_of_rfc_9659_and_no_more) {
    // Magic, frame header descriptor 0, window descriptor (exponent << 3), one empty last block.
    const auto with_window = [](char descriptor) {
        return std::string("\x28\xb5\x2f\xfd\0", 5) + descriptor + std::string("\x01\0\0", 3);
    };
    EXPECT_EQ(decoded(with_window(13 << 3)).fault, "");  // 8 MiB
    EXPECT_NE(decoded(with_window(14 << 3)).fault, "");  // 16 MiB
}

TEST(zstd_stage, knows_no_dictionary) {
    // Descriptor 0x21: single segment, a dictionary id of one byte.
    EXPECT_NE(decoded(std::string("\x28\xb5\x2f\xfd\x21\x07\x00\x01\x00\x00", 10)).fault, "");
}

}  // namespace
}  // namespace pabal::http
