#include "protocol/http/alternative_services.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "protocol/http/field_reader.hpp"
#include "protocol/http/host.hpp"
#include "protocol/http/percent_encoding.hpp"

namespace pabal::http {

namespace {

/// A number of seconds (RFC 9111 section 1.2.2): what is larger than can be counted is as large as can be.
std::optional<std::chrono::seconds> read_seconds(std::string_view text) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return std::chrono::seconds{failure == std::errc{} ? std::min(value, most) : most};
}

/// [host] ":" port. False: the alternative is none that could be reached.
bool read_authority(std::string_view text, alternative_service& out) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return false;
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
    if (failure != std::errc{} || end != digits.data() + digits.size() || out.port == 0) return false;
    const std::string_view written = text.substr(0, colon);
    if (written.empty()) return true;
    auto host = read_host(written);
    if (!host) return false;
    out.host = std::move(*host);
    return true;
}

/// One alternative with its parameters; false: malformed. What cannot be reached is not added.
bool read_alternative(field_reader& from, std::chrono::seconds age, alternative_services& out) {
    alternative_service next;
    const std::string_view protocol = from.token();
    if (protocol.empty() || !from.take('=')) return false;
    const auto authority = from.quoted_string();
    if (!authority) return false;
    next.protocol = percent_decode(protocol);
    const bool is_reachable = read_authority(*authority, next);
    for (from.skip_space(); from.take(';'); from.skip_space()) {
        from.skip_space();
        const auto parameter = from.parameter();
        if (!parameter) return false;
        const auto& [name, value] = *parameter;
        if (name == "ma") {
            const auto seconds = read_seconds(value);
            if (!seconds) return false;
            next.max_age = *seconds;
        } else if (name == "persist") {
            next.persists = value == "1";  // any other value is not defined, and ignored
        }
    }
    next.max_age = std::max(next.max_age - age, std::chrono::seconds{0});
    if (is_reachable && out.size() < max_alternative_services) out.push_back(std::move(next));
    return from.at_end() || from.at(',');
}

/// Reads the value of one line behind what others said. False: malformed.
bool read_line(std::string_view value, std::chrono::seconds age, alternative_services& out, bool& clears) {
    field_reader from(value);
    from.skip_space();
    field_reader ahead = from;
    if (ahead.token() == "clear") {
        ahead.skip_space();
        if (ahead.at_end()) return clears = true;
    }
    for (from.skip_commas(); !from.at_end(); from.skip_commas()) {
        if (!read_alternative(from, age, out)) return false;
    }
    return true;
}

}  // namespace

std::optional<alternative_services> parse_alternative_services(std::string_view value, std::chrono::seconds age) {
    alternative_services out;
    bool clears = false;
    if (!read_line(value, age, out, clears)) return std::nullopt;
    if (clears) return alternative_services{};
    if (out.empty()) return std::nullopt;
    return out;
}

std::optional<alternative_services> parse_alternative_services(const fields& headers, std::chrono::seconds age) {
    alternative_services out;
    bool clears = false;
    for (const fields::field line : headers) {
        if (line.id == field_id::alt_svc && !read_line(line.value, age, out, clears)) return std::nullopt;
    }
    if (clears) return alternative_services{};
    if (out.empty()) return std::nullopt;
    return out;
}

}  // namespace pabal::http
