#include "dial/cares_resolver_services.hpp"

#include <algorithm>

#include <ares.h>

namespace pabal::dial {

namespace {

/// Names that lead to others (RFC 9460 section 2.4.2 wants a limit).
constexpr unsigned max_aliases = 8;
/// Of one answer.
constexpr std::size_t max_bindings = 32;

std::optional<service_binding> binding_of(const ares_dns_rr_t* record) {
    std::vector<service_parameter> parameters;
    const std::size_t count = ares_dns_rr_get_opt_cnt(record, ARES_RR_HTTPS_PARAMS);
    for (std::size_t index = 0; index < count; ++index) {
        const unsigned char* value = nullptr;
        std::size_t size = 0;
        const std::uint16_t key = ares_dns_rr_get_opt(record, ARES_RR_HTTPS_PARAMS, index, &value, &size);
        parameters.push_back({key, {reinterpret_cast<const char*>(value), value ? size : 0}});
    }
    const char* target = ares_dns_rr_get_str(record, ARES_RR_HTTPS_TARGET);
    return read_service_binding(ares_dns_rr_get_u16(record, ARES_RR_HTTPS_PRIORITY), target ? target : "", parameters);
}

/// The records of an answer, and for how long they and the aliases before them hold.
std::vector<service_binding> bindings_of(const ares_dns_record_t* answer, std::chrono::seconds& holds) {
    std::vector<service_binding> found;
    const std::size_t count = ares_dns_record_rr_cnt(answer, ARES_SECTION_ANSWER);
    for (std::size_t index = 0; index < count && found.size() < max_bindings; ++index) {
        const ares_dns_rr_t* record = ares_dns_record_rr_get_const(answer, ARES_SECTION_ANSWER, index);
        holds = std::min(holds, std::chrono::seconds{ares_dns_rr_get_ttl(record)});
        if (ares_dns_rr_get_type(record) != ARES_REC_TYPE_HTTPS) continue;
        if (auto binding = binding_of(record)) found.push_back(std::move(*binding));
    }
    sort_by_priority(found);
    return found;
}

}  // namespace

std::unique_ptr<lookup> cares_resolver::find_services(std::string_view host, std::uint16_t port,
                                                      service_observer& observer) {
    const std::string name = canonical_name(host);
    if (answer_without_asking(name) || hosts_.find(name)) return resolver::find_services(host, port, observer);
    auto asked = std::make_unique<service_request>();
    asked->name = name_of_service(name, port);
    if (const remembered_services* known = services_.find(asked->name)) {
        if (known->expires > reactor_.now()) {
            const std::vector<service_binding> told = known->found;  // the observer may ask again
            observer.on_services(told);
            return nullptr;
        }
        services_.erase(asked->name);
    }
    asked->owner = this;
    asked->current = asked->name;
    auto waiter = std::make_unique<waiting_service_lookup>(*this, *asked, observer);
    ++services_under_way_;
    if (open_channel(queries_.empty() && services_under_way_ == 1) == ARES_SUCCESS) {
        ask(std::move(asked));
    } else {
        --services_under_way_;
        asked->holds = std::chrono::seconds{0};
        finished_services_.push_back(std::move(asked));
    }
    after_processing();
    if (!finished_services_.empty()) reactor_.defer(*this);  // answered without waiting: told at the end of the turn
    return waiter;
}

void cares_resolver::ask(std::unique_ptr<service_request> asked) {
    const auto on_records = [](void* context, ares_status_t status, std::size_t, const ares_dns_record_t* answer) {
        std::unique_ptr<service_request> finished{static_cast<service_request*>(context)};
        if (status == ARES_EDESTRUCTION) {
            if (finished->waiter) finished->waiter->orphan();
            return;
        }
        if (status == ARES_SUCCESS && answer) finished->found = bindings_of(answer, finished->holds);
        const bool nobody_knows = status != ARES_SUCCESS && status != ARES_ENODATA && status != ARES_ENOTFOUND;
        if (nobody_knows) finished->holds = std::chrono::seconds{0};
        else if (finished->found.empty()) finished->holds = not_found_time_to_live;
        cares_resolver& owner = *finished->owner;
        --owner.services_under_way_;
        owner.finished_services_.push_back(std::move(finished));
    };
    const std::string name = asked->current;
    // A failure is told to the callback.
    (void)ares_query_dnsrec(channel_, name.c_str(), ARES_CLASS_IN, ARES_REC_TYPE_HTTPS, on_records, asked.release(),
                            nullptr);
}

bool cares_resolver::deliver(std::unique_ptr<service_request> finished) {
    const bool is_alias = !finished->found.empty() && finished->found.front().priority == 0;
    if (is_alias) {
        finished->current = canonical_name(finished->found.front().target);
        finished->found.clear();
        // "." as the target of an alias means that the service is not there (section 2.5.1).
        if (channel_ && finished->waiter && !finished->current.empty() && ++finished->aliases <= max_aliases) {
            ++services_under_way_;
            ask(std::move(finished));
            after_processing();
            return true;
        }
    }
    for (service_binding& each : finished->found) {
        // Whoever is led to another name by aliases is at home there.
        if (each.target.empty() && finished->aliases > 0) each.target = finished->current;
    }
    if (finished->holds > std::chrono::seconds{0} && options_.max_cached_hosts > 0) {
        services_[finished->name] = {finished->found, reactor_.now() + finished->holds};
        if (services_.size() > options_.max_cached_hosts) services_.erase(services_.oldest().name);
    }
    waiting_service_lookup* waiter = finished->waiter;
    if (!waiter) return true;
    service_observer& observer = waiter->observer();
    waiter->was_answered();
    bool destroyed = false;
    destroyed_ = &destroyed;
    observer.on_services(finished->found);
    if (destroyed) return false;
    destroyed_ = nullptr;
    return true;
}

}  // namespace pabal::dial
