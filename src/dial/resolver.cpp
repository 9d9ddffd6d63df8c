#include "dial/resolver.hpp"

#include <algorithm>

#include <pabal/fields.hpp>

#include "protocol/http/field_reader.hpp"

namespace pabal::dial {

namespace {

constexpr std::size_t max_name_size = 253;
constexpr std::size_t max_label_size = 63;

bool is_localhost(std::string_view host) {
    constexpr std::string_view name = "localhost";
    if (host.size() < name.size() || !equals_ignoring_case(host.substr(host.size() - name.size()), name)) return false;
    return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

bool is_number(std::string_view label) {
    return std::ranges::all_of(label, [](char letter) { return letter >= '0' && letter <= '9'; }) ||
           label.substr(0, 2) == "0x" || label.substr(0, 2) == "0X";
}

/// Control characters and blanks would end up in messages and logs; other odd letters are the resolver's to refuse.
bool is_letter(char letter) { return static_cast<unsigned char>(letter) > ' ' && letter != 0x7f; }

bool is_possible_name(std::string_view host) {
    if (host.empty() || host.size() > max_name_size || !std::ranges::all_of(host, is_letter)) return false;
    std::string_view rest = host;
    for (;;) {
        const std::size_t dot = rest.find('.');
        const std::string_view label = rest.substr(0, dot);
        if (label.empty() || label.size() > max_label_size) return false;
        if (dot == rest.npos) return !is_number(label);
        rest.remove_prefix(dot + 1);
    }
}

std::string shown(std::string_view host) {
    std::string text{host.substr(0, max_name_size)};
    std::ranges::replace_if(text, [](char letter) { return !is_letter(letter); }, '?');
    return text;
}

}  // namespace

std::string canonical_name(std::string_view host) {
    if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
    return http::lower_case(host);
}

std::unique_ptr<lookup> resolver::find_services(std::string_view, std::uint16_t, service_observer& observer) {
    observer.on_services({});
    return nullptr;
}

std::optional<known_answers> answer_without_asking(std::string_view host) {
    known_answers known;
    if (const std::optional<address> literal = address::parse(host)) {
        (literal->family == address_family::ipv6 ? known.ipv6 : known.ipv4).addresses.push_back(*literal);
        return known;
    }
    if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
    if (is_localhost(host)) {
        known.ipv6.addresses.push_back(*address::parse("::1"));
        known.ipv4.addresses.push_back(*address::parse("127.0.0.1"));
        return known;
    }
    if (is_possible_name(host)) return std::nullopt;
    known.ipv6.failure = known.ipv4.failure =
        error{error_code::host_not_found, phase::resolve, culprit::caller, 0,
              "\"" + shown(host) + "\" is neither a host's name nor an IP address"};
    return known;
}

}  // namespace pabal::dial
