#pragma once
/// \file
/// `pabal._engine.Headers`: a MutableMapping over `pabal::fields`.

#include <cstdint>

#include <pabal/fields.hpp>

#include "support.hpp"

namespace pabal::python {

struct headers {
    fields lines;
    std::uint64_t version = 0;  ///< changes with every change, so that a session knows when to look again
};

/// A new Headers object around `lines`.
PyObject* make_headers(fields lines);

/// Adds what a caller gave (Headers, mapping, iterable of pairs; str, bytes) to `out`. False: exception set
/// (`InvalidHeader` for what HTTP forbids, TypeError for other things than text).
bool append_headers(fields& out, PyObject* given);
/// Header text: str is sent as Latin-1, bytes as they are. Empty view with an exception set on failure; `keep` owns it.
bool header_text(PyObject* value, std::string_view what, owned& keep, std::string_view& out);

void add_headers_type(nb::module_& module);

}  // namespace pabal::python
