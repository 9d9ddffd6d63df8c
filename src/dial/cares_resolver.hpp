#pragma once
/// \file
/// The resolver of the real network: /etc/hosts, a cache that honours TTLs, and DNS by c-ares on the reactor.
///
///   - Concurrent lookups of one name share one query.
///   - HTTPS records are asked for by each who wants them, and cached like addresses.
///   - Answers are cached for their TTL (at most an hour), "no such name" for five seconds, failures not at all.
///   - When nobody waits for any answer any more, what is under way is cancelled at the end of the turn; while somebody does,
///     abandoned queries run out by themselves and fill the cache.
///
/// Nothing is made before the first name is asked for: no channel, no socket, no file is read.

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/lru_map.hpp"
#include "dial/address_cache.hpp"
#include "dial/hosts_file.hpp"
#include "dial/resolver.hpp"
#include "reactor/reactor.hpp"

struct ares_channeldata;
struct ares_addrinfo;

namespace pabal::dial {

struct resolver_options {
    std::string servers;  ///< "192.0.2.1:53,[2001:db8::1]:53"; empty: the system's (/etc/resolv.conf)
    std::string hosts_path = "/etc/hosts";
    std::chrono::milliseconds timeout{0};  ///< of one try; zero: the system's, or c-ares's 2 s
    int tries = 0;                         ///< zero: the system's, or c-ares's 3
    std::size_t max_cached_hosts = address_cache::default_max_hosts;
};

class cares_resolver final : public resolver, private reactor::deferred {
public:
    static constexpr std::chrono::seconds max_time_to_live{3600};
    static constexpr std::chrono::seconds not_found_time_to_live{5};

    explicit cares_resolver(reactor::reactor& reactor, resolver_options options = {});
    ~cares_resolver() override;

    std::unique_ptr<lookup> resolve(std::string_view host, resolve_observer& observer) override;
    std::unique_ptr<lookup> find_services(std::string_view host, std::uint16_t port,
                                          service_observer& observer) override;

    std::size_t cached_hosts() const noexcept { return cache_.size(); }
    std::size_t queries_under_way() const noexcept { return queries_.size(); }

private:
    class waiting_lookup;
    class watched_socket;
    struct query;
    struct request;
    struct finished_request;
    class waiting_service_lookup;
    struct service_request;
    struct callbacks;
    struct remembered_services {
        std::vector<service_binding> found;
        reactor::time_point expires;
    };

    query& query_for(const std::string& host, const std::array<std::optional<family_answer>, 2>& known);
    /// A status of c-ares. `alone`: nothing is under way that would be lost.
    int open_channel(bool alone);
    bool system_configuration_changed();
    void ask(query& asked, address_family family);
    void lookup_gone();

    void process(int readable, int writable);
    void after_processing();
    void on_timeout();
    void run_deferred() override;
    void watch(int descriptor, bool readable, bool writable);
    void deliver_finished();
    /// False when this resolver was destroyed meanwhile.
    bool deliver(const std::string& host, address_family family, family_answer answer);
    void ask(std::unique_ptr<service_request> asked);
    bool deliver(std::unique_ptr<service_request> finished);
    family_answer answer_of(int status, const ares_addrinfo* found, const std::string& host,
                            std::chrono::seconds& holds) const;

    reactor::reactor& reactor_;
    resolver_options options_;
    hosts_file hosts_;
    address_cache cache_;
    ares_channeldata* channel_ = nullptr;
    std::string system_configuration_;
    std::unordered_map<std::string, std::unique_ptr<query>> queries_;
    std::unordered_map<int, std::unique_ptr<watched_socket>> sockets_;
    std::vector<finished_request> finished_;
    base::lru_map<remembered_services> services_;  ///< by the name that was asked for
    std::vector<std::unique_ptr<service_request>> finished_services_;
    std::size_t services_under_way_ = 0;
    std::size_t waiting_ = 0;    ///< lookups that live
    bool* destroyed_ = nullptr;  ///< where `deliver` learns that an observer destroyed this
    reactor::member_timer<cares_resolver, &cares_resolver::on_timeout> timeout_{*this};
};

}  // namespace pabal::dial
