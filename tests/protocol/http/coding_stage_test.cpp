#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "protocol/http/coding_stage.hpp"

namespace pabal::http {
namespace {

/// A coding that is easy to read: "<<" begins a stream, '>' ends it, '!' is a fault, everything else is content.
class angle_stage final : public coding_stage {
protected:
    prefix recognise(std::string_view bytes, bool) override {
        constexpr std::string_view magic = "<<";
        if (!magic.starts_with(bytes)) return prefix::foreign;
        return bytes.size() == magic.size() ? prefix::begins : prefix::undecided;
    }
    bool begin_stream() override {
        skip_ = 2;
        return true;
    }
    stream_progress decode_stream(std::string_view input, std::span<char> output) override {
        stream_progress done;
        while (done.used < input.size()) {
            const char c = input[done.used];
            if (skip_ > 0) {
                --skip_;
            } else if (c == '!') {
                done.fault = "bang";
                return done;
            } else if (c == '>') {
                ++done.used;
                done.ended = true;
                return done;
            } else if (done.produced == output.size()) {
                return done;
            } else {
                output[done.produced++] = c;
            }
            ++done.used;
        }
        return done;
    }

private:
    int skip_ = 0;
};

struct outcome {
    std::string content;
    std::string fault;
    bool may_end = false;
    bool discards = false;
};

outcome decoded(std::string_view coded, std::size_t piece, std::size_t space) {
    angle_stage stage;
    outcome out;
    std::string buffer(space, '\0');
    while (!coded.empty()) {
        std::string_view input = coded.substr(0, piece);
        coded.remove_prefix(input.size());
        while (!input.empty()) {
            const auto step = stage.decode(input, buffer);
            out.content.append(buffer, 0, step.produced);
            input.remove_prefix(step.used);
            if (step.fault != nullptr) {
                out.fault = step.fault;
                return out;
            }
        }
    }
    out.may_end = stage.may_end();
    out.discards = stage.discards();
    return out;
}

TEST(coding_stage, goes_from_stream_to_stream_and_discards_the_rest) {
    struct {
        const char* coded;
        const char* content;
        bool may_end;
        bool discards;
    } const cases[] = {
        {"", "", true, false},
        {"<", "", false, false},
        {"<<", "", false, false},
        {"<<ab", "ab", false, false},
        {"<<ab>", "ab", true, false},
        {"<<ab><", "ab", true, false},
        {"<<ab><<", "ab", false, false},
        {"<<ab><<cd>", "abcd", true, false},
        {"<<ab><x<<cd>", "ab", true, true},
        {"<<ab>x", "ab", true, true},
    };
    for (const auto& expected : cases) {
        for (const std::size_t piece : {std::size_t{100}, std::size_t{1}}) {
            for (const std::size_t space : {std::size_t{100}, std::size_t{1}}) {
                const auto out = decoded(expected.coded, piece, space);
                EXPECT_EQ(out.content, expected.content) << expected.coded;
                EXPECT_EQ(out.may_end, expected.may_end) << expected.coded;
                EXPECT_EQ(out.discards, expected.discards) << expected.coded;
                EXPECT_EQ(out.fault, "") << expected.coded;
            }
        }
    }
}

TEST(coding_stage, hands_on_a_fault_after_the_content_before_it) {
    for (const std::size_t piece : {std::size_t{100}, std::size_t{1}}) {
        const auto out = decoded("<<ab><<c!d>", piece, 100);
        EXPECT_EQ(out.content, "abc");
        EXPECT_EQ(out.fault, "bang");
    }
}

TEST(coding_stage, bounds_the_number_of_streams) {
    std::string coded;
    for (std::size_t i = 0; i < content_decoder::max_members; ++i) coded += "<<>";
    EXPECT_EQ(decoded(coded, 1000, 10).fault, "");
    EXPECT_NE(decoded(coded + "<<>", 1000, 10).fault, "");
}

}  // namespace
}  // namespace pabal::http
