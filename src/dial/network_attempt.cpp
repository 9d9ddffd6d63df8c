#include "dial/network_attempt.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "dial/network_dialer.hpp"
#include "dial/safe_resolver.hpp"
#include "protocol/http/host.hpp"
#include "transport/socket_address.hpp"

namespace pabal::dial {

namespace {

// A Unix socket whose queue is full refuses with EAGAIN and says nothing when there is room again: it has to be asked again.
constexpr std::chrono::milliseconds first_unix_delay{1};
constexpr std::chrono::milliseconds longest_unix_delay{64};
constexpr unsigned max_unix_tries = 200;  // about twelve seconds, for dials without a limit

/// Which of several failures says most about what a user could do.
int telling(error_code code) {
    switch (code) {
    case error_code::address_refused: return 5;
    case error_code::too_many_open_files: return 4;
    case error_code::connection_refused: return 3;
    case error_code::connect_failed: return 2;
    case error_code::timed_out: return 1;
    default: return 0;
    }
}

std::string reason_of(const error& failure) {
    return failure.system_errno != 0 ? std::generic_category().message(failure.system_errno) : failure.message;
}

}  // namespace

network_attempt::network_attempt(reactor::reactor& reactor, target to, const dial_limits& limits,
                                 dial_observer& observer)
    : reactor_(reactor), to_(std::move(to)), limits_(limits), observer_(observer), phase_began_(reactor.now()) {}

void network_attempt::begin(resolver& resolver) {
    if (!to_.unix_path.empty()) {
        enter(phase::connect);
        if (to_.guard) fail(address_refused("cannot connect to " + to_.unix_path, "no Unix sockets"));
        else connect_unix();
    } else {
        enter(phase::resolve);
        lookup_ = resolver.resolve(to_.host, *this);
        reached_ ? lookup_.reset() : advance();
    }
    beginning_ = false;
}

void network_attempt::on_answer(address_family family, const family_answer& answer) {
    if (reached_) return;
    std::vector<address> addresses;
    addresses.reserve(answer.addresses.size());
    for (const address& each : answer.addresses) addresses.push_back(each.with_port(to_.port));
    reached_ = is_reached(addresses);
    if (reached_) return conclude();
    plan_.answered(family, addresses, reactor_.now());
    // "There is no such name" holds for both families, whatever became of the other's question.
    if (answer.failure && (!resolve_failure_ || answer.failure->code == error_code::host_not_found))
        resolve_failure_ = answer.failure;
    if (!beginning_) advance();
}

/// Does what the plan says until it says to wait.
void network_attempt::advance() {
    for (;;) {
        const happy_eyeballs::decision decision = plan_.next(reactor_.now());
        switch (decision.what) {
        case happy_eyeballs::step::start: start(*decision.to); break;
        case happy_eyeballs::step::wait:
            if (decision.until) {
                reactor_.set_timer(delay_, *decision.until);
            } else {
                delay_.cancel();
            }
            return;
        case happy_eyeballs::step::exhausted: return fail(nothing_left());
        }
    }
}

/// Why it is not connected to; nullopt: it may be.
std::optional<error> network_attempt::refusal_of(const address& to) const {
    if (auto rule = to_.guard ? to_.guard->refusal(to) : std::nullopt) return address_refused({}, *rule);
    if (!to_.from || to_.from->family == to.family) return std::nullopt;
    return error{error_code::connect_failed, phase::connect, culprit::caller, 0,
                 std::string("out of reach from ") +
                     (to_.from->family == address_family::ipv4 ? "an IPv4" : "an IPv6") + " local address"};
}

/// Whether the observer has a connection to one of them.
bool network_attempt::is_reached(const std::vector<address>& found) const {
    return std::ranges::any_of(
        found, [this](const address& each) { return observer_.is_reached(each, to_.over_quic) && !refusal_of(each); });
}

void network_attempt::start(const address& to) {
    if (phase_ == phase::resolve) enter(phase::connect);
    if (auto refusal = refusal_of(to)) {
        note_failure(to.to_string(), std::move(*refusal));
        return plan_.attempt_failed(reactor_.now());
    }
    const bool is_bound = to_.from && !to_.from->is_unspecified();
    const transport::socket_address from = is_bound ? to_.from->to_socket_address() : transport::socket_address{};
    if (auto entered = enter_race(to, is_bound ? &from : nullptr); !entered) {
        note_failure(to.to_string(), std::move(entered).error());
        plan_.attempt_failed(reactor_.now());
    }
}

result<void> network_attempt::enter_race(const address& to, const transport::socket_address* from) {
    const transport::socket_address socket = to.to_socket_address();
    if (to_.over_quic) {
        const connection::http3_link_target goal{
            socket,     from ? std::optional(*from) : std::nullopt, to_.tls, expected_peer(), to_.used_alternative,
            to_.conduct};
        auto begun = quic_racer::start(reactor_, goal, to.to_string(), *this);
        if (!begun) return std::move(begun).error();
        quic_racers_.push_back(std::move(*begun));
        return {};
    }
    auto entering = std::make_unique<racer>(*this, to.to_string());
    auto begun = transport::start_connect(reactor_, socket.get(), socket.size, *entering, from);
    if (!begun) return std::move(begun).error();
    entering->socket = std::move(*begun);
    racers_.push_back(std::move(entering));
    return {};
}

void network_attempt::connect_unix() {
    result<transport::socket_address> socket = transport::unix_address(to_.unix_path);
    if (!socket) return fail(std::move(socket).error());
    auto entering = std::make_unique<racer>(*this, to_.unix_path);
    auto begun = transport::start_connect(reactor_, socket->get(), socket->size, *entering);
    if (begun) {
        entering->socket = std::move(*begun);
        racers_.push_back(std::move(entering));
        return;
    }
    const int number = begun.error().system_errno;
    if ((number != EAGAIN && number != EWOULDBLOCK) || ++unix_tries_ >= max_unix_tries)
        return fail(std::move(begun).error());
    reactor_.set_timer_in(delay_,
                          std::min(first_unix_delay * (1 << std::min(unix_tries_ - 1, 6U)), longest_unix_delay));
}

void network_attempt::won(racer& winner, int descriptor) {
    const std::string peer = std::move(winner.peer);
    stop_racing();  // destroys `winner` too
    timings_.connect = reactor_.now() - phase_began_;
    auto plain = transport::make_socket_transport(reactor_, descriptor, peer);
    if (!to_.tls) return succeed(std::move(plain));
    secure(std::move(plain));
}

void network_attempt::lost(racer& loser, error failure) {
    const std::string peer = std::move(loser.peer);
    std::erase_if(racers_, [&](const auto& each) { return each.get() == &loser; });
    if (!to_.unix_path.empty()) return fail(std::move(failure));
    lost(peer, std::move(failure));
}

void network_attempt::lost(const std::string& peer, error failure) {
    note_failure(peer, std::move(failure));
    plan_.attempt_failed(reactor_.now());
    advance();
}

void network_attempt::on_quic_heard() {
    if (phase_ != phase::connect) return;
    timings_.connect = reactor_.now() - phase_began_;
    enter(phase::tls);
}

void network_attempt::on_quic_connected(quic_racer& winner, std::unique_ptr<connection::http3_link> link) {
    (void)winner;
    timings_.tls = reactor_.now() - phase_began_;
    linked_ = std::move(link);
    conclude();
}

/// What TLS says of one address holds for all: they are one server's.
void network_attempt::on_quic_failed(quic_racer& loser, error failure) {
    if (failure.where == phase::tls) return fail(std::move(failure));
    const std::string peer = loser.name();
    std::erase_if(quic_racers_, [&](const auto& each) { return each.get() == &loser; });
    lost(peer, std::move(failure));
}

void network_attempt::note_failure(const std::string& peer, error failure) {
    if (failures_++ < network_dialer::max_reasons_shown) {
        if (!reasons_.empty()) reasons_ += "; ";
        reasons_.append(peer).append(": ").append(reason_of(failure));
    }
    if (!connect_failure_ || telling(failure.code) > telling(connect_failure_->code))
        connect_failure_ = std::move(failure);
}

error network_attempt::nothing_left() {
    if (!connect_failure_) {
        if (resolve_failure_) return *resolve_failure_;
        return {error_code::host_not_found, phase::resolve, culprit::network, 0,
                "the host " + to_.host + " has no addresses"};
    }
    error failure = std::move(*connect_failure_);
    // Of one address the system says everything already.
    if (failures_ == 1 && failure.code != error_code::address_refused && address::parse(to_.host)) return failure;
    if (failures_ > network_dialer::max_reasons_shown)
        reasons_ += "; and " + std::to_string(failures_ - network_dialer::max_reasons_shown) + " more";
    failure.message = "cannot connect to " + peer_name() + " (" + reasons_ + ")";
    return failure;
}

/// Sessions of TLS with records and of QUIC are told apart: neither resumes the other's.
transport::tls_peer network_attempt::expected_peer() const {
    const std::string& name = to_.server_name.empty() ? to_.host : to_.server_name;
    return {name, name + '|' + peer_name() + (to_.over_quic ? "|h3" : ""), to_.encrypted_hello_keys.value_or("")};
}

void network_attempt::secure(transport::transport_ptr plain) {
    enter(phase::tls);
    auto made = transport::tls_transport::connect(std::move(plain), to_.tls, expected_peer());
    if (!made) return fail(std::move(made).error());
    tls_ = std::move(*made);
    tls_->observe(this);
    shake_hands();
}

void network_attempt::shake_hands() {
    result<transport::io_outcome> step = tls_->handshake();
    if (!step) {
        if (auto keys = tls_->keys_to_retry_with()) observer_.on_hello_rejected(std::move(*keys));
        return fail(std::move(step).error());
    }
    if (!tls_->is_established()) return;
    timings_.tls = reactor_.now() - phase_began_;
    tls_->observe(nullptr);
    succeed(std::move(tls_));
}

/// Ends the phase before and sets the limit of `next`.
void network_attempt::enter(phase next) {
    const reactor::time_point now = reactor_.now();
    if (phase_ == phase::resolve && next != phase::resolve) timings_.resolve = now - phase_began_;
    phase_ = next;
    phase_began_ = now;
    const auto limit = next == phase::resolve   ? limits_.resolve
                       : next == phase::connect ? limits_.connect
                                                : limits_.tls;
    if (limit.count() > 0) {
        reactor_.set_timer(limit_, now + limit);
    } else {
        limit_.cancel();
    }
}

void network_attempt::on_limit() {
    error failure{error_code::timed_out, phase_, culprit::network, 0, {}};
    switch (phase_) {
    case phase::resolve:
        failure.message =
            "resolving " + to_.host + " took longer than " + std::to_string(limits_.resolve.count()) + " ms";
        break;
    case phase::connect:
        failure.message =
            "connecting to " + peer_name() + " took longer than " + std::to_string(limits_.connect.count()) + " ms";
        if (!reasons_.empty()) failure.message += " (failed before: " + reasons_ + ")";
        break;
    default:
        failure.whose = culprit::peer;
        failure.message = "the TLS handshake with " + peer_name() + " took longer than " +
                          std::to_string(limits_.tls.count()) + " ms";
    }
    fail(std::move(failure));
}

void network_attempt::on_delay() { to_.unix_path.empty() ? advance() : connect_unix(); }

void network_attempt::stop_racing() {
    delay_.cancel();
    lookup_.reset();
    racers_.clear();
    quic_racers_.clear();
}

void network_attempt::succeed(transport::transport_ptr connected) {
    connected_ = std::move(connected);
    conclude();
}

void network_attempt::fail(error why) {
    failure_ = std::move(why);
    conclude();
}

void network_attempt::conclude() {
    stop_racing();
    limit_.cancel();
    if (beginning_) return reactor_.defer(*this);
    tell();
}

/// The observer may destroy this.
void network_attempt::tell() {
    if (failure_) {
        const auto ended =
            std::move(tls_);  // its socket is closed whatever the observer does, but not before it returns
        return observer_.on_dial_failed(std::move(*failure_));
    }
    if (reached_) return observer_.on_reached();
    if (linked_) return observer_.on_linked(std::move(linked_), timings_);
    observer_.on_dialed(std::move(connected_), timings_);
}

std::string network_attempt::peer_name() const {
    if (!to_.unix_path.empty()) return to_.unix_path;
    return http::write_host(to_.host) + ':' + std::to_string(to_.port);
}

}  // namespace pabal::dial
