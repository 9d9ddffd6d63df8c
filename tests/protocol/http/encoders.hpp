#pragma once
/// \file
/// What a server would do: the encoding side of the content codings, for tests.

#include <string>
#include <string_view>

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib-ng.h>
#include <zstd.h>

namespace pabal::http::testing {

inline std::string deflated(std::string_view text, int window_bits, int level = 6) {
    zng_stream stream{};
    EXPECT_EQ(zng_deflateInit2(&stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(zng_deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<const std::uint8_t*>(text.data());
    stream.avail_in = static_cast<std::uint32_t>(text.size());
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream.avail_out = static_cast<std::uint32_t>(out.size());
    EXPECT_EQ(zng_deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
    zng_deflateEnd(&stream);
    return out;
}

inline std::string gzip(std::string_view text) { return deflated(text, 15 + 16); }
inline std::string zlib(std::string_view text) { return deflated(text, 15); }
inline std::string raw_deflate(std::string_view text) { return deflated(text, -15); }

inline std::string brotli(std::string_view text) {
    std::size_t size = BrotliEncoderMaxCompressedSize(text.size()) + 64;
    std::string out(size, '\0');
    EXPECT_TRUE(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, text.size(),
                                      reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                                      reinterpret_cast<std::uint8_t*>(out.data())));
    out.resize(size);
    return out;
}

inline std::string zstd(std::string_view text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

}  // namespace pabal::http::testing
