#pragma once
/// \file
/// `pabal._engine.Watch`: a conclusion about classes and dicts that holds until one of them changes. Asking whether one
/// did costs a comparison for each: CPython counts the changes of classes, and counts (3.11 and older) or reports (3.12
/// and newer) those of dicts. A watch may be kept in one of the dicts it watches, its bearer, without keeping it alive.

#include "support.hpp"

namespace pabal::python {

void add_watch(nb::module_& module);

}  // namespace pabal::python
