#pragma once
/// \file
/// `pabal._engine.DemoServer`: the embedded price server of `pabal demo`.

#include "support.hpp"

namespace pabal::python {

void add_demo_server(nb::module_& module);

}  // namespace pabal::python
