#include "dial/address_cache.hpp"

#include <utility>

namespace pabal::dial {

const family_answer* address_cache::find(std::string_view host, address_family family, time_point now) {
    const auto found = by_name_.find(host);
    if (found == by_name_.end()) return nullptr;
    auto& known = found->second->families[static_cast<std::size_t>(family)];
    if (!known) return nullptr;
    if (known->expires <= now) return known.reset(), nullptr;
    hosts_.splice(hosts_.begin(), hosts_, found->second);
    return &known->answer;
}

void address_cache::put(std::string_view host, address_family family, family_answer answer, time_point expires) {
    if (max_hosts_ == 0) return;
    auto found = by_name_.find(host);
    if (found == by_name_.end()) {
        if (hosts_.size() >= max_hosts_) {
            by_name_.erase(hosts_.back().name);
            hosts_.pop_back();
        }
        hosts_.push_front({std::string{host}, {}});
        found = by_name_.emplace(hosts_.front().name, hosts_.begin()).first;
    }
    found->second->families[static_cast<std::size_t>(family)] = remembered{std::move(answer), expires};
}

}  // namespace pabal::dial
