#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "encoders.hpp"
#include "protocol/http/content_coding.hpp"

namespace pabal::http {
namespace {

using namespace testing;

content_decoder decoder_for(std::string_view codings) {
    auto made = content_decoder::for_codings(codings);
    EXPECT_TRUE(made && *made) << codings;
    return std::move(**made);
}

struct outcome {
    std::string content;
    bool failed = false;
    std::string message;
    bool finished = false;  ///< what decode said last
};

/// Decodes `coded`, given in pieces of `piece` bytes, into buffers of `space` bytes.
outcome decoded(std::string_view codings, std::string_view coded, std::size_t piece, std::size_t space) {
    content_decoder decoder = decoder_for(codings);
    outcome out;
    std::vector<char> buffer(space);
    const auto fail = [&](const error& failure) {
        EXPECT_EQ(name_of(failure.code), "content_coding_failed");
        EXPECT_EQ(name_of(failure.whose), "peer");
        out.failed = true;
        out.message = failure.message;
        return out;
    };
    while (!coded.empty()) {
        std::string_view input = coded.substr(0, piece);
        coded.remove_prefix(input.size());
        for (;;) {
            const auto step = decoder.decode(input, buffer);
            if (!step) return fail(step.error());
            EXPECT_LE(step->produced, space);
            input.remove_prefix(step->used);
            out.content.append(buffer.data(), step->produced);
            out.finished = step->finished;
            if (step->produced < space) {
                EXPECT_TRUE(input.empty() || step->produced > 0);
                if (input.empty()) break;
            }
        }
    }
    if (const auto finished = decoder.finish(); !finished) return fail(finished.error());
    return out;
}

struct coding_case {
    std::string name;
    std::function<std::string(std::string_view)> encode;
};

const std::vector<coding_case>& single_codings() {
    static const std::vector<coding_case> cases = {{"gzip", gzip},           {"x-GZIP", gzip}, {"deflate", zlib},
                                                   {"deflate", raw_deflate}, {"br", brotli},   {"zstd", zstd}};
    return cases;
}

std::string sample(std::size_t size) {
    std::string text;
    std::uint32_t state = 12345;
    while (text.size() < size) {
        state = state * 1664525 + 1013904223;
        text += (state >> 30) == 0 ? std::string("{\"symbol\":\"BTC\",\"price\":") : std::to_string(state >> 12);
    }
    text.resize(size);
    return text;
}

TEST(content_coding, gives_back_what_was_coded_however_it_arrives) {
    for (const auto& coding : single_codings()) {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{5000}, std::size_t{200'000}}) {
            const std::string text = sample(size);
            const std::string coded = coding.encode(text);
            for (const std::size_t piece : {coded.size() + 1, std::size_t{1}, std::size_t{7}}) {
                for (const std::size_t space : {std::size_t{1}, std::size_t{1000}, size + 1}) {
                    const auto out = decoded(coding.name, coded, piece, space);
                    EXPECT_FALSE(out.failed) << coding.name << ": " << out.message;
                    EXPECT_TRUE(out.finished) << coding.name;
                    EXPECT_TRUE(out.content == text) << coding.name << " " << size << " " << piece << " " << space;
                }
            }
        }
    }
}

TEST(content_coding, stacks_five_deep) {
    const std::string text = sample(50'000);
    const std::string coded = zstd(brotli(raw_deflate(zlib(gzip(text)))));
    const std::string codings = "gzip, deflate , deflate,,br,identity, ZSTD";
    for (const std::size_t piece : {coded.size(), std::size_t{1}}) {
        const auto out = decoded(codings, coded, piece, 4096);
        EXPECT_FALSE(out.failed) << out.message;
        EXPECT_TRUE(out.finished);
        EXPECT_TRUE(out.content == text);
    }
}

TEST(content_coding, more_than_five_is_refused) {
    for (const std::string& codings : {std::string("gzip,gzip,gzip,gzip,gzip,gzip"), std::string("a,b,c,d,e,f"), [] {
                                           std::string many;
                                           for (int i = 0; i < 1000; ++i) many += "gzip,";
                                           return many;
                                       }()}) {
        const auto made = content_decoder::for_codings(codings);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, error_code::content_coding_failed);
    }
}

TEST(content_coding, that_is_unknown_is_left_to_the_caller) {
    for (const char* codings : {"compress", "gzip, foo", "aes128gcm", "gzip;q=1", "dcb"}) {
        const auto made = content_decoder::for_codings(codings);
        ASSERT_TRUE(made) << codings;
        EXPECT_FALSE(made->has_value()) << codings;
    }
}

TEST(content_coding, identity_changes_nothing) {
    for (const char* codings : {"", "identity", " , Identity ,"}) {
        EXPECT_TRUE(decoder_for(codings).is_identity());
        EXPECT_EQ(decoded(codings, "as it is", 3, 2).content, "as it is");
    }
    EXPECT_FALSE(decoder_for("gzip").is_identity());
}

TEST(content_coding, an_empty_body_is_empty_in_every_coding) {
    for (const auto& coding : single_codings()) {
        content_decoder decoder = decoder_for(coding.name);
        char byte = 0;
        const auto step = decoder.decode({}, {&byte, 1});
        ASSERT_TRUE(step);
        EXPECT_EQ(step->produced, 0U);
        EXPECT_TRUE(decoder.finish());
    }
}

TEST(content_coding, a_stream_cut_short_anywhere_is_an_error) {
    const std::string text = sample(300);
    for (const auto& coding : single_codings()) {
        const std::string coded = coding.encode(text);
        for (std::size_t size = 1; size < coded.size(); ++size) {
            for (const std::size_t piece : {coded.size(), std::size_t{1}}) {
                const auto out = decoded(coding.name, std::string_view{coded}.substr(0, size), piece, 64);
                EXPECT_TRUE(out.failed) << coding.name << " cut at " << size;
                EXPECT_FALSE(out.finished) << coding.name << " cut at " << size;
                EXPECT_TRUE(text.starts_with(out.content));
            }
        }
    }
}

TEST(content_coding, a_stack_cut_short_names_the_coding_that_was_cut) {
    const std::string inner = gzip(sample(300));
    const std::string outer_cut = brotli(inner).substr(0, 20);
    EXPECT_NE(decoded("gzip, br", outer_cut, 1, 64).message.find("br"), std::string::npos);
    const std::string inner_cut = brotli(inner.substr(0, inner.size() - 3));
    EXPECT_NE(decoded("gzip, br", inner_cut, 1, 64).message.find("gzip"), std::string::npos);
}

TEST(content_coding, corrupt_data_is_an_error_and_never_more_content_than_there_was) {
    const std::string text = sample(400);
    for (const auto& coding : single_codings()) {
        const std::string coded = coding.encode(text);
        std::size_t errors = 0;
        for (std::size_t at = 0; at < coded.size(); ++at) {
            std::string changed = coded;
            changed[at] = static_cast<char>(changed[at] ^ 0x55);
            const auto whole = decoded(coding.name, changed, changed.size(), 256);
            const auto bytes = decoded(coding.name, changed, 1, 256);
            EXPECT_EQ(whole.failed, bytes.failed) << coding.name << " at " << at;
            if (!whole.failed) {
                EXPECT_EQ(whole.content, bytes.content) << coding.name << " at " << at;
            }
            errors += whole.failed;
        }
        EXPECT_GT(errors, coded.size() / 4) << coding.name;  // raw deflate and br have no checksum
    }
    for (const auto& coding : single_codings()) {
        if (coding.name == "deflate") continue;  // anything may be raw deflate
        EXPECT_TRUE(decoded(coding.name, "<html>not coded at all, whatever the field says</html>", 1, 64).failed)
            << coding.name;
    }
}

TEST(content_coding, the_error_names_the_coding) {
    EXPECT_NE(decoded("gzip", "not gzip at all", 100, 64).message.find("gzip"), std::string::npos);
    EXPECT_NE(decoded("zstd", "not zstd at all", 100, 64).message.find("zstd"), std::string::npos);
}

TEST(content_coding, members_follow_each_other) {
    const std::string text = sample(200);
    for (const std::size_t piece : {std::size_t{100'000}, std::size_t{1}}) {
        const auto gzipped = decoded("gzip", gzip(text) + gzip("") + gzip("tail"), piece, 100);
        EXPECT_FALSE(gzipped.failed) << gzipped.message;
        EXPECT_EQ(gzipped.content, text + "tail");
        const std::string skippable("\x53\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
        const auto framed = decoded("zstd", skippable + zstd(text) + skippable + zstd("tail"), piece, 100);
        EXPECT_FALSE(framed.failed) << framed.message;
        EXPECT_EQ(framed.content, text + "tail");
        EXPECT_TRUE(decoded("gzip", gzip(text) + gzip(text).substr(0, 12), piece, 100).failed);
        EXPECT_TRUE(decoded("zstd", zstd(text) + zstd(text).substr(0, 12), piece, 100).failed);
    }
}

TEST(content_coding, thousands_of_members_are_an_attack) {
    std::string coded;
    for (std::size_t i = 0; i < content_decoder::max_members; ++i) coded += gzip("");
    EXPECT_FALSE(decoded("gzip", coded, coded.size(), 100).failed);
    EXPECT_TRUE(decoded("gzip", coded + gzip(""), coded.size(), 100).failed);
}

TEST(content_coding, bytes_after_the_end_are_discarded) {
    const std::string text = sample(200);
    for (const auto& coding : single_codings()) {
        for (const std::string& trailing :
             {std::string(1, '\0'), std::string(1000, '\0'), std::string("\x1f"), std::string("\x1f\x8c"),
              std::string("\x28\xb5\x2f"), std::string("\x52\x2a\x4d\x19"), std::string("garbage\r\n")}) {
            for (const std::size_t piece : {std::size_t{100'000}, std::size_t{1}}) {
                const auto out = decoded(coding.name, coding.encode(text) + trailing, piece, 100);
                EXPECT_FALSE(out.failed) << coding.name << out.message;
                EXPECT_EQ(out.content, text);
            }
        }
    }
}

TEST(content_coding, a_bomb_expands_no_further_than_the_buffer_given) {
    const std::string zeros(20'000'000, '\0');
    for (const auto& coding : single_codings()) {
        const std::string coded = coding.encode(zeros);
        content_decoder decoder = decoder_for(coding.name);
        std::vector<char> buffer(4096);
        std::string_view input = coded;
        for (int i = 0; i < 100; ++i) {
            const auto step = decoder.decode(input, buffer);
            ASSERT_TRUE(step) << coding.name;
            EXPECT_EQ(step->produced, buffer.size()) << coding.name;
            input.remove_prefix(step->used);
        }
        EXPECT_FALSE(decoder.finish()) << coding.name;
    }
}

TEST(content_coding, a_stack_of_bombs_expands_no_further_either) {
    const std::string coded = gzip(gzip(gzip(std::string(50'000'000, '\0'))));
    content_decoder decoder = decoder_for("gzip, gzip, gzip");
    std::vector<char> buffer(100);
    const auto step = decoder.decode(coded, buffer);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->produced, buffer.size());
}

TEST(content_coding, a_stack_that_grows_without_content_is_an_error) {
    // Thirty megabytes of empty stored blocks, which inflate to nothing.
    std::string blocks;
    for (int i = 0; i < 6'000'000; ++i) blocks.append("\0\0\0\xff\xff", 5);
    const auto out = decoded("deflate, gzip", gzip(blocks), std::size_t{1} << 20U, 1000);
    EXPECT_TRUE(out.failed);
    EXPECT_NE(out.message.find("without content"), std::string::npos) << out.message;
    // Discarded bytes are not even decoded.
    const auto discarded =
        decoded("gzip, gzip", gzip(gzip("x") + std::string(30'000'000, '\0')), std::size_t{1} << 20U, 1000);
    EXPECT_FALSE(discarded.failed) << discarded.message;
    EXPECT_EQ(discarded.content, "x");
}

TEST(content_coding, a_zstd_window_beyond_eight_megabytes_is_refused) {
    // Frame header: magic, descriptor 0, window descriptor 0x78 (a window of 2^25 bytes).
    EXPECT_TRUE(decoded("zstd", std::string("\x28\xb5\x2f\xfd\x00\x78\x01\x00\x00", 9), 100, 100).failed);
    EXPECT_FALSE(decoded("zstd", std::string("\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00", 9), 100, 100).failed);
}

TEST(content_coding, a_decoder_can_be_moved_in_the_middle) {
    const std::string text = sample(5000);
    const std::string coded = gzip(text);
    content_decoder first = decoder_for("gzip");
    std::vector<char> buffer(10'000);
    const auto half = first.decode(std::string_view{coded}.substr(0, 100), buffer);
    ASSERT_TRUE(half);
    content_decoder second = std::move(first);
    const auto rest = second.decode(std::string_view{coded}.substr(100), std::span{buffer}.subspan(half->produced));
    ASSERT_TRUE(rest);
    EXPECT_EQ(std::string(buffer.data(), half->produced + rest->produced), text);
    EXPECT_TRUE(second.finish());
}

TEST(content_coding, states_are_reused_whatever_state_they_were_left_in) {
    const std::string text = sample(2000);
    for (int round = 0; round < 20; ++round) {
        for (const auto& coding : single_codings()) {
            const std::string coded = coding.encode(text);
            decoded(coding.name, coded.substr(0, coded.size() / 2), 100, 100);
            decoded(coding.name, "corrupt", 100, 100);
            EXPECT_EQ(decoded(coding.name, coded, 100, 100).content, text);
        }
    }
}

}  // namespace
}  // namespace pabal::http
