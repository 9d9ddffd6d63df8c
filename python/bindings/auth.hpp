#pragma once
/// \file
/// `pabal.DigestAuth`, credentials by place, and which entry of a mapping by place is for a URL.

#include <string>

#include <pabal/auth.hpp>

#include "support.hpp"

namespace pabal::python {

/// The Python object: credentials that the engine applies.
struct engine_auth {
    credentials_ptr held;
    owned username, password;  ///< as given
};

/// The credentials if `object` is a DigestAuth or a PlacedAuth, else null.
credentials_ptr credentials_of(PyObject* object);

void add_auth_types(nb::module_& module);

}  // namespace pabal::python
