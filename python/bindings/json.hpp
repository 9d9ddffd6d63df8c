#pragma once
/// \file
/// JSON to Python objects by simdjson; what simdjson refuses goes to Python's own json module, whose verdict counts.

#include "base/byte_buffer.hpp"
#include "support.hpp"

namespace pabal::python {

/// The value in `document` (UTF-8). New reference, or null with `pabal.exceptions.JSONDecodeError` set.
PyObject* parse_json(const base::byte_buffer& document);

/// The same for plain UTF-8 JSON only; null without an exception for anything else, null with one when memory ran out.
PyObject* parse_plain_json(const base::byte_buffer& document);

/// Turns a json.JSONDecodeError that is set into pabal's, which is one too but also says whose fault it is.
void translate_json_error();

}  // namespace pabal::python
