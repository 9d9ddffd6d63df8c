#include "dial/address_cache.hpp"

#include <utility>

namespace pabal::dial {

const family_answer* address_cache::find(std::string_view host, address_family family, time_point now) {
    auto* families = hosts_.find(host);
    if (!families) return nullptr;
    auto& known = (*families)[static_cast<std::size_t>(family)];
    if (!known) return nullptr;
    if (known->expires <= now) return known.reset(), nullptr;
    return &known->answer;
}

void address_cache::put(std::string_view host, address_family family, family_answer answer, time_point expires) {
    if (max_hosts_ == 0) return;
    hosts_[host][static_cast<std::size_t>(family)] = remembered{std::move(answer), expires};
    if (hosts_.size() > max_hosts_) hosts_.erase(hosts_.oldest().name);
}

}  // namespace pabal::dial
