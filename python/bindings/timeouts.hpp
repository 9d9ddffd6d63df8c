#pragma once
/// \file
/// timeout=: seconds of Python to limits of the engine.

#include <chrono>

#include <pabal/options.hpp>

#include "support.hpp"

namespace pabal::python {

/// Positive seconds, at least a millisecond of them.
std::chrono::milliseconds from_seconds(double seconds);
/// What a pabal.Timeout says; false with an exception set.
bool parse_timeout_parts(PyObject* timeout, timeouts& out);
/// Whatever timeout= accepts; false with an exception set.
bool parse_timeout(PyObject* value, timeouts& out);

}  // namespace pabal::python
