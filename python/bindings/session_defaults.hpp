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
    owned headers;                   ///< Headers
    owned cookies;                   ///< CookieJar
    owned params;                    ///< or None
    owned auth;                      ///< or None
    owned verify;                    ///< bool or path
    owned cert;                      ///< None, path or tuple
    owned timeout;                   ///< pabal.Timeout
    owned limits;                    ///< pabal.Limits
    owned hooks;                     ///< pabal._hooks.Hooks, or None: then nothing of it is paid for
    owned base_url;                  ///< str or None
    std::optional<url> parsed_base;  ///< what `base_url` says
    timeouts parsed_timeouts;
    session_limits parsed_limits;
    int max_redirects = 30;
    bool trust_env = true;
    bool tls_changed = true;
    std::uint64_t headers_version = ~std::uint64_t{0};
    PyObject* headers_seen = nullptr;  ///< which object the version is of (identity only)
    std::shared_ptr<const transport::tls_context> tls;

    /// The context that verify and cert stand for; null with an exception set when it cannot be made.
    std::shared_ptr<const transport::tls_context> tls_context();
    bool set_timeout(PyObject* value);
    bool set_hooks(PyObject* value);
    bool set_base_url(PyObject* value);
    int traverse(visitproc visit, void* argument) const;
    void clear();
};

/// One call, translated.
struct prepared_call {
    client::call_request request;
    owned body;  ///< a streamed body's source (`next_piece` or `pull`), or empty
    bool body_is_async = false;
    bool hooked = false;  ///< nothing is translated: `pabal._hooks` has to see the call first
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

/// The header defaults, if they changed since they were last asked for.
std::optional<fields> changed_headers(session_defaults& defaults);
/// Copies header defaults that changed into the engine's session.
void refresh_headers(session_defaults& defaults, client::session& session);

}  // namespace pabal::python

#include "session_defaults.inl.hpp"
