#pragma once
/// \file
/// pabal.Quic, as the engine takes it.

#include <pabal/quic.hpp>

#include "support.hpp"

namespace pabal::python {

/// What `value`, a pabal.Quic or None, says. Throws a TypeError for anything else.
quic_options quic_options_of(nb::handle value);

}  // namespace pabal::python
