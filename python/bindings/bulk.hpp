#pragma once
/// \file
/// `pabal._engine.Bulk`: many calls of one session at once, for `pabal.gather` and `AsyncSession.map`.
///
/// The calls are started one by one and collected in batches: whoever waits is woken once for everything that was done in a
/// turn, and there is no future, task, thread or Python callback for each of them. How many run, in which order results
/// are handed out and where requests come from is Python's affair (pabal/bulk.py).
///
///   start(outcome, method, url, options) ──▶ running ──▶ done ──▶ wait() ──▶ [outcome, …], each with response or error set
///                                              │  ▲
///                            body wants a piece ▼  │ Python made one
///                                             hungry

#include <memory>

#include "session_defaults.hpp"
#include "support.hpp"
#include "sync_core.hpp"

namespace pabal::python {

class loop_driver;

/// For a sync session. Null with an exception set.
PyObject* make_bulk(PyObject* session, session_defaults& defaults, std::shared_ptr<sync_core> core);
/// For an async session, bound to the driver of the loop that runs now.
PyObject* make_bulk(PyObject* session, session_defaults& defaults, loop_driver& driver);

void add_bulk_type(nb::module_& module);

}  // namespace pabal::python
