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
    origin_alternatives origin{std::string(host), port, {}};
    for (const http::alternative_service& each : said) {
        if (each.max_age > std::chrono::seconds{0})
            origin.places.push_back({each.protocol,
                                     {each.host.empty() ? std::string(host) : each.host, each.port},
                                     now + each.max_age,
                                     each.persists});
    }
    if (origin.places.empty()) return void_what_was_said(host, port);
    if (!voided_.empty()) voided_.erase(name_of(host, port));
    keep(std::move(origin), true);
}

void alternative_cache::recall(origin_alternatives origin) { keep(std::move(origin), false); }

void alternative_cache::keep(origin_alternatives said, bool is_news) {
    const std::string name = name_of(said.host, said.port);
    origins_[name] = {std::move(said), is_news};
    if (origins_.size() > max_origins_) origins_.erase(origins_.oldest().name);
}

void alternative_cache::void_what_was_said(std::string_view host, std::uint16_t port) {
    const std::string name = name_of(host, port);
    origins_.erase(name);
    voided_[name] = {std::string(host), port, {}};
    if (voided_.size() > max_origins_) voided_.erase(voided_.oldest().name);
}

std::optional<alternative> alternative_cache::find(std::string_view host, std::uint16_t port, std::string_view protocol,
                                                   time_point now) {
    if (origins_.empty()) return std::nullopt;
    const std::string name = name_of(host, port);
    known_origin* known = origins_.find(name);
    if (!known) return std::nullopt;
    std::vector<known_alternative>& places = known->said.places;
    std::erase_if(places, [&](const known_alternative& each) { return each.expires <= now; });
    if (places.empty()) {
        if (known->is_news) void_what_was_said(host, port);
        else origins_.erase(name);
        return std::nullopt;
    }
    for (const known_alternative& each : places) {
        if (each.protocol == protocol && !is_avoided(each.place, protocol, now)) return each.place;
    }
    return std::nullopt;
}

bool alternative_cache::reject(std::string_view host, std::uint16_t port, std::string_view protocol, time_point now) {
    const std::optional<alternative> place = find(host, port, protocol, now);
    if (!place) return false;
    avoid(*place, protocol, now);
    void_what_was_said(host, port);
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

std::vector<origin_alternatives> alternative_cache::news() const {
    std::vector<origin_alternatives> out;
    for (const auto& each : voided_) out.push_back(each.value);
    for (const auto& each : origins_) {
        if (each.value.is_news) out.push_back(each.value.said);
    }
    std::ranges::reverse(out);
    return out;
}

void alternative_cache::forget_news() noexcept {
    voided_.clear();
    for (auto& each : origins_) each.value.is_news = false;
}

void alternative_cache::clear() noexcept {
    origins_.clear();
    voided_.clear();
    failures_.clear();
}

}  // namespace pabal::dial
