#include "protocol/http/media_type.hpp"

#include <algorithm>

#include <pabal/fields.hpp>

namespace pabal::http {

namespace {

std::string lowered(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    return out;
}

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view take_until(std::string_view& rest, std::string_view delimiters) noexcept {
    const auto taken = rest.substr(0, rest.find_first_of(delimiters));
    rest.remove_prefix(taken.size());
    return taken;
}

/// Takes a quoted-string (RFC 9110 section 5.6.4), of which `rest` begins with the opening quote; an unclosed one reaches
/// to the end.
std::string take_quoted(std::string_view& rest) {
    std::string value;
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\' && at + 1 < rest.size()) ++at;
        value += rest[at];
    }
    rest.remove_prefix(std::min(at + 1, rest.size()));
    return value;
}

}  // namespace

std::optional<media_type> media_type::parse(std::string_view text) {
    const std::string_view essence = trimmed(take_until(text, ";"));
    const auto slash = essence.find('/');
    if (slash == std::string_view::npos || !is_field_name(essence.substr(0, slash)) ||
        !is_field_name(essence.substr(slash + 1)))
        return std::nullopt;
    media_type made{lowered(essence), {}};
    while (!text.empty()) {
        text.remove_prefix(1);
        const std::string_view name = trimmed(take_until(text, ";="));
        if (text.empty() || text.front() == ';') continue;
        text.remove_prefix(1);
        std::string value;
        if (const auto start = text.find_first_not_of(" \t"); start != std::string_view::npos && text[start] == '"') {
            text.remove_prefix(start);
            value = take_quoted(text);
            take_until(text, ";");
        } else {
            value = trimmed(take_until(text, ";"));
            if (value.empty()) continue;
        }
        std::string key = lowered(name);
        if (is_field_name(key) && !made.parameter(key)) made.parameters.emplace_back(std::move(key), std::move(value));
    }
    return made;
}

std::optional<std::string_view> media_type::parameter(std::string_view lower_case_name) const noexcept {
    for (const auto& [name, value] : parameters) {
        if (name == lower_case_name) return value;
    }
    return std::nullopt;
}

std::optional<std::string> media_type::charset() const {
    const auto value = parameter("charset");
    if (!value || value->empty()) return std::nullopt;
    return lowered(*value);
}

}  // namespace pabal::http
