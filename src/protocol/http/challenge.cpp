#include "protocol/http/challenge.hpp"

#include <algorithm>

#include "protocol/http/field_reader.hpp"

namespace pabal::http {

namespace {

/// More than any server has schemes; bounds the work for hostile ones.
constexpr std::size_t most_challenges = 32;

/// Whether a parameter could begin here: a token and an equals sign.
bool begins_parameter(field_reader at) {
    const bool named = !at.token().empty();
    at.skip_space();
    return named && at.at('=');
}

/// False: what comes is malformed.
bool read_challenge(field_reader& from, challenge& out) {
    out.scheme = lower_case(from.token());
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
    field_reader from(value);
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
        field_reader from(line.value);
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
