/// \file
/// RFC 3986 section 5.2, with its names: base, reference, and the target that is composed of both.

#include <algorithm>
#include <string>

#include <pabal/url.hpp>

namespace pabal {

namespace {

/// A reference split by the expression of RFC 3986 appendix B. Undefined and empty differ.
struct reference_parts {
    std::optional<std::string_view> scheme;
    std::optional<std::string_view> authority;
    std::string_view path;
    std::optional<std::string_view> query;
    std::optional<std::string_view> fragment;
};

bool is_scheme(std::string_view text) noexcept {
    const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
    if (text.empty() || !is_letter(text.front())) return false;
    for (const char c : text) {
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return false;
    }
    return true;
}

/// Cuts `text` at the first of `delimiters` and returns what stands before.
std::string_view take_until(std::string_view& text, const char* delimiters) noexcept {
    const auto taken = text.substr(0, text.find_first_of(delimiters));
    text.remove_prefix(taken.size());
    return taken;
}

reference_parts split(std::string_view text) noexcept {
    reference_parts parts;
    if (const auto end = text.find_first_of(":/?#");
        end != std::string_view::npos && text[end] == ':' && is_scheme(text.substr(0, end))) {
        parts.scheme = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    if (text.substr(0, 2) == "//") {
        text.remove_prefix(2);
        parts.authority = take_until(text, "/?#");
    }
    parts.path = take_until(text, "?#");
    if (!text.empty() && text.front() == '?') {
        text.remove_prefix(1);
        parts.query = take_until(text, "#");
    }
    if (!text.empty()) parts.fragment = text.substr(1);
    return parts;
}

/// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view input) {
    std::string output;
    const auto drop_last_segment = [&output] { output.resize(std::min(output.rfind('/'), output.size())); };
    while (!input.empty()) {
        if (input.starts_with("../")) {
            input.remove_prefix(3);
        } else if (input.starts_with("./") || input.starts_with("/./")) {
            input.remove_prefix(2);
        } else if (input == "/.") {
            input = "/";
        } else if (input.starts_with("/../")) {
            input.remove_prefix(3);
            drop_last_segment();
        } else if (input == "/..") {
            input = "/";
            drop_last_segment();
        } else if (input == "." || input == "..") {
            input = {};
        } else {
            const auto segment = input.substr(0, input.find('/', 1));
            output += segment;
            input.remove_prefix(segment.size());
        }
    }
    return output;
}

/// RFC 3986 section 5.2.3; the base always has an authority.
std::string merge(std::string_view base_path, std::string_view reference_path) {
    std::string merged = base_path.empty() ? "/" : std::string{base_path.substr(0, base_path.rfind('/') + 1)};
    return merged += reference_path;
}

std::string_view without_outer_white_space(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

result<url> resolve(const url& base, std::string_view reference) {
    const reference_parts parts = split(without_outer_white_space(reference));
    std::optional<std::string_view> base_query;
    if (base.has_query()) base_query = base.query();

    std::string_view authority = base.view(base.given_authority_);
    std::string path;
    std::optional<std::string_view> query = parts.query;
    if (parts.scheme || parts.authority) {
        // With a scheme but without "//" this is no URL of ours: the parser says so.
        if (!parts.authority) return url::parse(without_outer_white_space(reference));
        authority = *parts.authority;
        path = remove_dot_segments(parts.path);
    } else if (parts.path.empty()) {
        path = base.path();
        if (!query) query = base_query;
    } else if (parts.path.front() == '/') {
        path = remove_dot_segments(parts.path);
    } else {
        path = remove_dot_segments(merge(base.path(), parts.path));
    }

    std::string composed{parts.scheme ? *parts.scheme : base.scheme()};
    composed.append("://").append(authority).append(path);
    if (query) composed.append("?").append(*query);
    if (parts.fragment) {
        composed.append("#").append(*parts.fragment);
    } else if (base.has_fragment()) {
        composed.append("#").append(base.fragment());
    }
    return url::parse(composed);
}

result<url> url::with_query_appended(std::string_view encoded) const {
    if (encoded.empty()) return *this;
    if (encoded.find('#') != std::string_view::npos)
        return pabal::error{error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                            "a query cannot contain '#'; write it as %23"};
    std::string composed{text()};
    if (has_fragment_) composed.resize(fragment_.offset - 1);
    if (!has_query_) {
        composed += '?';
    } else if (!query().empty() && query().back() != '&') {
        composed += '&';
    }
    composed += encoded;
    if (has_fragment_) composed.append("#").append(fragment());
    return parse(composed);
}

}  // namespace pabal
