#pragma once
/// \file
/// `_engine.ContentEncoder`: the content codings of request bodies, for `pabal._upload`.

#include "support.hpp"

namespace pabal::python {

void add_encoder_type(nb::module_& module);

}  // namespace pabal::python
