#pragma once
/// \file
/// `retries=` and `response.retries`: between `pabal.retry` and the engine's policy.

#include <memory>
#include <span>

#include <pabal/retry.hpp>

#include "client/retry.hpp"
#include "support.hpp"

namespace pabal::python {

/// What a `retries=` argument means, null for no retries. False: an exception is set. `kept` becomes the Retry, or None.
bool parse_retries(PyObject* value, std::shared_ptr<const retry_policy>& out, owned* kept = nullptr);

/// A list of pabal.retry.Attempt; null with an exception set.
PyObject* make_attempts(std::span<const client::retried> attempts);

}  // namespace pabal::python
