// Content codings. The first byte chooses the codings, the second the size of the pieces; the rest is what the peer sent.
//
// Invariants:
//   - no input crashes, leaks, or produces more than the buffer it was given;
//   - whole, in pieces, and byte by byte into a one-byte buffer, the verdict is the same, and so is the content of a
//     complete stream; the content before a fault is a prefix of the longer one;
//   - every call uses input, produces output or says that it needs more: nothing spins.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/http/content_coding.hpp"

namespace {

using pabal::http::content_decoder;

constexpr std::string_view stacks[] = {"gzip",       "deflate",  "br",         "zstd",
                                       "gzip, gzip", "br, gzip", "gzip, zstd", "deflate, br, zstd, gzip, deflate"};

/// Beyond this the comparison ends: a bomb must be harmless, not finished.
constexpr std::size_t most_content = std::size_t{1} << 15U;

struct outcome {
    std::string content;
    bool failed = false;
    bool cut = false;
};

void require(bool holds) {
    if (!holds) std::abort();
}

outcome decode(std::string_view codings, std::string_view coded, std::size_t piece, std::size_t space) {
    auto made = content_decoder::for_codings(codings);
    require(made && *made);
    content_decoder& decoder = **made;
    outcome out;
    std::vector<char> buffer(space);
    while (!coded.empty()) {
        std::string_view input = coded.substr(0, piece);
        coded.remove_prefix(input.size());
        for (;;) {
            const auto step = decoder.decode(input, buffer);
            if (!step) {
                out.failed = true;
                return out;
            }
            require(step->used <= input.size() && step->produced <= space);
            out.content.append(buffer.data(), step->produced);
            if (out.content.size() >= most_content) {
                out.cut = true;
                return out;
            }
            input.remove_prefix(step->used);
            if (step->produced == space) continue;
            require(input.empty() || step->produced > 0);  // it may stop early only to tell a fault by the next call
            if (input.empty()) break;
        }
    }
    out.failed = !decoder.finish();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view codings = stacks[data[0] % std::size(stacks)];
    const std::size_t piece = std::size_t{1} + data[1];
    const std::string_view coded{reinterpret_cast<const char*>(data) + 2, size - 2};

    const outcome whole = decode(codings, coded, coded.size() + 1, 65536);
    for (const outcome& other : {decode(codings, coded, piece, 4096), decode(codings, coded, 1, 1)}) {
        const std::size_t common = std::min(whole.content.size(), other.content.size());
        require(std::string_view{whole.content}.substr(0, common) == std::string_view{other.content}.substr(0, common));
        if (whole.cut || other.cut) continue;
        require(whole.failed == other.failed);
        require(whole.failed || whole.content == other.content);
    }
    return 0;
}
