#pragma once
/// \file
/// Reading the body of a streamed response, waiting with `await` or by blocking. One reader at a time.

#include "loop_driver.hpp"
#include "pending.hpp"
#include "response.hpp"

namespace pabal::python {

/// How much one read wants: a positive number of bytes (less only at the end), or one of these.
inline constexpr Py_ssize_t whatever_arrives = 0;
inline constexpr Py_ssize_t everything = -1;

/// Collects one read's bytes from a call, across as many attempts as it takes.
class reading {
public:
    explicit reading(Py_ssize_t size) noexcept : size_(size) {}

    /// Tries without waiting. True: finished (`result` or `failure`). Needs no GIL once `prepare` was called.
    bool attempt(client::call& from);
    /// Makes room; with the GIL. False: MemoryError set.
    bool prepare();
    /// With the GIL: the bytes (of `everything`: kept in the call's body), or null with the exception set.
    PyObject* take(client::call& from);
    bool found_end() const noexcept { return ended_; }

private:
    std::span<char> room(client::call& from);

    Py_ssize_t size_;
    owned bytes_;
    std::size_t filled_ = 0;
    bool ended_ = false;
    std::optional<error> failure_;
};

/// Told by the call of an async streamed response when more can be read.
class body_stream final : public client::call_observer {
public:
    explicit body_stream(loop_driver& driver) noexcept : driver_(driver) {}

    void on_call_readable(client::call& from) override { look(from); }
    void on_call_done(client::call& from) override { look(from); }

    loop_driver& driver() noexcept { return driver_; }
    void wait(pending* waiting, reading* by) noexcept { waiting_ = waiting, reading_ = by; }
    bool is_waited_for() const noexcept { return waiting_ != nullptr; }

private:
    void look(client::call& from);

    loop_driver& driver_;
    pending* waiting_ = nullptr;
    reading* reading_ = nullptr;
};

/// An awaitable of bytes. With `iterates`, the end is StopAsyncIteration instead of b"".
PyObject* read_async(PyObject* response_object, Py_ssize_t size, bool iterates);
/// Blocks, with the GIL released.
PyObject* read_blocking(response& from, Py_ssize_t size);
/// An async iterator of pieces of `size` bytes, or of what arrives.
PyObject* iterate_async(PyObject* response_object, Py_ssize_t size);

bool add_body_iterator_type(PyObject* module);

}  // namespace pabal::python
