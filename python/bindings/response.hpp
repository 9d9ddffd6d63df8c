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
    std::shared_ptr<sync_core> sync;      ///< of a sync session
    std::unique_ptr<body_stream> stream;  ///< of a streamed response of an async session
    owned driver;                         ///< LoopDriver of an async session
    owned headers;
    owned content;
    owned cookies;
    owned history;
    owned request;
    owned encoding;
    bool streamed = false;
    bool consumed = false;  ///< reading has begun

    response() = default;
    response(const response&) = delete;
    response& operator=(const response&) = delete;
    ~response();

    /// Gives the connection back. Idempotent.
    void close();
    /// A streamed body is read as it came from now on; false when it is too late for that.
    bool keep_encoded();
};

/// Raises why the call failed; the exception says whether the response had begun (`head_arrived`). Returns null.
PyObject* raise_failure_of(client::call& failed, const error& failure);

/// A new pabal.Response around a call that has its head. Null with an exception set.
PyObject* make_response(client::call_ptr call, std::shared_ptr<sync_core> sync, PyObject* driver);

void add_response_type(nb::module_& module);

}  // namespace pabal::python
