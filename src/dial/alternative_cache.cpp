#include "dial/alternative_cache.hpp"

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>

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
            places.push_back({each.protocol,
                              {each.host.empty() ? std::string(host) : each.host, each.port},
                              now + each.max_age,
                              each.persists});
    }
    note_news(name);
    set(name, std::move(places));
}

void alternative_cache::set(std::string_view name, std::vector<known> places) {
    if (places.empty() || max_origins_ == 0) return origins_.erase(name);
    origins_[name] = std::move(places);
    if (origins_.size() > max_origins_) origins_.erase(origins_.oldest().name);
}

void alternative_cache::note_news(std::string_view name) {
    news_[name];
    if (news_.size() > max_origins_) news_.erase(news_.oldest().name);
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
    note_news(name_of(host, port));
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

std::vector<kept_alternative> alternative_cache::kept(time_point now) const {
    std::vector<kept_alternative> out;
    const std::vector<std::reference_wrapper<const decltype(origins_)::entry>> by_use(origins_.begin(), origins_.end());
    for (const auto& origin : std::views::reverse(by_use)) {
        const std::string& name = origin.get().name;
        const std::size_t colon = name.rfind(':');
        const auto port = static_cast<std::uint16_t>(std::stoul(name.substr(colon + 1)));
        for (const known& each : origin.get().value) {
            if (each.expires > now)
                out.push_back({name.substr(0, colon), port, each.protocol, each.place, each.expires, each.persists});
        }
    }
    return out;
}

void alternative_cache::take_in(const kept_alternative& kept, time_point now) {
    const std::string name = name_of(kept.host, kept.port);
    if (kept.expires <= now || max_origins_ == 0 || news_.find(name)) return;
    std::vector<known>& places = origins_[name];
    if (places.size() < http::max_alternative_services)
        places.push_back({kept.protocol, kept.place, kept.expires, kept.persists});
    if (origins_.size() > max_origins_) origins_.erase(origins_.oldest().name);
}

void alternative_cache::take_news_of(alternative_cache& newer) {
    for (const auto& news : newer.news_) {
        const std::vector<known>* said = newer.origins_.find(news.name);
        set(news.name, said ? *said : std::vector<known>{});
    }
}

void alternative_cache::clear() noexcept {
    origins_.clear();
    failures_.clear();
    news_.clear();
}

}  // namespace pabal::dial
