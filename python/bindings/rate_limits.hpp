#pragma once
/// \file
/// `pabal.TokenBucket`, `pabal.LeakyBucket`, and what `rate_limit=` means.

#include <memory>

#include "client/rate_limit.hpp"
#include "support.hpp"

namespace pabal::python {

/// A limiter, a mapping of places to limiters, or None (null). Throws.
std::shared_ptr<const client::rate_limits> rate_limits_of(nb::handle given);

void add_rate_limit_types(nb::module_& module);

}  // namespace pabal::python
