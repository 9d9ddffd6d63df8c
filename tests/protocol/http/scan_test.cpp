#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http/scan.hpp"

namespace pabal::http::scan {
namespace {

using scanner = const char* (*)(const char*, const char*) noexcept;

struct scanner_case {
    const char* name;
    scanner fast;
    scanner reference;
    bool (*passes)(unsigned char) noexcept;
    char filler;
};

constexpr scanner_case scanners[] = {
    {"find_control", find_control, scalar::find_control, [](unsigned char byte) noexcept { return !is_control(byte); },
     'v'},
    {"find_not_token", find_not_token, scalar::find_not_token, is_token, 'n'},
    {"find_not_target", find_not_target, scalar::find_not_target, is_target, '/'},
};

// Longer than two of the widest vectors, so that every position of a vector, of the second vector and of the tail is met.
constexpr std::size_t longest = 70;

TEST(scan, finds_any_byte_at_any_place_of_any_length) {
    for (const auto& [name, fast, reference, passes, filler] : scanners) {
        for (std::size_t size = 1; size <= longest; ++size) {
            std::vector<char> bytes(size, filler);  // ends where its memory ends, for the address sanitizer
            const char* const begin = bytes.data();
            const char* const end = begin + size;
            ASSERT_EQ(fast(begin, end), end) << name << " " << size;
            for (std::size_t at = 0; at < size; ++at) {
                for (unsigned value = 0; value < 256; ++value) {
                    bytes[at] = static_cast<char>(value);
                    const char* const expected = passes(static_cast<unsigned char>(value)) ? end : begin + at;
                    ASSERT_EQ(fast(begin, end), expected)
                        << name << " byte " << value << " at " << at << " of " << size;
                    ASSERT_EQ(reference(begin, end), expected) << name << " byte " << value << " at " << at;
                }
                bytes[at] = filler;
            }
        }
    }
}

TEST(scan, begins_anywhere_and_stops_at_the_first_of_several) {
    for (const auto& [name, fast, reference, passes, filler] : scanners) {
        std::string text(longest, filler);
        for (std::size_t at = 5; at < longest; at += 7) text[at] = '\r';
        for (std::size_t from = 0; from <= longest; ++from) {
            for (std::size_t to = from; to <= longest; ++to) {
                const char* const begin = text.data() + from;
                const char* const end = text.data() + to;
                ASSERT_EQ(fast(begin, end), reference(begin, end)) << name << " [" << from << ", " << to << ")";
            }
        }
    }
}

TEST(scan, looks_at_nothing_outside_its_range) {
    for (const auto& [name, fast, reference, passes, filler] : scanners) {
        for (std::size_t size = 0; size <= longest; ++size) {
            const std::string text =
                std::string(longest, '\r') + std::string(size, filler) + std::string(longest, '\r');
            const char* const begin = text.data() + longest;
            ASSERT_EQ(fast(begin, begin + size), begin + size) << name << " " << size;
        }
    }
}

std::string members(bool (*is_member)(unsigned char) noexcept) {
    std::string found;
    for (unsigned byte = 0; byte < 256; ++byte)
        if (is_member(static_cast<unsigned char>(byte))) found += static_cast<char>(byte);
    return found;
}

TEST(scan, classes_are_those_of_the_rfcs) {
    const std::string alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::string tokens = alphanumerics + "!#$%&'*+-.^_`|~";  // RFC 9110 section 5.6.2
    std::ranges::sort(tokens);
    EXPECT_EQ(members(is_token), tokens);
    EXPECT_EQ(members(is_digit), "0123456789");
    EXPECT_EQ(members(is_blank), "\t ");
    EXPECT_EQ(members(is_control).size(), 32U);  // 0x00-0x1f without HTAB, and DEL
    EXPECT_FALSE(is_control('\t'));
    EXPECT_TRUE(is_control(0x7F));
    EXPECT_FALSE(is_control(0x80));
    EXPECT_EQ(members(is_target).size(), 93U);  // visible ASCII without "#"
    for (const unsigned char byte : std::initializer_list<unsigned char>{0x20, 0x23, 0x7F, 0x80})
        EXPECT_FALSE(is_target(byte));
}

}  // namespace
}  // namespace pabal::http::scan
