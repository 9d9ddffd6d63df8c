#pragma once
/// \file
/// What both session classes hold of their user's wishes, and how a call's arguments become a `client::call_request`.
///
/// Plain calls — a URL, a dict of headers, a number of seconds — are translated here. Everything else goes through
/// `pabal._prepare.prepare`, which answers in the same few terms.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/call.hpp"
#include "client/session.hpp"
#include "support.hpp"
#include "tls_settings.hpp"

namespace pabal::python {

/// The Python-visible attributes of a session.
struct session_defaults {
    owned headers;          ///< Headers
    owned cookies;          ///< CookieJar
    owned params;           ///< or None
    owned auth;             ///< or None
    tls_settings tls;       ///< verify, cert
    owned timeout;          ///< pabal.Timeout
    owned limits;           ///< pabal.Limits
    owned proxies;          ///< dict: key of a rule → URL, pabal.Proxy or None
    owned retries;          ///< pabal.Retry or None
    owned rate_limit;       ///< as given, or None
    owned http;             ///< frozenset of versions
    owned resolver;         ///< pabal.SafeResolver or None
    owned local_address;    ///< str or None
    owned encrypted_hello;  ///< str
    owned early_data;       ///< bool
    owned quic;             ///< pabal.Quic or None
    owned
        last_timeout;  ///< the pabal.Timeout that an exchange was given last, and what it says: it hardly ever changes
    timeouts parsed_last;
    owned hooks;                     ///< pabal._hooks.Hooks, or None: then nothing of it is paid for
    owned base_url;                  ///< str or None
    std::optional<url> parsed_base;  ///< what `base_url` says
    timeouts parsed_timeouts;
    session_limits parsed_limits;
    std::shared_ptr<const retry_policy> parsed_retries;
    std::shared_ptr<const client::rate_limits> parsed_rate_limits;
    std::shared_ptr<const safe_resolver> parsed_resolver;
    std::optional<dial::address> parsed_local_address;
    pabal::quic::conduct conduct;                               ///< what `quic` says
    std::shared_ptr<dial::alternative_file> alternatives_file;  ///< or null
    std::shared_ptr<const client::netrc> netrc;                 ///< when trust_env
    int max_redirects = 30;
    http_versions versions;  ///< what `http` says
    bool trust_env = true;
    std::uint64_t headers_version = ~std::uint64_t{0};
    PyObject* headers_seen = nullptr;  ///< which object the version is of (identity only)

    /// The rules of `proxies`, and behind them those of os.environ if it is trusted. False: an exception is set.
    bool proxy_rules_now(std::shared_ptr<const proxy_rules>& out);
    bool set_timeout(PyObject* value);
    void set_trust_env(bool trusted);
    /// What a session of the engine is told once, when it is made.
    void apply_to(client::session& session) const;
    /// The limits for one call's own timeout.
    bool timeouts_for(PyObject* given, timeouts& out);
    bool set_hooks(PyObject* value);
    bool set_base_url(PyObject* value);
    int traverse(visitproc visit, void* argument) const;
    void clear();

private:
    owned proxies_seen_;                                   ///< a copy of `proxies`, of which `rules_` were made
    std::shared_ptr<const proxy_rules> environment_seen_;  ///< … and what lies behind them
    std::shared_ptr<const proxy_rules> rules_;
};

/// Adds the attributes of `session_defaults` (a member function `defaults()`) to a session class.
template <class Session>
void define_defaults(nb::class_<Session>& type);

/// Fills `defaults` from the constructor's arguments; throws.
void initialise(session_defaults& defaults, nb::kwargs given);

/// The header defaults, if they changed since they were last asked for.
std::optional<fields> changed_headers(session_defaults& defaults);
/// Copies header defaults that changed into the engine's session.
void refresh_headers(session_defaults& defaults, client::session& session);

}  // namespace pabal::python

#include "session_defaults.inl.hpp"
