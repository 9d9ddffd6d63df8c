#include "dial/alternative_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/words.hpp"
#include "protocol/http/host.hpp"

namespace pabal::dial {

namespace {

using time_point = alternative_cache::time_point;

/// curl reads over what is longer.
constexpr std::size_t max_line_size = 4094;

/// Files reach to the year 9999, a clock that counts nanoseconds to 2262.
constexpr auto furthest = std::chrono::floor<std::chrono::seconds>(time_point::max());

struct protocol_name {
    std::string_view in_file;
    std::string_view of_alpn;
};
constexpr std::array protocols{protocol_name{"h1", "http/1.1"}, protocol_name{"h2", "h2"}, protocol_name{"h3", "h3"}};

/// Null: curl does not know it.
const protocol_name* find_protocol(std::string_view name, std::string_view protocol_name::* by) {
    const auto found = std::ranges::find(protocols, name, by);
    return found == protocols.end() ? nullptr : &*found;
}

template <std::unsigned_integral Number>
std::optional<Number> read_number(std::string_view digits) {
    Number value{};
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

std::optional<std::uint16_t> read_port(std::string_view word) {
    const auto port = read_number<std::uint16_t>(word);
    return port && *port > 0 ? port : std::nullopt;
}

/// The words `"YYYYMMDD` and `HH:MM:SS"`.
std::optional<std::chrono::sys_seconds> read_time(std::string_view day, std::string_view clock) {
    if (day.size() != 9 || clock.size() != 9 || day.front() != '"' || clock.back() != '"' || clock[2] != ':' ||
        clock[5] != ':')
        return std::nullopt;
    const auto part = [](std::string_view of, std::size_t at, std::size_t size) {
        return read_number<unsigned>(of.substr(at, size));
    };
    const auto year = part(day, 1, 4), month = part(day, 5, 2), date = part(day, 7, 2);
    const auto hours = part(clock, 0, 2), minutes = part(clock, 3, 2), seconds = part(clock, 6, 2);
    if (!year || !month || !date || !hours || !minutes || !seconds) return std::nullopt;
    if (*hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
    const std::chrono::year_month_day read{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                           std::chrono::day(*date)};
    if (!read.ok()) return std::nullopt;
    return std::chrono::sys_days(read) + std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
           std::chrono::seconds(*seconds);
}

/// One line: an origin with a single place. Nullopt: it is a comment, malformed, or does not hold any more.
std::optional<origin_alternatives> read_line(std::string_view line, time_point now) {
    if (line.size() > max_line_size) return std::nullopt;
    std::array<std::string_view, 10> words;  // a date has two
    for (std::string_view& word : words) word = base::next_word(line);
    if (!base::next_word(line).empty()) return std::nullopt;
    const auto host = http::read_host(words[1]), place = http::read_host(words[4]);
    const auto port = read_port(words[2]), place_port = read_port(words[5]);
    const protocol_name* const protocol = find_protocol(words[3], &protocol_name::in_file);
    const auto expires = read_time(words[6], words[7]);
    const auto persists = read_number<unsigned>(words[8]), priority = read_number<unsigned>(words[9]);
    if (!find_protocol(words[0], &protocol_name::in_file) || !host || !port || !protocol || !place || !place_port ||
        !expires || !persists || *persists > 1 || !priority)
        return std::nullopt;
    if (*expires <= std::chrono::floor<std::chrono::seconds>(now)) return std::nullopt;
    return origin_alternatives{
        *host,
        *port,
        {{std::string(protocol->of_alpn), {*place, *place_port}, std::min(*expires, furthest), *persists == 1}}};
}

std::string name_of(const origin_alternatives& origin) { return origin.host + ' ' + std::to_string(origin.port); }

/// The same place of the same origin may have been learnt by several of its protocols: it holds as long as any of them says.
void add_place(origin_alternatives& origin, known_alternative place) {
    const auto same = std::ranges::find_if(origin.places, [&](const known_alternative& each) {
        return each.protocol == place.protocol && each.place == place.place;
    });
    if (same == origin.places.end()) {
        if (origin.places.size() < http::max_alternative_services) origin.places.push_back(std::move(place));
    } else if (same->expires < place.expires) {
        *same = std::move(place);
    }
}

/// The first origins go until no more lines are left than may be.
void drop_oldest(std::vector<origin_alternatives>& origins) {
    std::size_t lines = 0;
    auto first = origins.end();
    while (first != origins.begin() && lines + std::prev(first)->places.size() <= max_alternative_lines) {
        --first;
        lines += first->places.size();
    }
    origins.erase(origins.begin(), first);
}

void append_number(std::string& out, unsigned number, std::size_t digits) {
    const std::string text = std::to_string(number);
    out.append(digits - std::min(digits, text.size()), '0').append(text);
}

void append_time(std::string& out, time_point when) {
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(when - day));
    append_number(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    append_number(out, static_cast<unsigned>(date.month()), 2);
    append_number(out, static_cast<unsigned>(date.day()), 2);
    out += ' ';
    append_number(out, static_cast<unsigned>(clock.hours().count()), 2);
    out += ':';
    append_number(out, static_cast<unsigned>(clock.minutes().count()), 2);
    out += ':';
    append_number(out, static_cast<unsigned>(clock.seconds().count()), 2);
}

/// Nothing is written that could not be read again.
void append_line(std::string& out, const origin_alternatives& origin, const known_alternative& each) {
    const protocol_name* const protocol = find_protocol(each.protocol, &protocol_name::of_alpn);
    const std::string host = http::write_host(origin.host), place = http::write_host(each.place.host);
    if (!protocol || !http::read_host(host) || !http::read_host(place)) return;
    out.append("h2 ").append(host).append(" ").append(std::to_string(origin.port));
    out.append(" ").append(protocol->in_file).append(" ").append(place).append(" ");
    out.append(std::to_string(each.place.port)).append(" \"");
    append_time(out, each.expires);
    out.append("\" ").append(each.persists ? "1" : "0").append(" 0\n");
}

}  // namespace

std::vector<origin_alternatives> read_alternatives(std::string_view text, time_point now) {
    std::vector<origin_alternatives> origins;
    std::unordered_map<std::string, std::size_t> known;
    while (!text.empty()) {
        auto read = read_line(base::next_line(text), now);
        if (!read) continue;
        const auto [at, is_new] = known.try_emplace(name_of(*read), origins.size());
        if (is_new) origins.push_back(std::move(*read));
        else add_place(origins[at->second], std::move(read->places.front()));
    }
    drop_oldest(origins);
    return origins;
}

std::string write_alternatives(const std::vector<origin_alternatives>& origins) {
    std::string out = "# What origins said of Alt-Svc, in the format of https://curl.se/docs/alt-svc.html\n"
                      "# Written by pabal, which keeps no other comments.\n";
    for (const origin_alternatives& origin : origins) {
        for (const known_alternative& each : origin.places) append_line(out, origin, each);
    }
    return out;
}

std::vector<origin_alternatives> merge_alternatives(std::vector<origin_alternatives> there,
                                                    std::vector<origin_alternatives> news, time_point now) {
    std::unordered_set<std::string> changed;
    for (const origin_alternatives& each : news) changed.insert(name_of(each));
    std::erase_if(there, [&](const origin_alternatives& each) { return changed.contains(name_of(each)); });
    for (origin_alternatives& each : news) {
        std::erase_if(each.places, [&](const known_alternative& place) { return place.expires <= now; });
        if (!each.places.empty()) there.push_back(std::move(each));
    }
    drop_oldest(there);
    return there;
}

}  // namespace pabal::dial
