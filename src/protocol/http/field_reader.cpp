#include "protocol/http/field_reader.hpp"

#include <pabal/fields.hpp>

namespace pabal::http {

namespace {

bool is_token68(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

}  // namespace

std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return out;
}

bool field_reader::take(char c) noexcept {
    if (!at(c)) return false;
    left_.remove_prefix(1);
    return true;
}

void field_reader::skip_space() noexcept {
    while (at(' ') || at('\t')) left_.remove_prefix(1);
}

void field_reader::skip_commas() noexcept {
    while (at(' ') || at('\t') || at(',')) left_.remove_prefix(1);
}

std::string_view field_reader::token() noexcept {
    std::size_t size = 0;
    while (size < left_.size() && is_field_name(left_.substr(size, 1))) ++size;
    return take_first(size);
}

std::string_view field_reader::token68() noexcept {
    std::size_t size = 0;
    while (size < left_.size() && is_token68(left_[size])) ++size;
    return take_first(size);
}

std::optional<std::string> field_reader::quoted_string() {
    if (!at('"')) return std::nullopt;
    std::string out;
    for (std::size_t place = 1; place < left_.size(); ++place) {
        char c = left_[place];
        if (c == '"') {
            left_.remove_prefix(place + 1);
            return out;
        }
        if (c == '\\') {
            if (++place == left_.size()) break;
            c = left_[place];
        }
        out.push_back(c);
    }
    return std::nullopt;
}

std::optional<std::pair<std::string, std::string>> field_reader::parameter() {
    const std::string_view before = left_;
    const std::string_view name = token();
    skip_space();
    if (!name.empty() && take('=')) {
        skip_space();
        if (at('"')) {
            if (auto value = quoted_string()) return std::pair(lower_case(name), std::move(*value));
        } else if (const std::string_view value = token(); !value.empty()) {
            return std::pair(lower_case(name), std::string(value));
        }
    }
    left_ = before;
    return std::nullopt;
}

std::string_view field_reader::take_first(std::size_t size) noexcept {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
}

}  // namespace pabal::http
