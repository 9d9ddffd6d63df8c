#include "pool/pool.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace pabal::pool {

std::size_t pool::target_hash::operator()(const dial::target& of) const noexcept {
    const std::hash<std::string_view> text;
    std::size_t hash = text(of.host) * 31 + of.port;
    if (!of.unix_path.empty()) hash = hash * 31 + text(of.unix_path);
    if (of.proxy) hash = (hash * 31 + text(of.proxy->host)) * 31 + of.proxy->port;
    return hash * 31 + std::hash<const void*>{}(of.tls.get());
}

pool::pool(connection::environment& environment, dial::dialer& dialer, const limits& limits)
    : environment_(environment), dialer_(dialer), limits_(limits) {}

pool::~pool() { close(); }

void pool::submit(exchange_ptr submitted, const dial::target& to) {
    if (closed_) {
        return submitted->on_error(
            {error_code::session_closed, phase::pool, culprit::caller, 0, "the session is closed; make a new one"});
    }
    origin_of(to).submit(std::move(submitted));
}

origin& pool::origin_of(const dial::target& to) {
    if (const auto found = origins_.find(to); found != origins_.end()) return *found->second;
    if (origins_.size() >= sweep_at_) {
        std::erase_if(origins_, [](const auto& entry) { return entry.second->unused(); });
        sweep_at_ = std::max(origins_to_remember, 2 * origins_.size());
    }
    return *origins_.emplace(to, std::make_unique<origin>(*this, to)).first->second;
}

bool pool::evict_idle() {
    if (idle_by_age_.empty()) return false;
    evicting_ = true;
    idle_by_age_.front().connection->close(connection::close_reason::evicted);
    evicting_ = false;
    return has_room();
}

void pool::serve_starved() {
    if (evicting_) return;
    while (!starved_.empty() && (has_room() || !idle_by_age_.empty())) {
        origin& longest = starved_.pop_front();
        longest.dial_if_needed();
        if (static_cast<base::list_hook<starved>&>(longest).is_linked()) return;
    }
}

void pool::close_idle(connection::close_reason reason) {
    while (!idle_by_age_.empty()) idle_by_age_.front().connection->close(reason);
}

void pool::close() {
    closed_ = true;
    for (auto& [target, origin] : origins_) origin->close(connection::close_reason::session_closed);
}

}  // namespace pabal::pool
