#include "dial/cares_resolver.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <ares.h>

#include "base/intrusive_list.hpp"
#include "dial/cares_resolver_services.hpp"

namespace pabal::dial {

namespace {

constexpr std::array families{address_family::ipv6, address_family::ipv4};
constexpr const char* system_configuration_path = "/etc/resolv.conf";

void initialise_library() {
    static std::once_flag once;
    std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
}

family_answer failed(error_code code, culprit whose, std::string message) {
    return {{}, error{code, phase::resolve, whose, 0, std::move(message)}};
}

family_answer no_channel(int status, const std::string& host) {
    return failed(error_code::resolver_failed, culprit::local,
                  "cannot resolve " + host + ": no resolver: " + ares_strerror(status));
}

}  // namespace

/// A name that c-ares is asking about, and who waits for it.
struct cares_resolver::query {
    explicit query(std::string name) : host(std::move(name)) {}
    std::string host;
    base::intrusive_list<waiting_lookup> waiting;
    std::array<std::optional<family_answer>, 2> answers;

    std::optional<family_answer>& answer(address_family family) { return answers[static_cast<std::size_t>(family)]; }
};

class cares_resolver::waiting_lookup final : public lookup, public base::list_hook<> {
public:
    waiting_lookup(cares_resolver& owner, resolve_observer& observer, bool needs_ipv6, bool needs_ipv4)
        : observer_(observer), owner_(&owner), needs_{needs_ipv6, needs_ipv4} {
        ++owner.waiting_;
    }
    ~waiting_lookup() override {
        unlink();
        stop_counting();
    }
    resolve_observer& observer() noexcept { return observer_; }
    bool needs(address_family family) const noexcept { return needs_[static_cast<std::size_t>(family)]; }
    bool is_complete() const noexcept { return !needs_[0] && !needs_[1]; }
    void was_given(address_family family) noexcept {
        needs_[static_cast<std::size_t>(family)] = false;
        if (is_complete()) stop_counting();
    }
    /// The resolver is dead.
    void orphan() noexcept { owner_ = nullptr; }

private:
    void stop_counting() noexcept {
        if (cares_resolver* owner = std::exchange(owner_, nullptr)) owner->lookup_gone();
    }
    resolve_observer& observer_;
    cares_resolver* owner_;
    std::array<bool, 2> needs_;
};

class cares_resolver::watched_socket final : public reactor::io_watcher {
public:
    /// If the reactor cannot watch it, c-ares's own timeout reports so.
    watched_socket(cares_resolver& owner, int descriptor, bool writable)
        : owner_(owner),
          descriptor_(descriptor),
          wants_writable_(writable),
          is_watched_(owner.reactor_.watch(descriptor, *this).has_value()) {}
    ~watched_socket() { stop(); }
    /// A direction that became interesting may be ready already; to be told of it for sure, begin again.
    void begin_again(bool writable) {
        stop();
        wants_writable_ = writable;
        is_watched_ = owner_.reactor_.watch(descriptor_, *this).has_value();
    }
    void rearm() {
        if (is_watched_) owner_.reactor_.rearm(descriptor_, true, wants_writable_);
    }
    bool wants_writable() const noexcept { return wants_writable_; }

private:
    void stop() {
        if (std::exchange(is_watched_, false)) owner_.reactor_.unwatch(descriptor_, *this);
    }
    void on_io(reactor::readiness now) override {
        const bool writable = now.writable && wants_writable_;
        if (!now.readable && !now.hung_up && !writable) return;
        owner_.process(now.readable || now.hung_up ? descriptor_ : -1, writable ? descriptor_ : -1);
        // process may have destroyed this
    }

    cares_resolver& owner_;
    int descriptor_;
    bool wants_writable_;
    bool is_watched_;
};

/// What c-ares carries with a question.
struct cares_resolver::request {
    cares_resolver* owner;
    std::string host;
    address_family family;
};

/// c-ares may not be re-entered (destroyed, cancelled) from its callbacks, so answers wait until it returns.
struct cares_resolver::finished_request {
    std::string host;
    address_family family;
    family_answer answer;
    std::chrono::seconds holds;  ///< how long it may be cached
};

struct cares_resolver::callbacks {
    static void on_addresses(void* context, int status, int, ares_addrinfo* found) {
        const std::unique_ptr<request> asked{static_cast<request*>(context)};
        cares_resolver& owner = *asked->owner;
        std::chrono::seconds holds{0};
        family_answer answer = owner.answer_of(status, found, asked->host, holds);
        if (found) ares_freeaddrinfo(found);
        if (status == ARES_EDESTRUCTION) return;
        owner.finished_.push_back({std::move(asked->host), asked->family, std::move(answer), holds});
    }
    static void on_socket_state(void* context, ares_socket_t descriptor, int readable, int writable) {
        static_cast<cares_resolver*>(context)->watch(descriptor, readable != 0, writable != 0);
    }
};

cares_resolver::cares_resolver(reactor::reactor& reactor, resolver_options options)
    : reactor_(reactor), options_(std::move(options)), hosts_(options_.hosts_path), cache_(options_.max_cached_hosts) {}

cares_resolver::~cares_resolver() {
    if (destroyed_) *destroyed_ = true;
    if (channel_) ares_destroy(channel_);
    for (const auto& each : finished_services_) {
        if (each->waiter) each->waiter->orphan();
    }
    for (auto& [host, each] : queries_) {
        while (!each->waiting.empty()) each->waiting.pop_front().orphan();
    }
}

std::unique_ptr<lookup> cares_resolver::resolve(std::string_view host, resolve_observer& observer) {
    if (const auto known = answer_without_asking(host)) {
        observer.on_answer(address_family::ipv6, known->ipv6);
        observer.on_answer(address_family::ipv4, known->ipv4);
        return nullptr;
    }
    const std::string name = canonical_name(host);
    std::array<std::optional<family_answer>, 2> answers;
    if (const std::vector<address>* addresses = hosts_.find(name)) {
        for (auto& answer : answers) answer.emplace();
        for (const address& each : *addresses)
            answers[static_cast<std::size_t>(each.family)]->addresses.push_back(each);
    } else {
        for (const address_family family : families) {
            const family_answer* cached = cache_.find(name, family, reactor_.now());
            if (cached) answers[static_cast<std::size_t>(family)] = *cached;
        }
    }
    std::unique_ptr<waiting_lookup> waiter;
    if (!answers[0] || !answers[1]) {
        query& asked = query_for(name, answers);
        for (std::size_t index = 0; index < answers.size(); ++index) {
            if (!answers[index]) answers[index] = asked.answers[index];
        }
        waiter = std::make_unique<waiting_lookup>(*this, observer, !answers[0], !answers[1]);
        asked.waiting.push_back(*waiter);
    }
    for (const address_family family : families) {
        if (const auto& answer = answers[static_cast<std::size_t>(family)]) observer.on_answer(family, *answer);
    }
    return waiter;
}

/// The query under way for `host`, or a new one for the families that are not `known`.
cares_resolver::query& cares_resolver::query_for(const std::string& host,
                                                 const std::array<std::optional<family_answer>, 2>& known) {
    auto& slot = queries_[host];
    if (slot) return *slot;
    slot = std::make_unique<query>(host);
    query& made = *slot;
    made.answers = known;
    const int status = open_channel(queries_.size() == 1 && services_under_way_ == 0);
    for (const address_family family : families) {
        if (made.answer(family)) continue;
        if (status == ARES_SUCCESS) ask(made, family);
        else finished_.push_back({host, family, no_channel(status, host), std::chrono::seconds{0}});
    }
    after_processing();
    if (!finished_.empty()) reactor_.defer(*this);  // answered without waiting: told at the end of the turn
    return made;
}

int cares_resolver::open_channel(bool alone) {
    if (channel_ && alone && options_.servers.empty() && system_configuration_changed())
        ares_destroy(std::exchange(channel_, nullptr));
    if (channel_) return ARES_SUCCESS;
    system_configuration_changed();
    initialise_library();
    ares_options wanted{};
    char lookups[] =
        "b";  // DNS only: the hosts file is read by hosts_file, which asks no second question about its names
    wanted.lookups = lookups;
    wanted.sock_state_cb = callbacks::on_socket_state;
    wanted.sock_state_cb_data = this;
    wanted.qcache_max_ttl = 0;  // address_cache is the cache, and it is bounded
    int mask = ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_QUERY_CACHE;
    if (options_.timeout.count() > 0)
        wanted.timeout = static_cast<int>(options_.timeout.count()), mask |= ARES_OPT_TIMEOUTMS;
    if (options_.tries > 0) wanted.tries = options_.tries, mask |= ARES_OPT_TRIES;
    int status = ares_init_options(&channel_, &wanted, mask);
    if (status == ARES_SUCCESS && !options_.servers.empty()) {
        status = ares_set_servers_ports_csv(channel_, options_.servers.c_str());
        if (status != ARES_SUCCESS) ares_destroy(std::exchange(channel_, nullptr));
    }
    if (status != ARES_SUCCESS) channel_ = nullptr;
    return status;
}

/// True when /etc/resolv.conf is not what it was the last time: a laptop that changed networks.
bool cares_resolver::system_configuration_changed() {
    struct stat facts{};
    std::string state = "none";
    if (::stat(system_configuration_path, &facts) == 0) {
        state = std::to_string(facts.st_dev) + ' ' + std::to_string(facts.st_ino) + ' ' +
                std::to_string(facts.st_mtim.tv_sec) + ' ' + std::to_string(facts.st_mtim.tv_nsec);
    }
    return std::exchange(system_configuration_, state) != state;
}

void cares_resolver::ask(query& asked, address_family family) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family == address_family::ipv6 ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT;  // sorting would open a socket for each address; Happy Eyeballs measures instead
    auto context = std::make_unique<request>(request{this, asked.host, family});
    ares_getaddrinfo(channel_, asked.host.c_str(), nullptr, &hints, callbacks::on_addresses, context.release());
}

family_answer cares_resolver::answer_of(int status, const ares_addrinfo* found, const std::string& host,
                                        std::chrono::seconds& holds) const {
    holds = not_found_time_to_live;
    switch (status) {
    case ARES_SUCCESS: break;
    case ARES_ENODATA: return {};
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_EBADNAME: return failed(error_code::host_not_found, culprit::network, "there is no host named " + host);
    default:
        holds = std::chrono::seconds{0};
        return failed(error_code::resolver_failed, culprit::network,
                      "cannot resolve " + host + ": " + ares_strerror(status));
    }
    family_answer answer;
    std::int64_t time_to_live = max_time_to_live.count();
    for (const ares_addrinfo_cname* name = found->cnames; name; name = name->next)
        time_to_live = std::min<std::int64_t>(time_to_live, name->ttl);
    for (const ares_addrinfo_node* node = found->nodes; node; node = node->ai_next) {
        time_to_live = std::min<std::int64_t>(time_to_live, node->ai_ttl);
        if (node->ai_family == AF_INET)
            answer.addresses.push_back(address::ipv4(&reinterpret_cast<const sockaddr_in*>(node->ai_addr)->sin_addr));
        if (node->ai_family == AF_INET6)
            answer.addresses.push_back(address::ipv6(&reinterpret_cast<const sockaddr_in6*>(node->ai_addr)->sin6_addr));
    }
    if (!answer.addresses.empty()) holds = std::chrono::seconds{std::max<std::int64_t>(time_to_live, 0)};
    return answer;
}

void cares_resolver::lookup_gone() {
    if (--waiting_ == 0 && (!queries_.empty() || services_under_way_ > 0)) reactor_.defer(*this);
}

void cares_resolver::run_deferred() {
    if (waiting_ == 0 && channel_ && (!queries_.empty() || services_under_way_ > 0)) {
        ares_cancel(channel_);
        after_processing();
    }
    deliver_finished();
}

void cares_resolver::process(int readable, int writable) {
    ares_process_fd(channel_, readable < 0 ? ARES_SOCKET_BAD : readable, writable < 0 ? ARES_SOCKET_BAD : writable);
    const int active = readable < 0 ? writable : readable;
    if (const auto found = sockets_.find(active); found != sockets_.end()) found->second->rearm();
    after_processing();
    deliver_finished();
}

void cares_resolver::on_timeout() { process(-1, -1); }

void cares_resolver::after_processing() {
    timeval storage{};
    const timeval* wait = channel_ ? ares_timeout(channel_, nullptr, &storage) : nullptr;
    if (!wait) return timeout_.cancel();
    const auto delay = std::chrono::seconds{wait->tv_sec} + std::chrono::microseconds{wait->tv_usec};
    // A turn's clock may lag behind c-ares's own; a millisecond more keeps the timer from coming too early, again and again.
    reactor_.set_timer_in(timeout_, delay + std::chrono::milliseconds{1});
}

void cares_resolver::watch(int descriptor, bool readable, bool writable) {
    if (!readable && !writable) {
        sockets_.erase(descriptor);
        return;
    }
    auto& slot = sockets_[descriptor];
    if (!slot) {
        slot = std::make_unique<watched_socket>(*this, descriptor, writable);
    } else if (writable != slot->wants_writable()) {
        slot->begin_again(writable);
    }
}

void cares_resolver::deliver_finished() {
    while (!finished_.empty()) {
        finished_request first = std::move(finished_.front());
        finished_.erase(finished_.begin());
        if (first.holds.count() > 0) cache_.put(first.host, first.family, first.answer, reactor_.now() + first.holds);
        if (!deliver(first.host, first.family, std::move(first.answer))) return;
    }
    while (!finished_services_.empty()) {
        std::unique_ptr<service_request> first = std::move(finished_services_.front());
        finished_services_.erase(finished_services_.begin());
        if (!deliver(std::move(first))) return;
    }
}

bool cares_resolver::deliver(const std::string& host, address_family family, family_answer answer) {
    const auto found = queries_.find(host);
    if (found == queries_.end()) return true;
    found->second->answer(family) = std::move(answer);
    const family_answer told = *found->second->answer(family);
    base::intrusive_list<waiting_lookup> waiting;
    waiting.splice_back(found->second->waiting);
    query& answered = *found->second;
    std::unique_ptr<query> complete;
    if (answered.answers[0] && answered.answers[1]) {
        complete = std::move(found->second);
        queries_.erase(found);
    }
    // Observers may destroy lookups or this resolver, or ask again: nothing is held across a call but the list, and a lookup
    // that dies leaves it by itself.
    bool destroyed = false;
    destroyed_ = &destroyed;
    while (!waiting.empty()) {
        waiting_lookup& next = waiting.pop_front();
        if (!complete) answered.waiting.push_back(next);
        if (!next.needs(family)) continue;
        resolve_observer& observer = next.observer();
        next.was_given(family);
        observer.on_answer(family, told);
        if (!destroyed) continue;
        while (!waiting.empty()) waiting.pop_front().orphan();
        return false;
    }
    destroyed_ = nullptr;
    return true;
}

}  // namespace pabal::dial
