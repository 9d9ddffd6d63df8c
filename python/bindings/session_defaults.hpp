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

namespace pabal::python {

/// The Python-visible attributes of a session.
struct session_defaults {
    owned headers;     ///< Headers
    owned cookies;     ///< CookieJar
    owned params;      ///< or None
    owned auth;        ///< or None
    owned verify;      ///< bool or path
    owned cert;        ///< None, path or tuple
    owned timeout;     ///< pabal.Timeout
    owned limits;      ///< pabal.Limits
    owned proxies;     ///< dict: key of a rule → URL, pabal.Proxy or None
    owned retries;     ///< pabal.Retry or None
    owned rate_limit;  ///< as given, or None
    owned http;        ///< frozenset of versions
    owned resolver;    ///< pabal.SafeResolver or None
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
    std::shared_ptr<const client::netrc> netrc;  ///< when trust_env
    int max_redirects = 30;
    http_versions versions;  ///< what `http` says
    bool trust_env = true;
    bool tls_changed = true;
    std::uint64_t headers_version = ~std::uint64_t{0};
    PyObject* headers_seen = nullptr;  ///< which object the version is of (identity only)
    std::shared_ptr<const transport::tls_context> tls;
    /// Contexts other than the session's own, by what was asked for: one context, one set of connections.
    std::vector<std::pair<std::string, std::shared_ptr<const transport::tls_context>>> other_tls;

    /// The context that verify and cert stand for; null with an exception set when it cannot be made. So do the next ones.
    std::shared_ptr<const transport::tls_context> tls_context();
    /// The context for one call's own verify and cert (null or None: the session's).
    std::shared_ptr<const transport::tls_context> tls_context_for(PyObject* verify_given, PyObject* cert_given);
    /// The same for a proxy, which is never shown a client certificate, and spoken to in HTTP/1.1.
    std::shared_ptr<const transport::tls_context> proxy_tls_context_for(PyObject* verify_given);
    /// Whether the engine's default context would not do.
    bool tls_is_special(PyObject* verify_given, PyObject* cert_given) const;
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
    std::shared_ptr<const transport::tls_context> tls_context_of(PyObject* trusted, PyObject* identity,
                                                                 http_versions spoken);

    owned proxies_seen_;                                   ///< a copy of `proxies`, of which `rules_` were made
    std::shared_ptr<const proxy_rules> environment_seen_;  ///< … and what lies behind them
    std::shared_ptr<const proxy_rules> rules_;
};

/// One call, translated.
struct prepared_call {
    client::call_request request;
    owned instead;  ///< called without arguments, it makes the result: an auth flow sends requests of its own
    owned body;     ///< a streamed body's source (`next_piece` or `pull`), or empty
    bool body_is_async = false;
    owned finish;         ///< of an async exchange: makes what is awaited of the outcome, or empty
    bool hooked = false;  ///< nothing is translated: `pabal._hooks` has to see the call first
};

/// The arguments of request/get/… as CPython's vectorcall gives them: `url` positional (or by name), the rest by name.
/// nullopt: an exception is set.
std::optional<prepared_call> prepare_call(PyObject* session, session_defaults& defaults, std::string_view method,
                                          PyObject* const* arguments, Py_ssize_t count, PyObject* names, bool streams,
                                          bool is_async);

/// The arguments of exchange(method, url, headers, body, *, …): one exchange, exactly as told (`call_request::as_told`).
/// `finish=` belongs to those that are awaited.
std::optional<prepared_call> prepare_exchange(session_defaults& defaults, PyObject* const* arguments, Py_ssize_t count,
                                              PyObject* names, bool is_async);

/// `method` of a request as a token in upper case; false with an exception set.
bool read_method(PyObject* method, bool keep_case, std::string& out);
bool parse_timeout(PyObject* value, timeouts& out);
/// How many redirects a call follows; false with an exception set.
bool read_max_redirects(PyObject* value, int& out);
/// Whether verify= and cert= (null: not given) are what they may be; files are not looked at. False: an exception is set.
bool read_tls_settings(PyObject* verify, PyObject* cert);

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
