#pragma once
/// \file
/// `pabal::trace` and failures of calls, for Python: as plain tuples, of which `pabal.trace.Trace` is made when somebody
/// looks; and the event log, which is told of calls only while somebody listens.

#include "client/call.hpp"
#include "support.hpp"

namespace pabal::python {

/// `(wall clock of the beginning, [exchange, ...])` as `pabal.trace` takes it apart. Null with an exception set.
PyObject* trace_parts(const trace& of);

/// The exception for a call that failed, with its trace. Null with another exception set if even that fails.
PyObject* make_failure(client::call& failed, const error& failure);

/// A call is over, or its head is here: says so in the log if somebody listens. Leaves the exception state as it is.
void log_call(client::call& told);

}  // namespace pabal::python
