#pragma once
/// \file
/// What the calls of one user share: default fields, cookies, trust, limits; and the handler that carries exchanges.
/// The public faces (C++ `pabal::session`, the Python sessions) are shells around it.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <pabal/handler.hpp>
#include <pabal/options.hpp>
#include <pabal/safe_resolver.hpp>
#include <pabal/tls.hpp>

#include "client/call.hpp"
#include "client/engine.hpp"
#include "client/shared_cookie_jar.hpp"
#include "dial/address.hpp"
#include "dial/alternative_cache.hpp"
#include "dial/alternative_file.hpp"
#include "protocol/quic/conduct.hpp"

namespace pabal::client {

/// The fields every request carries unless it is told otherwise.
fields default_fields();

class netrc;
struct rate_limits;

/// The names of those versions in ALPN, in order of preference (RFC 7301, RFC 9113 section 3.1).
std::vector<std::string> application_protocols_of(http_versions allowed);

class session {
public:
    /// The engine must outlive the session.
    session(engine& engine, const session_limits& limits);
    ~session();
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Carries the call's current exchange: over the network, or to the handler set instead.
    void transmit(call& sending);
    /// Heeds what the origin of a response says of where else it can be had (RFC 7838), if that matters to this session. Only
    /// what came over TLS, and not through a proxy, counts.
    void learn_alternatives(const url& of, const proxy* via, const fields& head);
    /// The same of a value that came in a frame of HTTP/2 (section 4).
    void learn_alternatives(const url& of, const proxy* via, std::string_view value);
    /// The place where the origin is had over HTTP/3 does not answer for it. False: there is none.
    bool reject_alternative(const url& of);
    /// Has what origins say of it outlive the session: what the file holds is known from now on, and `save_alternatives` adds to it.
    void keep_alternatives_in(std::shared_ptr<dial::alternative_file> file);
    /// Writes what origins said since it was written last; nothing without such a file. For the end of the session: it waits for
    /// the disk. Fails as `dial::alternative_file::save`; then it may be tried again.
    result<void> save_alternatives();
    /// Null: there is none.
    std::shared_ptr<const dial::alternative_file> alternatives_file() const noexcept { return alternatives_file_; }
    /// The line for the limiter of that place, when `rate_limits` is set; null when there is none.
    rate_queue* queue_at(const url& place);
    /// Keeps a call that waits between two exchanges, until it goes on by itself or the session ends.
    void hold(call& pausing) noexcept { paused_.push_back(pausing); }
    /// Closes every connection of the engine; what is under way, waits or comes later fails with `session_closed`.
    void close();
    /// Answers every call by `instead` (a test double, an application in this process); null: the network again.
    void answer_by(handler* instead) noexcept { instead_ = instead; }

    /// The proxy for the current location of what is asked, by its own rules or else the session's. Null: direct.
    result<std::shared_ptr<const proxy>> choose_proxy(const call_request& asked) const;

    reactor::reactor& reactor() noexcept { return engine_.reactor(); }
    const session_limits& limits() const noexcept { return limits_; }

    http_versions versions;  ///< those that may be spoken; `tls` offers the same

    fields headers = default_fields();
    std::shared_ptr<shared_cookie_jar> cookies = std::make_shared<shared_cookie_jar>();
    std::shared_ptr<const transport::tls_context> tls;        ///< for https, where the call does not say
    std::shared_ptr<const transport::tls_context> proxy_tls;  ///< for proxies that speak TLS, likewise; null: as `tls`
    std::shared_ptr<const proxy_rules> proxies;               ///< null: none

    std::shared_ptr<const safe_resolver> resolver;  ///< judges what is connected to; null: nobody does
    std::optional<dial::address> local_address;     ///< which connections leave from, as `dial::target::from`
    quic::conduct conduct;                          ///< of connections over QUIC
    std::shared_ptr<const client::netrc> netrc;     ///< for calls without credentials; or null
    /// Or null; not to be changed any more once a call has begun.
    std::shared_ptr<const client::rate_limits> rate_limits;

private:
    result<std::shared_ptr<const transport::tls_context>> trust();
    bool heeds_alternatives(const url& of, const proxy* via) const noexcept;
    bool speaks_only_http3() const noexcept { return versions.http_3 && !versions.http_1_1 && !versions.http_2; }
    std::optional<error> out_of_reach_of_quic(const url& to, const proxy* via) const;
    void end_pauses();

    engine& engine_;
    session_limits limits_;
    handler* instead_ = nullptr;
    std::shared_ptr<dial::alternative_cache> alternatives_ = std::make_shared<dial::alternative_cache>();
    std::shared_ptr<dial::alternative_file> alternatives_file_;  ///< or null
    base::intrusive_list<call, paused> paused_;
    std::vector<std::unique_ptr<rate_queue>> queues_;  ///< one for each limiter that was met; few
};

}  // namespace pabal::client
