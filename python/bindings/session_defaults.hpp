#pragma once
/// \file
/// What both session classes hold of their user's wishes, and how a call's arguments become a `client::call_request`.
///
/// Plain calls — a URL, a dict of headers, a number of seconds — are translated here. Everything else goes through
/// `pabal._prepare.prepare`, which answers in the same few terms.

#include <memory>
#include <optional>
#include <string>

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
    owned retries;     ///< pabal.Retry or None
    owned rate_limit;  ///< as given, or None
    timeouts parsed_timeouts;
    session_limits parsed_limits;
    std::shared_ptr<const retry_policy> parsed_retries;
    std::shared_ptr<const client::rate_limits> parsed_rate_limits;
    std::shared_ptr<const client::netrc> netrc;  ///< when trust_env
    int max_redirects = 30;
    bool trust_env = true;
    bool tls_changed = true;
    std::uint64_t headers_version = ~std::uint64_t{0};
    PyObject* headers_seen = nullptr;  ///< which object the version is of (identity only)
    std::shared_ptr<const transport::tls_context> tls;

    /// The context that verify and cert stand for; null with an exception set when it cannot be made.
    std::shared_ptr<const transport::tls_context> tls_context();
    bool set_timeout(PyObject* value);
    void set_trust_env(bool trusted);
    /// What a session of the engine is told once, when it is made.
    void apply_to(client::session& session) const;
    int traverse(visitproc visit, void* argument) const;
    void clear();
};

/// One call, translated.
struct prepared_call {
    client::call_request request;
    owned instead;  ///< called without arguments, it makes the result: an auth flow sends requests of its own
    owned body;     ///< a streamed body's source (`next_piece` or `pull`), or empty
    bool body_is_async = false;
};

/// The arguments of request/get/… as CPython's vectorcall gives them: `url` positional (or by name), the rest by name.
/// nullopt: an exception is set.
std::optional<prepared_call> prepare_call(PyObject* session, session_defaults& defaults, std::string_view method,
                                          PyObject* const* arguments, Py_ssize_t count, PyObject* names, bool streams,
                                          bool is_async);

/// Adds the attributes of `session_defaults` (a member function `defaults()`) to a session class.
template <class Session>
void define_defaults(nb::class_<Session>& type);

/// Fills `defaults` from the constructor's arguments; throws.
void initialise(session_defaults& defaults, nb::kwargs given);

/// Copies header defaults that changed into the engine's session.
void refresh_headers(session_defaults& defaults, client::session& session);

}  // namespace pabal::python

#include "session_defaults.inl.hpp"
