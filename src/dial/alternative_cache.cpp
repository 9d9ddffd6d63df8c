#include "dial/alternative_cache.hpp"

#include <algorithm>

namespace pabal::dial {

namespace {

std::string name_of(std::string_view host, std::uint16_t port) {
    return std::string(host) + ':' + std::to_string(port);
}

std::string name_of(const alternative& place, std::string_view protocol) {
    return std::string(protocol) + ' ' + name_of(place.host, place.port);
}

}  // namespace

void alternative_cache::learn(std::string_view host, std::uint16_t port, const http::alternative_services& said,
                              time_point now) {
    const std::string name = name_of(host, port);
    std::vector<known> places;
    for (const http::alternative_service& each : said) {
        if (each.max_age > std::chrono::seconds{0})
            places.push_back(
                {each.protocol, {each.host.empty() ? std::string(host) : each.host, each.port}, now + each.max_age});
    }
    if (places.empty() || max_origins_ == 0) return origins_.erase(name);
    origins_[name] = std::move(places);
    if (origins_.size() > max_origins_) origins_.erase(origins_.oldest().name);
}

std::optional<alternative> alternative_cache::find(std::string_view host, std::uint16_t port, std::string_view protocol,
                                                   time_point now) {
    if (origins_.empty()) return std::nullopt;
    const std::string name = name_of(host, port);
    std::vector<known>* places = origins_.find(name);
    if (!places) return std::nullopt;
    std::erase_if(*places, [&](const known& each) { return each.expires <= now; });
    if (places->empty()) return origins_.erase(name), std::nullopt;
    for (const known& each : *places) {
        if (each.protocol == protocol && !is_avoided(each.place, protocol, now)) return each.place;
    }
    return std::nullopt;
}

bool alternative_cache::reject(std::string_view host, std::uint16_t port, std::string_view protocol, time_point now) {
    const std::optional<alternative> place = find(host, port, protocol, now);
    if (!place) return false;
    avoid(*place, protocol, now);
    origins_.erase(name_of(host, port));
    return true;
}

void alternative_cache::avoid(const alternative& place, std::string_view protocol, time_point now) {
    failure& last = failures_[name_of(place, protocol)];
    if (now < last.until) return;  // one of several that failed at once
    last.avoided = last.avoided == std::chrono::minutes{0}
                       ? first_avoidance
                       : std::min<std::chrono::minutes>(2 * last.avoided, longest_avoidance);
    last.until = now + last.avoided;
    if (failures_.size() > max_origins_) failures_.erase(failures_.oldest().name);
}

bool alternative_cache::is_avoided(const alternative& place, std::string_view protocol, time_point now) {
    if (failures_.empty()) return false;
    const failure* last = failures_.find(name_of(place, protocol));
    return last && now < last->until;
}

void alternative_cache::trust(const alternative& place, std::string_view protocol) {
    if (!failures_.empty()) failures_.erase(name_of(place, protocol));
}

void alternative_cache::clear() noexcept {
    origins_.clear();
    failures_.clear();
}

}  // namespace pabal::dial
