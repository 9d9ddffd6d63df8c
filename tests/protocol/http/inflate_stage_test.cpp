// What zlib-ng is told and what it says: wrappers and their faults. Content and streaming: content_coding_test.cpp.

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "encoders.hpp"
#include "protocol/http/coding_stage.hpp"

namespace pabal::http {
namespace {

struct outcome {
    std::string content;
    bool fault = false;
    bool may_end = false;
};

outcome decoded(content_coding coding, std::string_view coded) {
    const auto stage = make_inflate_stage(coding);
    std::array<char, 1000> buffer{};
    const auto step = stage->decode(coded, buffer);
    return {std::string(buffer.data(), step.produced), step.fault != nullptr, stage->may_end()};
}

TEST(inflate_stage, tells_zlib_from_raw_deflate_by_the_header) {
    for (int level = 0; level <= 9; ++level) {
        for (const int window : {9, 12, 15}) {
            EXPECT_EQ(decoded(content_coding::deflate, testing::deflated("text text", window, level)).content,
                      "text text");
            EXPECT_EQ(decoded(content_coding::deflate, testing::deflated("text text", -window, level)).content,
                      "text text");
        }
    }
}

TEST(inflate_stage, checks_what_the_wrapper_promises) {
    std::string wrong_sum = testing::zlib("text");
    wrong_sum.back() = static_cast<char>(wrong_sum.back() + 1);
    EXPECT_TRUE(decoded(content_coding::deflate, wrong_sum).fault);
    std::string wrong_crc = testing::gzip("text");
    wrong_crc[wrong_crc.size() - 5] = static_cast<char>(wrong_crc[wrong_crc.size() - 5] + 1);
    EXPECT_TRUE(decoded(content_coding::gzip, wrong_crc).fault);
    std::string wrong_size = testing::gzip("text");
    wrong_size.back() = 1;
    EXPECT_TRUE(decoded(content_coding::gzip, wrong_size).fault);
    EXPECT_TRUE(decoded(content_coding::gzip, testing::zlib("text")).fault);
}

TEST(inflate_stage, reads_every_optional_part_of_a_gzip_header) {
    // FEXTRA, FNAME, FCOMMENT: RFC 1952 section 2.3.
    const std::string plain = testing::gzip("text");
    std::string header("\x1f\x8b\x08\x1c\0\0\0\0\0\x03", 10);
    header += std::string("\x02\0ex", 4) + std::string("name\0", 5) + std::string("comment\0", 8);
    const auto out = decoded(content_coding::gzip, header + plain.substr(10));
    EXPECT_EQ(out.content, "text");
    EXPECT_TRUE(out.may_end);
}

TEST(inflate_stage, knows_no_dictionary) {
    // FDICT set (RFC 1950 section 2.2), and a dictionary's checksum.
    EXPECT_TRUE(decoded(content_coding::deflate, std::string("\x78\xbb\0\0\0\x01\x03\0", 8)).fault);
}

}  // namespace
}  // namespace pabal::http
