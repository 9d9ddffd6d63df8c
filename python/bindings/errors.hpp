#pragma once
/// \file
/// From `pabal::error` to the Python exception tree. The table itself is `pabal.exceptions.BY_CODE`.

#include <pabal/error.hpp>
#include <pabal/result.hpp>

#include "support.hpp"

namespace pabal::python {

/// A new exception instance (not raised); null with another exception set if even that fails.
PyObject* make_exception(const error& failure, std::string_view method = {}, std::string_view url = {});

/// Raises it; returns null, so that `return raise(...)` reads well in CPython slots.
PyObject* raise(const error& failure, std::string_view method = {}, std::string_view url = {});

/// For nanobind functions: throws.
[[noreturn]] void throw_error(const error& failure);

/// What is said of a "response" or "request" that a forked child inherited under way.
error belongs_elsewhere(std::string_view what);

}  // namespace pabal::python
