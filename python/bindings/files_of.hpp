#pragma once
/// \file
/// `pabal._engine.FilesOf`: whether a folder has one of a few files, for who asks before every request and hardly ever
/// hears yes. As long as the folder has not changed, one look at it (stat) is the answer.
///
///     look: no such name in the folder ──▶ settled when the folder's last change is old enough
///     settled: the folder is as it was ──▶ no; else look again
///
/// A change moves the folder's times of change. They are taken from a clock that ticks, so that a change right after a look
/// might not move them: only a look that comes clearly later than the last change settles anything. Only file systems whose
/// times of change are this machine's own count; elsewhere, and where a name is there but leads nowhere (a symbolic link
/// whose target may yet appear), every question is a look.

#include "support.hpp"

namespace pabal::python {

void add_files_of(nb::module_& module);

}  // namespace pabal::python
