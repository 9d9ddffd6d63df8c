#include "protocol/http/challenge.hpp"

#include <algorithm>
#include <optional>

namespace pabal::http {

namespace {

/// More than any server has schemes; bounds the work for hostile ones.
constexpr std::size_t most_challenges = 32;

bool is_token68(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return out;
}

class reader {
public:
    explicit reader(std::string_view text) noexcept : left_(text) {}

    bool at_end() const noexcept { return left_.empty(); }
    std::string_view left() const noexcept { return left_; }
    void back_to(std::string_view earlier) noexcept { left_ = earlier; }
    bool at(char c) const noexcept { return !left_.empty() && left_.front() == c; }
    bool take(char c) noexcept {
        if (!at(c)) return false;
        left_.remove_prefix(1);
        return true;
    }
    void skip_space() noexcept {
        while (at(' ') || at('\t')) left_.remove_prefix(1);
    }
    /// Empty list elements are to be ignored (RFC 9110 section 5.6.1.2).
    void skip_commas() noexcept {
        while (at(' ') || at('\t') || at(',')) left_.remove_prefix(1);
    }
    std::string_view token() noexcept {
        std::size_t size = 0;
        while (size < left_.size() && is_field_name(left_.substr(size, 1))) ++size;
        return take_first(size);
    }
    std::string_view token68() noexcept {
        std::size_t size = 0;
        while (size < left_.size() && is_token68(left_[size])) ++size;
        return take_first(size);
    }
    /// RFC 9110 section 5.6.4. nullopt: it does not end.
    std::optional<std::string> quoted_string() {
        std::string out;
        if (!take('"')) return std::nullopt;
        while (!left_.empty()) {
            char c = left_.front();
            left_.remove_prefix(1);
            if (c == '"') return out;
            if (c == '\\') {
                if (left_.empty()) return std::nullopt;
                c = left_.front();
                left_.remove_prefix(1);
            }
            out.push_back(c);
        }
        return std::nullopt;
    }
    /// name BWS "=" BWS value. nullopt, with nothing taken, when that is not what comes.
    std::optional<std::pair<std::string, std::string>> parameter() {
        const std::string_view before = left_;
        const std::string_view name = token();
        skip_space();
        if (!name.empty() && take('=')) {
            skip_space();
            if (at('"')) {
                if (auto value = quoted_string()) return std::pair(lower(name), std::move(*value));
            } else if (const std::string_view value = token(); !value.empty()) {
                return std::pair(lower(name), std::string(value));
            }
        }
        left_ = before;
        return std::nullopt;
    }

private:
    std::string_view take_first(std::size_t size) noexcept {
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }
    std::string_view left_;
};

/// Whether a parameter could begin here: a token and an equals sign.
bool begins_parameter(reader at) {
    const bool named = !at.token().empty();
    at.skip_space();
    return named && at.at('=');
}

/// False: what comes is malformed.
bool read_challenge(reader& from, challenge& out) {
    out.scheme = lower(from.token());
    if (out.scheme.empty()) return false;
    if (!from.at(' ') && !from.at_end() && !from.at(',')) return false;
    from.skip_space();
    if (from.at_end() || from.at(',')) return true;
    auto first = from.parameter();
    if (!first) {
        out.token68 = from.token68();
        from.skip_space();
        return !out.token68.empty() && (from.at_end() || from.at(','));
    }
    out.parameters.push_back(std::move(*first));
    while (true) {
        from.skip_space();
        if (from.at_end()) return true;
        if (!from.at(',')) return false;
        from.skip_commas();
        if (from.at_end() || !begins_parameter(from)) return true;
        auto next = from.parameter();
        if (!next) return false;
        out.parameters.push_back(std::move(*next));
    }
}

}  // namespace

const std::string* challenge::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
    return found == parameters.end() ? nullptr : &found->second;
}

std::vector<std::pair<std::string, std::string>> parse_auth_parameters(std::string_view value) {
    std::vector<std::pair<std::string, std::string>> out;
    reader from(value);
    from.skip_commas();
    while (auto next = from.parameter()) {
        out.push_back(std::move(*next));
        from.skip_commas();
    }
    return out;
}

std::vector<challenge> parse_challenges(const fields& headers, std::string_view name) {
    std::vector<challenge> out;
    for (const fields::field line : headers) {
        if (!equals_ignoring_case(line.name, name)) continue;
        reader from(line.value);
        from.skip_commas();
        while (!from.at_end() && out.size() < most_challenges) {
            challenge next;
            if (!read_challenge(from, next)) break;
            out.push_back(std::move(next));
            from.skip_commas();
        }
    }
    return out;
}

}  // namespace pabal::http
