#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http2/frame_scanner.hpp"
#include "protocol/http2/http2_client.hpp"

namespace pabal::http2 {
namespace {

using testing::frame;
using testing::preface;

std::vector<std::string> scan(std::string_view input, std::size_t piece) {
    frame_scanner scanner(preface.size());
    std::vector<std::string> found;
    for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
        frame_header header;
        for (std::size_t at = 0; scanner.next(input.substr(0, piece), at, header);)
            found.push_back(std::to_string(header.type) + " " + std::to_string(header.flags) + " " +
                            std::to_string(header.stream) + " " + std::to_string(header.length));
    }
    return found;
}

TEST(frame_scanner, finds_every_header_however_the_input_is_cut) {
    const std::string input = std::string(preface) + frame(4, 0, 0) + frame(1, 5, 1, std::string(300, 'h')) +
                              frame(0, 1, 0x7fffffff, "d") + frame(0xff, 0xff, 3, std::string(70'000, 'x')) +
                              frame(6, 0, 0, "12345678");
    const std::vector<std::string> expected{"4 0 0 0", "1 5 1 300", "0 1 2147483647 1", "255 255 3 70000", "6 0 0 8"};
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{8}, std::size_t{9}, std::size_t{10},
                                    std::size_t{1000}, input.size()})
        EXPECT_EQ(scan(input, piece), expected) << piece;
}

TEST(frame_scanner, the_reserved_bit_says_nothing) {
    std::string input = frame(3, 0, 5, "1234");
    input[5] = static_cast<char>(input[5] | '\x80');
    frame_scanner scanner;
    frame_header header;
    std::size_t at = 0;
    ASSERT_TRUE(scanner.next(input, at, header));
    EXPECT_EQ(header.stream, 5);
}

TEST(frame_scanner, says_where_a_header_began) {
    const std::string first = frame(4, 0, 0), second = frame(6, 0, 0, "12345678");
    frame_scanner scanner;
    frame_header header;
    std::size_t at = 0;
    const std::string whole = first + second;
    ASSERT_TRUE(scanner.next(whole, at, header));
    EXPECT_EQ(scanner.begin(), 0U);
    ASSERT_TRUE(scanner.next(whole, at, header));
    EXPECT_EQ(scanner.begin(), first.size());
    EXPECT_FALSE(scanner.next(whole, at, header));

    at = 0;
    EXPECT_FALSE(scanner.next(second.substr(0, 4), at, header));
    at = 0;
    ASSERT_TRUE(scanner.next(second.substr(4), at, header));
    EXPECT_EQ(scanner.begin(), 0U) << "it began in an earlier piece";
}

}  // namespace
}  // namespace pabal::http2
