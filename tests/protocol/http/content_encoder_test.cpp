#include <array>

#include <gtest/gtest.h>

#include "protocol/http/content_coding.hpp"
#include "protocol/http/content_encoder.hpp"

namespace pabal::http {
namespace {

std::string decoded(content_coding coding, std::string_view coded) {
    auto decoder = std::move(**content_decoder::for_codings(name_of(coding)));
    std::string out;
    std::array<char, 1000> buffer;
    while (true) {
        const auto made = decoder.decode(coded, buffer);
        if (!made) return "failed: " + made.error().message;
        coded.remove_prefix(made->used);
        out.append(buffer.data(), made->produced);
        if (made->produced < buffer.size() && coded.empty()) break;
    }
    const auto complete = decoder.finish();
    return complete ? out : "failed: " + complete.error().message;
}

class content_encoding : public ::testing::TestWithParam<content_coding> {
protected:
    const std::string text = [] {
        std::string made;
        for (int line = 0; line < 20'000; ++line) made += "line " + std::to_string(line * line) + "\n";
        return made;
    }();
};

INSTANTIATE_TEST_SUITE_P(each, content_encoding,
                         ::testing::Values(content_coding::gzip, content_coding::deflate, content_coding::br,
                                           content_coding::zstd),
                         [](const auto& coding) { return std::string(name_of(coding.param)); });

TEST_P(content_encoding, is_undone_by_decoding) {
    const std::string whole = content_encoder::encoded(GetParam(), text);
    EXPECT_LT(whole.size(), text.size() / 2);
    EXPECT_TRUE(decoded(GetParam(), whole) == text);
}

TEST_P(content_encoding, may_come_in_pieces) {
    for (const std::size_t size : {1UL, 7UL, 4096UL, 100'000UL}) {
        content_encoder encoder(GetParam());
        std::string out = "before";
        const std::string_view all = std::string_view(text).substr(0, size == 1 ? 5000 : text.size());
        for (std::size_t at = 0; at < all.size(); at += size) {
            encoder.encode(all.substr(at, size), out);
            encoder.encode({}, out);
        }
        encoder.finish(out);
        ASSERT_TRUE(out.starts_with("before"));
        EXPECT_TRUE(decoded(GetParam(), out.substr(6)) == all) << size;
    }
}

TEST_P(content_encoding, of_nothing_is_a_complete_stream) {
    content_encoder encoder(GetParam());
    std::string out;
    encoder.finish(out);
    EXPECT_FALSE(out.empty());
    EXPECT_EQ(decoded(GetParam(), out), "");
}

TEST_P(content_encoding, gives_what_it_has_while_the_body_goes_on) {
    content_encoder encoder(GetParam());
    std::string out;
    std::size_t held = 0;
    unsigned state = 1;
    for (int piece = 0; piece < 400; ++piece) {  // noise, which no coding makes smaller
        std::string noise(64 * 1024, '\0');
        for (char& letter : noise) letter = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
        encoder.encode(noise, out);
        held += noise.size();
        ASSERT_GE(out.size() + 17U * 1024 * 1024, held) << "what waits inside is bounded";
    }
}

TEST(find_content_coding, goes_by_name) {
    EXPECT_EQ(find_content_coding("GZip"), content_coding::gzip);
    EXPECT_EQ(find_content_coding("zstd"), content_coding::zstd);
    EXPECT_EQ(find_content_coding("compress"), std::nullopt);
    EXPECT_EQ(find_content_coding(""), std::nullopt);
}

}  // namespace
}  // namespace pabal::http
