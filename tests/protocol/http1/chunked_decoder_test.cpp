#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/http1/chunked_decoder.hpp"

namespace pabal::http1 {
namespace {

using namespace std::string_view_literals;
using kind = chunked_decoder::piece::kind;

/// What came of some input: the content, and how it ended.
struct decoded {
    std::string content;
    kind end = kind::need_more;
    std::size_t used = 0;
    std::string message;  ///< after a fault
};

/// Presents pieces of the given size; stops at the last chunk or a fault.
decoded decode(std::string_view input, std::size_t piece_size, const limits& bounds = {}) {
    chunked_decoder decoder;
    decoded outcome;
    while (outcome.used < input.size() && outcome.end != kind::last && outcome.end != kind::failed) {
        std::string_view piece = input.substr(outcome.used, piece_size);
        while (!piece.empty()) {
            const auto step = decoder.decode(piece, bounds);
            EXPECT_GT(step.used, 0U);
            EXPECT_LE(step.used, piece.size());
            if (step.what == kind::data) {
                EXPECT_FALSE(step.data.empty());
                EXPECT_EQ(step.data.data() + step.data.size(), piece.data() + step.used);
                outcome.content += step.data;
            }
            EXPECT_EQ(decoder.decoded(), outcome.content.size());
            outcome.end = step.what;
            outcome.used += step.used;
            piece.remove_prefix(step.used);
            if (step.what == kind::last || step.what == kind::failed) break;
        }
    }
    if (outcome.end == kind::failed) outcome.message = decoder.failure().message;
    return outcome;
}

/// In every way of cutting it: whole, in pieces of every size, byte by byte.
template <class Check>
void decode_in_pieces(std::string_view input, Check check) {
    for (std::size_t size = input.size(); size > 0; --size) check(decode(input, size));
}

TEST(chunked_decoder, reads_chunks_however_they_are_cut) {
    struct {
        std::string_view input, content;
    } const cases[] = {
        {"0\r\n", ""},
        {"000\r\n", ""},
        {"5\r\nhello\r\n0\r\n", "hello"},
        {"5\r\nhello\r\n1\r\n \r\n6\r\nworld!\r\n0\r\n", "hello world!"},
        {"00000000000000a\r\n0123456789\r\n0\r\n", "0123456789"},
        {"0000000000000005\r\nhello\r\n0\r\n", "hello"},
        {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n", "01234567890123456789"},
        // What looks like framing inside of data is data.
        {"7\r\n\r\n0\r\n\r\n\r\n0\r\n", "\r\n0\r\n\r\n"},
        {"3\r\n\0\xff\n\r\n0\r\n"sv, "\0\xff\n"sv},
        // Extensions, RFC 9112 section 7.1.1.
        {"5;a\r\nhello\r\n0;b\r\n", "hello"},
        {"5;a=b;c=\"d\";e\r\nhello\r\n0\r\n", "hello"},
        {"5; a = b ; c = \"d e\"\r\nhello\r\n0\r\n", "hello"},
        {"5;\ta\t=\tb\t;c\r\nhello\r\n0\r\n", "hello"},
        {"5;a=\";=\\\"\\\\\xff\"\r\nhello\r\n0\r\n", "hello"},
        {"5;a=\"\"\r\nhello\r\n0\r\n", "hello"},
        {"5;5=5;a1=1a\r\nhello\r\n0\r\n", "hello"},
    };
    for (const auto& [input, content] : cases) {
        decode_in_pieces(input, [&](const decoded& outcome) {
            ASSERT_EQ(outcome.end, kind::last) << input << ": " << outcome.message;
            ASSERT_EQ(outcome.content, content) << input;
            ASSERT_EQ(outcome.used, input.size()) << input;
        });
    }
}

TEST(chunked_decoder, leaves_what_follows_the_last_chunk) {
    const auto outcome = decode("2\r\nab\r\n0\r\n\r\nGET / HTTP/1.1\r\n", 1000);
    EXPECT_EQ(outcome.end, kind::last);
    EXPECT_EQ(outcome.used, std::string_view("2\r\nab\r\n0\r\n").size());
}

TEST(chunked_decoder, refuses_malformed_framing_however_it_is_cut) {
    struct {
        std::string_view input, message;
    } const cases[] = {
        {"\r\n", "chunk size begins with 0x0d"},
        {"\n", "chunk size begins with 0x0a"},
        {" 5\r\n", "chunk size begins with 0x20"},
        {"+5\r\n", "chunk size begins with '+'"},
        {"-1\r\n", "chunk size begins with '-'"},
        {"g\r\n", "chunk size begins with 'g'"},
        {";a\r\n", "chunk size begins with ';'"},
        {"\xd9\xa1\r\n", "chunk size begins with 0xd9"},
        {"\0\r\n"sv, "chunk size begins with 0x00"},
        {"0x5\r\n", "invalid byte 'x' after the digits of a chunk size"},
        {"1_0\r\n", "invalid byte '_' after the digits of a chunk size"},
        {"5 \r\nhello", "invalid byte 0x20 after the digits of a chunk size"},
        {"5 ;a\r\nhello", "invalid byte 0x20 after the digits of a chunk size"},
        {"5\t\r\nhello", "invalid byte 0x09 after the digits of a chunk size"},
        {"5\nhello", "invalid byte 0x0a after the digits of a chunk size"},
        {"5,5\r\n", "invalid byte ',' after the digits of a chunk size"},
        {"5.0\r\n", "invalid byte '.' after the digits of a chunk size"},
        {"5h\r\n", "invalid byte 'h' after the digits of a chunk size"},
        {"5\r\rhello", "CR without LF after a chunk size"},
        {"5\rhello", "CR without LF after a chunk size"},
        {"00000000000000005\r\n", "chunk size has more than 16 digits"},
        {"10000000000000000\r\n", "chunk size has more than 16 digits"},
        {"8000000000000000\r\n", "chunk size is more than 2^63 - 1"},
        {"ffffffffffffffff\r\n", "chunk size is more than 2^63 - 1"},
        // A newline in an extension is where parsers disagree about what the next line is.
        {"5;a\nhello", "invalid byte 0x0a in a chunk extension"},
        {"5;\nhello", "invalid byte 0x0a in a chunk extension"},
        {"5;a=\nb\r\nhello", "invalid byte 0x0a in a chunk extension"},
        {"5;a=\"x\ny\"\r\nhello", "invalid byte 0x0a in a chunk extension"},
        {"5;a=\"x\r\ny\"\r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;a=\"x\\\ny\"\r\nhello", "invalid byte 0x0a in a chunk extension"},
        {"5;a=\"\\\r\n\"\r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;a=b\nhello", "invalid byte 0x0a in a chunk extension"},
        {"5;a\0\r\n"sv, "invalid byte 0x00 in a chunk extension"},
        {"5;a=\"\x7f\"\r\n", "invalid byte 0x7f in a chunk extension"},
        {"5;\r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;;a\r\nhello", "invalid byte ';' in a chunk extension"},
        {"5;a;\r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;=b\r\nhello", "invalid byte '=' in a chunk extension"},
        {"5;a=\r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;a==b\r\nhello", "invalid byte '=' in a chunk extension"},
        {"5;a=b=c\r\nhello", "invalid byte '=' in a chunk extension"},
        {"5;a=\"b\"c\r\nhello", "invalid byte 'c' in a chunk extension"},
        {"5;a b\r\nhello", "invalid byte 'b' in a chunk extension"},
        {"5;a=b c\r\nhello", "invalid byte 'c' in a chunk extension"},
        {"5;a \r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;a=b \r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;a=\"b\"\t\r\nhello", "invalid byte 0x0d in a chunk extension"},
        {"5;a\xff\r\nhello", "invalid byte 0xff in a chunk extension"},
        {"5;(a)\r\nhello", "invalid byte '(' in a chunk extension"},
        {"1\r\nab\r\n", "chunk data is not followed by CRLF but by 'b'"},
        {"1\r\na\n0\r\n", "chunk data is not followed by CRLF but by 0x0a"},
        {"1\r\na\r0\r\n", "chunk data is not followed by CRLF but by '0'"},
        {"1\r\na0\r\n", "chunk data is not followed by CRLF but by '0'"},
    };
    for (const auto& [input, message] : cases) {
        decode_in_pieces(input, [&](const decoded& outcome) {
            ASSERT_EQ(outcome.end, kind::failed) << input;
            ASSERT_TRUE(outcome.message.starts_with(message)) << input << ": " << outcome.message;
        });
    }
}

TEST(chunked_decoder, allows_only_hexadecimal_digits_in_a_size) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool is_hex =
            std::string_view("0123456789abcdefABCDEF").find(static_cast<char>(byte)) != std::string::npos;
        const char first[] = {static_cast<char>(byte), '\r', '\n'};
        EXPECT_EQ(decode({first, 3}, 3).end != kind::failed, is_hex) << byte;
        const char second[] = {'0', static_cast<char>(byte)};
        EXPECT_EQ(decode({second, 2}, 2).end != kind::failed, is_hex || byte == ';' || byte == '\r') << byte;
    }
}

TEST(chunked_decoder, says_how_far_it_came) {
    const auto outcome = decode("5\r\nhello\r\nz", 100);
    EXPECT_EQ(outcome.message, "chunk size begins with 'z' after 5 bytes of content");
}

TEST(chunked_decoder, bounds_the_line_of_a_chunk) {
    limits bounds;
    bounds.max_chunk_line = 10;
    for (const std::size_t piece : {1U, 3U, 100U}) {
        EXPECT_EQ(decode("0;a=567890\r\n", piece, bounds).end, kind::last);
        const auto outcome = decode("0;a=5678901\r\n", piece, bounds);
        EXPECT_EQ(outcome.end, kind::failed);
        EXPECT_TRUE(outcome.message.starts_with("chunk size line is too long")) << outcome.message;
        EXPECT_EQ(outcome.used, 11U);
        // Each line anew.
        EXPECT_EQ(decode("1;a=567890\r\nx\r\n1;a=567890\r\nx\r\n0;a=567890\r\n", piece, bounds).end, kind::last);
    }
}

TEST(chunked_decoder, bounds_the_extensions_of_a_message_by_its_content) {
    // 1003 bytes of extension for each byte of content: the free allowance is spent soon.
    const std::string chunk = "1;" + std::string(1002, 'x') + "\r\ny\r\n";
    std::string input;
    for (int i = 0; i < 1000; ++i) input += chunk;
    for (const std::size_t piece : {std::size_t{1}, input.size()}) {
        const auto outcome = decode(input, piece);
        EXPECT_EQ(outcome.end, kind::failed);
        EXPECT_TRUE(outcome.message.starts_with("chunk extensions are longer than the content")) << outcome.message;
        EXPECT_LE(outcome.used, free_chunk_extension_bytes + 2 * chunk.size());
    }
    // With content to match there is no end to them.
    const std::string fair = "10;" + std::string(14, 'x') + "\r\n0123456789abcdef\r\n";
    input.clear();
    for (int i = 0; i < 5000; ++i) input += fair;
    EXPECT_EQ(decode(input + "0\r\n", 1000).end, kind::last);
}

TEST(chunked_decoder, looks_once_at_each_byte_of_a_million_tiny_chunks) {
    // Each call uses up what it looked at, so the bytes used are the work done.
    constexpr std::size_t chunks = 1'000'000;
    std::string input;
    for (std::size_t i = 0; i < chunks; ++i) input += "1\r\nx\r\n";
    input += "0\r\n";
    chunked_decoder decoder;
    std::size_t used = 0;
    std::size_t steps = 0;
    for (kind what = kind::need_more; what != kind::last; ++steps) {
        const auto step = decoder.decode(std::string_view(input).substr(used), {});
        ASSERT_NE(step.what, kind::failed);
        ASSERT_GT(step.used, 0U);
        used += step.used;
        what = step.what;
    }
    EXPECT_EQ(used, input.size());
    EXPECT_EQ(steps, chunks + 1);
    EXPECT_EQ(decoder.decoded(), chunks);
}

TEST(chunked_decoder, lets_its_owner_receive_data_elsewhere) {
    chunked_decoder decoder;
    EXPECT_EQ(decoder.data_remaining(), 0U);
    EXPECT_EQ(decoder.decode("1", {}).what, kind::need_more);
    EXPECT_EQ(decoder.data_remaining(), 0U);  // 1 may become 10
    EXPECT_EQ(decoder.decode("0\r\n", {}).used, 3U);
    EXPECT_EQ(decoder.data_remaining(), 16U);
    decoder.skip_data(10);
    EXPECT_EQ(decoder.data_remaining(), 6U);
    const auto piece = decoder.decode("abcdefgh", {});
    EXPECT_EQ(piece.what, kind::data);
    EXPECT_EQ(piece.data, "abcdef");
    EXPECT_EQ(decoder.data_remaining(), 0U);
    EXPECT_EQ(decoder.decoded(), 16U);
    EXPECT_EQ(decoder.decode("\r\n0\r\n", {}).what, kind::last);
}

TEST(chunked_decoder, begins_again) {
    chunked_decoder decoder;
    EXPECT_EQ(decoder.decode("x", {}).what, kind::failed);
    decoder.begin();
    EXPECT_EQ(decoder.decode("0\r\n", {}).what, kind::last);
    decoder.begin();
    EXPECT_EQ(decoder.decode("1\r\nx", {}).data, "x");
    EXPECT_EQ(decoder.decoded(), 1U);
}

}  // namespace
}  // namespace pabal::http1
