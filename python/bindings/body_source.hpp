#pragma once
/// \file
/// A streamed request body that Python produces (`pabal._body.Body` and `AsyncBody`): one piece at a time is held here,
/// between the Python code that makes it and the engine that sends it.

#include <optional>
#include <string>

#include <pabal/handler.hpp>

#include "support.hpp"

namespace pabal::python {

class body_source {
public:
    body_source(PyObject* body, bool is_async) : body_(owned::borrow(body)), is_async_(is_async) {}

    /// For the engine; no GIL needed. `would_block` means: `wanted()` is now true.
    result<read_outcome> read(std::span<char> buffer);
    bool wanted() const noexcept { return wanted_; }

    /// With the GIL: asks Python for the next piece (sync bodies). Failures are kept; the engine hears of them by `read`.
    void produce();
    /// With the GIL: an async body's piece has arrived (None: it failed with `exception`).
    void deliver(PyObject* piece, PyObject* exception);
    /// Puts it back to the beginning; takes the GIL.
    bool rewind();

    /// What the body said is to be sent after it; null: nothing, or it has not ended yet.
    const fields* trailers() const noexcept { return trailers_.empty() ? nullptr : &trailers_; }

    bool is_async() const noexcept { return is_async_; }
    PyObject* body() const noexcept { return body_.get(); }
    /// The exception that the body raised, if that is why the request failed. New reference or null.
    PyObject* take_exception() { return exception_.release(); }

private:
    bool take_trailers();
    void fail_with_current_exception();

    owned body_;
    bool is_async_;
    bool wanted_ = false;
    bool ended_ = false;
    std::string piece_;
    std::size_t used_ = 0;
    fields trailers_;
    owned exception_;
    bool failed_ = false;
};

/// Pairs of names and values that may be sent after a body (RFC 9110 section 6.5.1). False: an exception is set.
bool read_trailers(PyObject* lines, fields& out);

}  // namespace pabal::python
