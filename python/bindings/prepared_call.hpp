#pragma once
/// \file
/// The arguments of one call, translated for the engine.

#include <optional>
#include <string>
#include <string_view>

#include "client/call.hpp"
#include "session_defaults.hpp"
#include "support.hpp"

namespace pabal::python {

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

/// A bytes object as a body: kept, if it is too large to be copied.
client::call_content content_of(PyObject* bytes);

/// `method` of a request as a token in upper case; false with an exception set.
bool read_method(PyObject* method, bool keep_case, std::string& out);

}  // namespace pabal::python
