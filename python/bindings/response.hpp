#pragma once
/// \file
/// `pabal._engine.Response`: what the server answered; becomes Python objects when it is looked at.

#include <memory>

#include "client/call.hpp"
#include "support.hpp"
#include "sync_core.hpp"

namespace pabal::python {

class body_stream;

struct response {
    client::call_ptr call;                ///< done, or streaming
    std::shared_ptr<sync_core> sync;      ///< of a sync session, until there is nothing more to come
    owned session;                        ///< the Session or AsyncSession a streamed body still comes from
    std::unique_ptr<body_stream> stream;  ///< of a streamed response of an async session
    owned driver;                         ///< LoopDriver of an async session
    owned headers;
    owned content;
    owned cookies;
    owned history;
    owned request;
    owned encoding;
    base::birthplace born;
    bool streamed = false;
    bool begun = false;     ///< a piece of the body was handed out: the whole is not to be had any more
    bool consumed = false;  ///< read to its end, or closed

    response() = default;
    response(const response&) = delete;
    response& operator=(const response&) = delete;
    ~response();

    /// Streamed, and still under way in the process that this one was forked from: only its head can be looked at.
    bool is_elsewhere() const noexcept { return born.is_elsewhere() && call && !call->is_done(); }
    /// Gives the connection back. Idempotent.
    void close();
    /// Lets go of the sync session when nothing more can come from it, so that it ends with its last user.
    void let_go();
    /// A streamed body is read as it came from now on; false when it is too late for that.
    bool keep_encoded();
};

/// Raises why the call failed; the exception says whether the response had begun (`head_arrived`). Returns null.
PyObject* raise_failure_of(client::call& failed, const error& failure);

/// A new pabal.Response around a call that has its head. Null with an exception set. One that is streamed keeps `session`
/// alive, so that a session made for one request need not be named.
PyObject* make_response(client::call_ptr call, PyObject* session, std::shared_ptr<sync_core> sync, PyObject* driver);

void add_response_type(nb::module_& module);

}  // namespace pabal::python
