#include "protocol/http/http_date.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace pabal::http {

namespace {

constexpr std::string_view day_names = "SunMonTueWedThuFriSat";
constexpr std::array<std::string_view, 7> long_day_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                         "Thursday", "Friday", "Saturday"};
constexpr std::string_view month_names = "JanFebMarAprMayJunJulAugSepOctNovDec";

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

struct moment {
    int year = 0;
    unsigned month = 0;  ///< 1 to 12
    unsigned day = 0;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
};

std::optional<std::chrono::sys_seconds> at(const moment& m) {
    const std::chrono::year_month_day date{std::chrono::year{m.year}, std::chrono::month{m.month},
                                           std::chrono::day{m.day}};
    if (!date.ok() || m.hour > 23 || m.minute > 59 || m.second > 60) return std::nullopt;  // 60: a leap second
    return std::chrono::sys_days{date} + std::chrono::hours{m.hour} + std::chrono::minutes{m.minute} +
           std::chrono::seconds{m.second};
}

/// Reads fixed forms from left to right; the first mismatch makes everything after it fail.
class reader {
public:
    explicit reader(std::string_view text) noexcept : rest_(text) {}

    reader& literal(std::string_view expected) noexcept {
        ok_ = ok_ && rest_.starts_with(expected);
        if (ok_) rest_.remove_prefix(expected.size());
        return *this;
    }
    template <class Number>
    reader& digits(Number& out, std::size_t count) noexcept {
        ok_ = ok_ && rest_.size() >= count &&
              std::all_of(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count), is_digit);
        if (!ok_) return *this;
        out = 0;
        for (const char c : rest_.substr(0, count)) out = static_cast<Number>(out * 10 + static_cast<Number>(c - '0'));
        rest_.remove_prefix(count);
        return *this;
    }
    /// The day of asctime is padded by a space.
    reader& padded_day(unsigned& out) noexcept {
        if (ok_ && rest_.starts_with(' ')) return literal(" ").digits(out, 1);
        return digits(out, 2);
    }
    reader& month(unsigned& out) noexcept {
        const auto found = rest_.size() < 3 ? std::string_view::npos : month_names.find(rest_.substr(0, 3));
        ok_ = ok_ && found != std::string_view::npos && found % 3 == 0;
        if (!ok_) return *this;
        out = static_cast<unsigned>(found / 3 + 1);
        rest_.remove_prefix(3);
        return *this;
    }
    reader& time(moment& out) noexcept {
        return digits(out.hour, 2).literal(":").digits(out.minute, 2).literal(":").digits(out.second, 2);
    }
    bool complete() const noexcept { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

bool begins_with_day_name(std::string_view text) noexcept {
    const auto found = text.size() < 3 ? std::string_view::npos : day_names.find(text.substr(0, 3));
    return found != std::string_view::npos && found % 3 == 0;
}

std::optional<std::chrono::sys_seconds> parse_rfc_850(std::string_view text, std::chrono::sys_seconds now) {
    const auto name = std::find_if(long_day_names.begin(), long_day_names.end(),
                                   [&](std::string_view day) { return text.starts_with(day); });
    if (name == long_day_names.end()) return std::nullopt;
    moment m;
    if (!reader{text.substr(name->size())}
             .literal(", ")
             .digits(m.day, 2)
             .literal("-")
             .month(m.month)
             .literal("-")
             .digits(m.year, 2)
             .literal(" ")
             .time(m)
             .literal(" GMT")
             .complete())
        return std::nullopt;
    const int this_year =
        static_cast<int>(std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(now)}.year());
    m.year += this_year - this_year % 100;
    if (m.year > this_year + 50) m.year -= 100;
    return at(m);
}

/// RFC 6265bis section 5.1.1: what separates the tokens of a cookie's date.
constexpr bool is_cookie_date_delimiter(char byte) noexcept {
    const auto c = static_cast<unsigned char>(byte);
    return c == 0x09 || (c >= 0x20 && c <= 0x2F) || (c >= 0x3B && c <= 0x40) || (c >= 0x5B && c <= 0x60) ||
           (c >= 0x7B && c <= 0x7E);
}

/// Takes between `least` and `most` digits from the front, as many as there are. The token may go on, but not by a digit.
std::optional<unsigned> take_number(std::string_view& token, std::size_t least, std::size_t most) noexcept {
    std::size_t size = 0;
    unsigned value = 0;
    while (size < token.size() && size <= most && is_digit(token[size]))
        value = value * 10 + static_cast<unsigned>(token[size++] - '0');
    if (size < least || size > most) return std::nullopt;
    token.remove_prefix(size);
    return value;
}

bool take_time(std::string_view token, moment& out) noexcept {
    std::array<unsigned, 3> parts{};
    for (std::size_t part = 0; part < 3; ++part) {
        if (part > 0) {
            if (!token.starts_with(':')) return false;
            token.remove_prefix(1);
        }
        const auto number = take_number(token, 1, 2);
        if (!number) return false;
        parts[part] = *number;
    }
    out.hour = parts[0], out.minute = parts[1], out.second = parts[2];
    return true;
}

std::optional<unsigned> month_of(std::string_view token) noexcept {
    if (token.size() < 3) return std::nullopt;
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
    for (std::size_t month = 0; month < 12; ++month) {
        const auto name = month_names.substr(month * 3, 3);
        if (std::equal(name.begin(), name.end(), token.begin(), [&](char a, char b) { return lower(a) == lower(b); }))
            return static_cast<unsigned>(month + 1);
    }
    return std::nullopt;
}

}  // namespace

std::string format_http_date(std::chrono::sys_seconds when) {
    const auto days = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{days};
    const std::chrono::hh_mm_ss time{when - days};
    std::string out;
    const auto append = [&out](auto number, int width) {
        std::string digits = std::to_string(number);
        out.append(static_cast<std::size_t>(std::max(0, width - static_cast<int>(digits.size()))), '0').append(digits);
    };
    out.append(day_names.substr(std::chrono::weekday{days}.c_encoding() * 3, 3)).append(", ");
    append(static_cast<unsigned>(date.day()), 2);
    out.append(" ").append(month_names.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3)).append(" ");
    append(static_cast<int>(date.year()), 4);
    out += ' ';
    append(time.hours().count(), 2);
    out += ':';
    append(time.minutes().count(), 2);
    out += ':';
    append(time.seconds().count(), 2);
    return out += " GMT";
}

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text, std::chrono::sys_seconds now) {
    if (!begins_with_day_name(text)) return std::nullopt;
    const std::string_view after_day = text.substr(3);
    moment m;
    if (reader{after_day}
            .literal(", ")
            .digits(m.day, 2)
            .literal(" ")
            .month(m.month)
            .literal(" ")
            .digits(m.year, 4)
            .literal(" ")
            .time(m)
            .literal(" GMT")
            .complete())
        return at(m);
    if (reader{after_day}
            .literal(" ")
            .month(m.month)
            .literal(" ")
            .padded_day(m.day)
            .literal(" ")
            .time(m)
            .literal(" ")
            .digits(m.year, 4)
            .complete())
        return at(m);
    return parse_rfc_850(text, now);
}

std::optional<std::chrono::sys_seconds> parse_cookie_date(std::string_view text) {
    moment m;
    bool has_time = false;
    std::optional<unsigned> day;
    std::optional<unsigned> month;
    std::optional<unsigned> year;
    while (!text.empty()) {
        if (is_cookie_date_delimiter(text.front())) {
            text.remove_prefix(1);
            continue;
        }
        const auto end = std::find_if(text.begin(), text.end(), is_cookie_date_delimiter);
        std::string_view token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(token.size());
        if (!has_time && (has_time = take_time(token, m))) continue;
        if (!day && (day = take_number(token, 1, 2))) continue;
        if (!month && (month = month_of(token))) continue;
        if (!year) year = take_number(token, 2, 4);
    }
    if (!has_time || !day || !month || !year) return std::nullopt;
    if (*year >= 70 && *year <= 99) *year += 1900;
    if (*year <= 69) *year += 2000;
    if (*year < 1601 || m.second > 59) return std::nullopt;
    m.year = static_cast<int>(*year);
    m.month = *month;
    m.day = *day;
    return at(m);
}

}  // namespace pabal::http
