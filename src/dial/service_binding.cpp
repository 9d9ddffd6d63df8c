#include "dial/service_binding.hpp"

#include <algorithm>

namespace pabal::dial {

namespace {

enum key : std::uint16_t { mandatory, alpn, no_default_alpn, port, ipv4hint, ech, ipv6hint };

std::uint16_t number_at(std::string_view bytes) noexcept {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[0]) << 8 | static_cast<unsigned char>(bytes[1]));
}

/// Keys that must be understood. False: malformed, or one of them is not.
bool understands_all(std::string_view keys) noexcept {
    if (keys.empty() || keys.size() % 2 != 0) return false;
    for (; !keys.empty(); keys.remove_prefix(2)) {
        const std::uint16_t needed = number_at(keys);
        if (needed == mandatory || needed > ipv6hint) return false;
    }
    return true;
}

/// Strings with their length in front.
bool read_protocols(std::string_view list, std::vector<std::string>& out) {
    while (!list.empty()) {
        const auto size = static_cast<unsigned char>(list.front());
        if (size == 0 || size >= list.size()) return false;
        out.emplace_back(list.substr(1, size));
        list.remove_prefix(1U + size);
    }
    return !out.empty();
}

bool read_hints(std::string_view list, std::size_t size, std::vector<address>& out) {
    if (list.empty() || list.size() % size != 0) return false;
    for (; !list.empty(); list.remove_prefix(size))
        out.push_back(size == 4 ? address::ipv4(list.data()) : address::ipv6(list.data()));
    return true;
}

/// False: malformed, or not for us. Keys that are unknown and not mandatory are ignored.
bool read_parameter(const service_parameter& from, service_binding& out) {
    switch (from.key) {
    case mandatory: return understands_all(from.value);
    case alpn: return read_protocols(from.value, out.protocols);
    case no_default_alpn: return out.only_these = true, from.value.empty();
    case port:
        if (from.value.size() != 2) return false;
        out.port = number_at(from.value);
        return out.port != 0;
    case ipv4hint: return read_hints(from.value, 4, out.hints);
    case ech: return out.ech = from.value, !out.ech.empty();
    case ipv6hint: return read_hints(from.value, 16, out.hints);
    default: return true;
    }
}

}  // namespace

bool service_binding::speaks(std::string_view protocol) const noexcept {
    return std::ranges::find(protocols, protocol) != protocols.end() || (protocol == "http/1.1" && !only_these);
}

std::optional<service_binding> read_service_binding(std::uint16_t priority, std::string_view target,
                                                    std::span<const service_parameter> parameters) {
    service_binding made{.priority = priority};
    if (target.ends_with('.')) target.remove_suffix(1);
    made.target = target;
    if (priority == 0) return made;  // parameters of an alias are to be ignored (section 2.4.2)
    for (const service_parameter& each : parameters) {
        if (!read_parameter(each, made)) return std::nullopt;
    }
    if (made.only_these && made.protocols.empty()) return std::nullopt;
    return made;
}

void sort_by_priority(std::vector<service_binding>& bindings) {
    // Few, and a stable sort of the library's would ask for memory to be fast with many.
    for (auto next = bindings.begin(); next != bindings.end(); ++next)
        std::rotate(std::ranges::upper_bound(bindings.begin(), next, next->priority, {}, &service_binding::priority),
                    next, next + 1);
    if (!bindings.empty() && bindings.front().priority == 0) bindings.resize(1);
}

std::string name_of_service(std::string_view host, std::uint16_t port) {
    if (port == 443) return std::string(host);
    return '_' + std::to_string(port) + "._https." + std::string(host);
}

}  // namespace pabal::dial
