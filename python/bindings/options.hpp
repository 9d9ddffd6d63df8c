#pragma once
/// \file
/// Values of options, checked. Whatever is wrong is a TypeError or ValueError that names the option and says what would do;
/// the functions return false then.

#include <string>
#include <string_view>

#include <pabal/error.hpp>

#include "support.hpp"

namespace pabal::python {

/// Whether an option was given a value: None is as good as nothing.
inline bool given(PyObject* value) noexcept { return value && value != Py_None; }
/// True or False, and nothing that merely counts as one: "no" would be true.
bool read_flag(PyObject* value, const char* name, bool& out);
/// A whole number within bounds; True and False are none.
bool read_count(PyObject* value, const char* name, long long least, long long most, long long& out);
/// How many redirects a call follows.
bool read_max_redirects(PyObject* value, int& out);
/// Text as UTF-8, which lives as long as `value`. A lone surrogate has none: that is a failure with `code`.
bool read_utf8(PyObject* value, const char* name, std::string_view& out,
               error_code code = error_code::invalid_argument);
/// A path: str, bytes or os.PathLike, not empty, without NUL. `wanted` is what the message says would do.
bool read_path(PyObject* value, const char* name, const char* wanted, std::string& out);

}  // namespace pabal::python
