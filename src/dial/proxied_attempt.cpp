#include "dial/proxied_attempt.hpp"

#include <array>
#include <utility>

#include "dial/safe_resolver.hpp"
#include "protocol/http/basic_auth.hpp"

namespace pabal::dial {

namespace {

/// Replies are short; one that is not is read in pieces.
constexpr std::size_t receive_size = 2048;

/// A failure to reach the proxy, as one of the request that wanted to go through it.
error blamed_on(const proxy& by, error failure) {
    const bool local = failure.code == error_code::too_many_open_files || failure.code == error_code::cancelled ||
                       failure.code == error_code::trust_store_unreadable ||
                       failure.code == error_code::client_certificate_unusable;
    const bool timed_out = failure.code == error_code::timed_out;
    if (!local && !timed_out)
        failure.code = failure.where == phase::tls ? error_code::proxy_tls_failed : error_code::proxy_unreachable;
    if (!local && failure.whose != culprit::local) failure.whose = culprit::proxy;
    failure.where = phase::proxy;
    failure.message = "cannot reach the proxy " + by.text() + ": " + failure.message;
    return failure;
}

std::string bytes_of(const address& from) {
    const std::size_t size = from.family == address_family::ipv4 ? 4 : 16;
    return {reinterpret_cast<const char*>(from.bytes.data()), size};
}

}  // namespace

proxied_attempt::proxied_attempt(reactor::reactor& reactor, target to, const dial_limits& limits,
                                 dial_observer& observer)
    : reactor_(reactor), to_(std::move(to)), limits_(limits), observer_(observer), phase_began_(reactor.now()) {}

/// Everything that can be found wrong without asking anybody is found first. Then the proxy is reached and greeted, before
/// the origin's name is asked for where that is ours to do: that the proxy is down is the answer that helps, also where its
/// users can resolve no name of the world outside.
void proxied_attempt::begin(dialer& direct, resolver& resolver) {
    direct_ = &direct;
    resolver_ = &resolver;
    if (prepare_tunnel()) reach_proxy();
    beginning_ = false;
}

// --- Before the proxy is reached ---------------------------------------------------------------------------------------

/// False: failed. Without a tunnel afterwards: none is needed, or the origin's address is.
bool proxied_attempt::prepare_tunnel() {
    if (!to_.unix_path.empty()) {
        fail({error_code::invalid_argument, phase::prepare, culprit::caller, 0,
              "a Unix socket cannot be reached through the proxy " + to_.proxy->text()});
        return false;
    }
    if (to_.host.empty()) return true;
    if (to_.guard) {
        if (auto refusal = to_.guard->refusal_through(*to_.proxy, to_.host)) return fail(std::move(*refusal)), false;
    }
    const auto literal = address::parse(to_.host);
    if (literal && literal->scope != 0) {
        fail({error_code::invalid_argument, phase::prepare, culprit::caller, 0,
              "an address with a zone, " + to_.host + ", means nothing to the proxy " + to_.proxy->text()});
        return false;
    }
    if (to_.proxy->speaks_http()) return prepare_connect();
    if (literal) return prepare_socks({}, bytes_of(*literal));
    needs_address_ = to_.proxy->resolves_here();
    return prepare_socks(needs_address_ ? std::string() : to_.host, {});
}

bool proxied_attempt::prepare_connect() {
    fields headers = to_.proxy->headers;
    if (to_.proxy->has_credentials && !headers.contains(field_id::proxy_authorization)) {
        auto credentials = http::basic_credentials(to_.proxy->user, to_.proxy->password);
        if (!credentials) return fail(std::move(credentials).error()), false;
        headers.append_valid("Proxy-Authorization", *credentials);
    }
    auto& connect = tunnel_.emplace<http1::connect_machine>(to_.text(), to_.proxy->text());
    if (auto started = connect.start(headers, output_); !started) return fail(std::move(started).error()), false;
    return true;
}

bool proxied_attempt::prepare_socks(std::string name, std::string address) {
    const proxy& by = *to_.proxy;
    const bool is_4 = by.kind == proxy_kind::socks4 || by.kind == proxy_kind::socks4a;
    std::optional<socks::credentials> who;
    if (by.has_credentials) who = {by.user, by.password};
    auto made =
        socks::machine::make(is_4 ? socks::version::v4 : socks::version::v5,
                             {std::move(name), std::move(address), to_.port, to_.text()}, std::move(who), by.text());
    if (!made) return fail(std::move(made).error()), false;
    tunnel_.emplace<socks::machine>(std::move(*made)).start(output_);
    return true;
}

void proxied_attempt::reach_proxy() {
    enter(phase::connect);
    target server;
    server.host = to_.proxy->host;
    server.port = to_.proxy->port;
    server.from = to_.from;
    if (to_.proxy->kind == proxy_kind::https) {
        server.tls = to_.proxy_tls;
        if (!server.tls)
            return fail({error_code::invalid_argument, phase::prepare, culprit::caller, 0,
                         "no trust was given for the proxy " + to_.proxy->text()});
    }
    reaching_ = direct_->dial(server, limits_, *this);
}

// --- The proxy is reached, or not --------------------------------------------------------------------------------------

void proxied_attempt::on_dialed(transport::transport_ptr connected, const dial_timings& timings) {
    timings_.resolve += timings.resolve;
    timings_.connect = timings.connect;
    timings_.tls = timings.tls;
    reaching_.reset();  // `timings` is gone
    if (to_.host.empty()) return succeed(std::move(connected));
    through_ = std::move(connected);
    through_->observe(this);
    if (needs_address_) return resolve_origin();
    enter(phase::proxy);
    converse();
}

void proxied_attempt::on_dial_failed(error failure) { fail(blamed_on(*to_.proxy, std::move(failure))); }

// --- The origin's address, for a proxy that resolves no names ------------------------------------------------------------

/// The proxy is greeted meanwhile. Answers that are there at once are looked at when both are, and the greeting is sent.
void proxied_attempt::resolve_origin() {
    enter(phase::resolve);
    beginning_ = true;
    lookup_ = resolver_->resolve(to_.host, *this);
    converse();
    if (!failure_) origin_resolved();
    beginning_ = false;
}

void proxied_attempt::on_answer(address_family family, const family_answer& answer) {
    (family == address_family::ipv4 ? ipv4_ : ipv6_) = answer;
    if (!beginning_) origin_resolved();
}

/// One address is all a proxy can be told. IPv4 goes first: it is what proxies reach most.
void proxied_attempt::origin_resolved() {
    const bool is_4 = to_.proxy->kind == proxy_kind::socks4;
    const address* chosen = first_allowed(ipv4_);
    if (!chosen && (!ipv4_ || (!ipv6_ && !is_4))) return;  // there may be one yet
    if (!chosen && !is_4) chosen = first_allowed(ipv6_);
    if (!chosen) {
        if (refusal_) return origin_is_unknown(std::move(*refusal_));
        if (ipv4_->failure) return origin_is_unknown(*ipv4_->failure);
        return origin_is_unknown({error_code::host_not_found, phase::resolve, culprit::network, 0,
                                  "the host " + to_.host + " has no " + (is_4 ? "IPv4 " : "") + "addresses"});
    }
    std::get<socks::machine>(tunnel_).supply(bytes_of(*chosen), output_);
    lookup_.reset();
    timings_.resolve += reactor_.now() - phase_began_;
    enter(phase::proxy);
    converse();
}

/// A proxy that does not answer, or refuses, is the answer that helps: it may come yet.
void proxied_attempt::origin_is_unknown(error why) {
    if (std::get<socks::machine>(tunnel_).awaits_address()) return fail(std::move(why));
    unknown_ = std::move(why);
    lookup_.reset();
    enter(phase::proxy);
}

/// The first address that nobody objects to; null: there is none, or no answer yet.
const address* proxied_attempt::first_allowed(const std::optional<family_answer>& among) {
    if (!among) return nullptr;
    for (const address& each : among->addresses) {
        const auto rule = to_.guard ? to_.guard->refusal(each) : std::nullopt;
        if (!rule) return &each;
        const std::string where = each.with_port(to_.port).to_string() + " of " + to_.host;
        refusal_ = address_refused("cannot connect to " + where, *rule);
    }
    return nullptr;
}

// --- The tunnel --------------------------------------------------------------------------------------------------------

/// Goes on until the proxy has to be waited for. Even when it has said yes it is read until there is nothing more: then
/// the next owner of the pipe will be told of what comes, and whatever came too early is found.
void proxied_attempt::converse() {
    std::array<char, receive_size> buffer;  // not initialised: it is written before it is read
    while (send_output()) {
        auto got = through_->read(buffer);
        if (!got) return lost_proxy("it broke the connection: " + got.error().message);
        switch (got->what) {
        case transport::io_outcome::kind::end: return lost_proxy("it closed the connection");
        case transport::io_outcome::kind::would_block:
            if (is_established()) tunnelled();
            return;
        case transport::io_outcome::kind::moved: break;
        }
        if (!take_reply({buffer.data(), got->size})) return;
        if (unknown_ && std::get<socks::machine>(tunnel_).awaits_address()) return fail(std::move(*unknown_));
    }
}

/// False: not all could be sent now, or it failed.
bool proxied_attempt::send_output() {
    while (!output_.empty()) {
        const std::string_view piece = output_;
        auto written = through_->write({&piece, 1});
        if (!written) {
            lost_proxy("it broke the connection: " + written.error().message);
            return false;
        }
        if (written->what != transport::io_outcome::kind::moved) return false;
        output_.erase(0, written->size);
    }
    return true;
}

/// False: failed.
bool proxied_attempt::take_reply(std::string_view received) {
    input_ += received;
    result<std::size_t> used = std::size_t{0};
    if (auto* connect = std::get_if<http1::connect_machine>(&tunnel_)) used = connect->receive(input_);
    else used = std::get<socks::machine>(tunnel_).receive(input_, output_);
    if (!used) {
        fail(std::move(used).error());
        return false;
    }
    input_.erase(0, *used);
    if (!is_established() || input_.empty()) return true;
    // The origin waits for us to speak first: nobody but the proxy can have sent this.
    lost_proxy("it sent something into the tunnel that nobody asked for");
    return false;
}

bool proxied_attempt::is_established() const {
    if (const auto* connect = std::get_if<http1::connect_machine>(&tunnel_)) return connect->is_established();
    return std::get<socks::machine>(tunnel_).is_established();
}

void proxied_attempt::lost_proxy(std::string why) {
    fail({error_code::proxy_failed, phase::proxy, culprit::proxy, 0,
          "no tunnel to " + to_.text() + " through the proxy " + to_.proxy->text() + ": " + std::move(why)});
}

void proxied_attempt::tunnelled() {
    timings_.proxy = reactor_.now() - phase_began_;
    through_->observe(nullptr);
    if (!to_.tls) return succeed(std::move(through_));
    enter(phase::tls);
    const std::string& name = to_.server_name.empty() ? to_.host : to_.server_name;
    auto made = transport::tls_transport::connect(std::move(through_), to_.tls, {name, name + '|' + to_.text()});
    if (!made) return fail(std::move(made).error());
    tls_ = std::move(*made);
    tls_->observe(this);
    shake_hands();
}

// --- TLS with the origin -----------------------------------------------------------------------------------------------

void proxied_attempt::shake_hands() {
    result<transport::io_outcome> step = tls_->handshake();
    if (!step) {
        error failure = std::move(step).error();
        failure.message += " (through the proxy " + to_.proxy->text() + ")";
        return fail(std::move(failure));
    }
    if (!tls_->is_established()) return;
    timings_.tls += reactor_.now() - phase_began_;
    tls_->observe(nullptr);
    succeed(std::move(tls_));
}

// --- Time and ending ---------------------------------------------------------------------------------------------------

/// phase::connect is the attempt that reaches the proxy: it has its own limits.
void proxied_attempt::enter(phase next) {
    phase_ = next;
    phase_began_ = reactor_.now();
    const auto limit = next == phase::resolve ? limits_.resolve
                       : next == phase::proxy ? limits_.connect
                       : next == phase::tls   ? limits_.tls
                                              : std::chrono::milliseconds{0};
    if (limit.count() > 0) {
        reactor_.set_timer(limit_, phase_began_ + limit);
    } else {
        limit_.cancel();
    }
}

void proxied_attempt::on_limit() {
    switch (phase_) {
    case phase::resolve:
        return fail({error_code::timed_out, phase::resolve, culprit::network, 0,
                     "resolving " + to_.host + " took longer than " + std::to_string(limits_.resolve.count()) + " ms"});
    case phase::proxy:
        return fail({error_code::timed_out, phase::proxy, culprit::proxy, 0,
                     "the proxy " + to_.proxy->text() + " did not make a tunnel to " + to_.text() + " within " +
                         std::to_string(limits_.connect.count()) + " ms (connect timeout)"});
    default:
        return fail({error_code::timed_out, phase::tls, culprit::peer, 0,
                     "the TLS handshake with " + to_.text() + " took longer than " +
                         std::to_string(limits_.tls.count()) + " ms (through the proxy " + to_.proxy->text() + ")"});
    }
}

void proxied_attempt::succeed(transport::transport_ptr connected) {
    connected_ = std::move(connected);
    conclude();
}

void proxied_attempt::fail(error why) {
    failure_ = std::move(why);
    conclude();
}

void proxied_attempt::conclude() {
    lookup_.reset();
    limit_.cancel();
    if (beginning_) return reactor_.defer(*this);
    tell();
}

/// The observer may destroy this.
void proxied_attempt::tell() {
    if (failure_) {
        // Frames of these may be below us on the stack.
        if (through_) {
            through_->observe(nullptr);
            reactor_.retire(std::move(through_));
        }
        if (tls_) {
            tls_->observe(nullptr);
            reactor_.retire(std::move(tls_));
        }
        return observer_.on_dial_failed(std::move(*failure_));
    }
    observer_.on_dialed(std::move(connected_), timings_);
}

}  // namespace pabal::dial
