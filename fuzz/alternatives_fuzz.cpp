// The file of alternatives: two texts, with a NUL between them, of which the second is the news.
//
// Invariants:
//   - nothing crashes; what is read holds now, is about each origin once, and is bounded;
//   - what was read is the same after it was written and read again;
//   - of an origin that the news are about, the news alone are left; the others are as they were; all of it is bounded.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "dial/alternative_text.hpp"

namespace {

using pabal::dial::alternative_cache;
using pabal::dial::origin_alternatives;

constexpr alternative_cache::time_point now = std::chrono::sys_days{std::chrono::year{2027} / 1 / 1};

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const std::vector<origin_alternatives>& origins) {
    std::set<std::pair<std::string_view, std::uint16_t>> seen;
    std::size_t lines = 0;
    for (const origin_alternatives& origin : origins) {
        require(seen.emplace(origin.host, origin.port).second && origin.port > 0);
        require(!origin.places.empty() && origin.places.size() <= pabal::http::max_alternative_services);
        for (const auto& place : origin.places) require(place.expires > now && place.place.port > 0);
        lines += origin.places.size();
    }
    require(lines <= pabal::dial::max_alternative_lines);
}

const origin_alternatives* find(const std::vector<origin_alternatives>& in, const origin_alternatives& origin) {
    const auto found = std::ranges::find_if(
        in, [&](const origin_alternatives& each) { return each.host == origin.host && each.port == origin.port; });
    return found == in.end() ? nullptr : &*found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto half = std::min(input.find('\0'), input.size());
    const auto there = pabal::dial::read_alternatives(input.substr(0, half), now);
    const auto news = pabal::dial::read_alternatives(input.substr(std::min(half + 1, size)), now);
    check(there);
    require(pabal::dial::read_alternatives(pabal::dial::write_alternatives(there), now) == there);

    const auto merged = pabal::dial::merge_alternatives(there, news, now);
    check(merged);
    for (const origin_alternatives& each : merged) {
        const origin_alternatives* const new_one = find(news, each);
        const origin_alternatives* const old_one = find(there, each);
        require(new_one ? each == *new_one : old_one && each == *old_one);
    }
    return 0;
}
