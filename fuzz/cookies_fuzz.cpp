// Cookies. Each line of the input is a Set-Cookie value; they arrive from four URLs by turns, a second apart.
//
// Invariants:
//   - nothing crashes; the jar stays within its bounds, and counts what it holds;
//   - what it sends is a valid field value (or nothing), the same when asked again;
//   - a secure cookie is never sent over plain http; a host-only cookie only to its host; every domain stored belongs to
//     the host that set it;
//   - date readers accept or refuse, and never leave the calendar.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <pabal/cookies.hpp>

#include "protocol/http/http_date.hpp"

namespace {

using pabal::url;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const url sources[] = {*url::parse("https://www.example.com/a/b"), *url::parse("http://www.example.com/a"),
                                  *url::parse("https://example.com/"), *url::parse("http://127.0.0.1/x/y/z")};
    std::string_view input{reinterpret_cast<const char*>(data), size};
    pabal::cookie_jar jar;
    auto now = pabal::cookie_jar::time_point{} + std::chrono::hours{500'000};
    std::size_t turn = 0;
    while (!input.empty()) {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(line.size() + 1, input.size()));
        jar.receive(sources[turn++ % std::size(sources)], line, now);
        now += std::chrono::seconds{1};
        pabal::http::parse_cookie_date(line);
        const auto today = std::chrono::floor<std::chrono::seconds>(now);
        if (const auto date = pabal::http::parse_http_date(line, today))
            require(pabal::http::parse_http_date(pabal::http::format_http_date(*date), today) == date);
    }

    std::size_t held = 0;
    jar.for_each([&](const pabal::cookie& each) {
        ++held;
        require(each.name.size() + each.value.size() <= pabal::cookie_jar::max_cookie_size);
        require(each.path.starts_with('/') && !each.domain.empty());
        require(each.domain == "127.0.0.1" || each.domain == "example.com" || each.domain == "www.example.com");
        require(!each.expires || *each.expires <= now + pabal::cookie_jar::max_age);
    });
    require(held == jar.size() && held <= pabal::cookie_jar::max_total);

    for (const url& to : sources) {
        const std::string header = jar.cookie_header(to, now);
        require(header == jar.cookie_header(to, now));
        require(pabal::is_field_value(header));
        if (header.empty()) continue;
        jar.for_each([&](const pabal::cookie& each) {
            const bool sent = each.last_used == now;
            require(!sent || !each.expires || *each.expires > now);
        });
    }
    jar.remove_if([](const pabal::cookie& each) { return !each.secure; });
    require(jar.cookie_header(sources[1], now).empty() && jar.cookie_header(sources[3], now).empty());
    return 0;
}
