#pragma once
/// \file
/// What `resolver=` means.

#include <memory>

#include <pabal/safe_resolver.hpp>

#include "support.hpp"

namespace pabal::python {

/// A pabal.SafeResolver, or None (null). Throws.
std::shared_ptr<const safe_resolver> resolver_of(nb::handle given);

void add_resolvers(nb::module_& module);

}  // namespace pabal::python
