#pragma once
/// \file
/// The file in which what origins say of Alt-Svc outlives a session.

#include <memory>

#include <pabal/result.hpp>

#include "dial/alternative_file.hpp"
#include "support.hpp"

namespace pabal::python {

/// What `alternatives_file=` names, opened; null for None. Throws TypeError, ValueError, and the OSError of the system's refusal.
std::shared_ptr<dial::alternative_file> alternative_file_of(nb::handle given);

/// Its path as Python has it; None where there is no file.
nb::object path_of(const dial::alternative_file* file);

/// Logs what `client::session::save_alternatives` failed with; a session that closes raises nothing of it. With the GIL held.
void log_unsaved(const dial::alternative_file* file, const result<void>& saved);

}  // namespace pabal::python
