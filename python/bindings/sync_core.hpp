#pragma once
/// \file
/// The engine of a sync session, shared by the session and its streamed responses.
///
/// The lock is taken only with the GIL released, and never kept while the GIL is asked for: two locks, one order.

#include <memory>

#include "client/engine.hpp"
#include "client/session.hpp"
#include "client/sync_driver.hpp"
#include "support.hpp"

namespace pabal::python {

struct sync_core {
    sync_core(std::unique_ptr<client::engine> made, const session_limits& limits)
        : engine(std::move(made)), session(*engine, limits), driver(*engine) {}

    std::unique_ptr<client::engine> engine;
    client::session session;
    client::sync_driver driver;
    bool closed = false;
};

/// True when a Python signal handler raised: asked by waiting threads, takes the GIL for it.
bool python_wants_attention();

}  // namespace pabal::python
