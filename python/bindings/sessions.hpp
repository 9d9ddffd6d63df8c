#pragma once
/// \file
/// `pabal._engine.Session` and `AsyncSession`.

#include "support.hpp"

namespace pabal::python {

void add_sync_session(nb::module_& module);
void add_async_session(nb::module_& module);

}  // namespace pabal::python
