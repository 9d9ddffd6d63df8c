#pragma once
/// \file
/// A coroutine that a request goes on with after its response is there: a task of the asyncio loop, whose outcome becomes the
/// request's. Used for `exchange(finish=…)`.

#include "support.hpp"

namespace pabal::python {

class pending;

class continuation {
public:
    explicit operator bool() const noexcept { return bool(task_); }

    /// Runs the coroutine on the loop of `owner`, whose `complete` is called when it is done; an exception is set if it cannot.
    void start(pending& owner, PyObject* coroutine);
    /// The outcome of the task: a new reference, or null with the exception set.
    PyObject* take();
    /// Cancels the task, if there is one. Leaves an exception that is set alone.
    void cancel() noexcept;

private:
    owned task_;
};

}  // namespace pabal::python
