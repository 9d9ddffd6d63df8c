#pragma once
/// \file
/// The engine of a sync session, shared by the session and its streamed responses.
///
/// The lock is taken only with the GIL released, and never kept while the GIL is asked for: two locks, one order.

#include <memory>

#include "base/fork.hpp"
#include "client/engine.hpp"
#include "client/session.hpp"
#include "client/sync_driver.hpp"
#include "support.hpp"

namespace pabal::python {

/// Belongs to one process (`born`): a forked child leaves it alone, and whoever holds it there lets go without a word.
struct sync_core {
    static std::shared_ptr<sync_core> make(std::unique_ptr<client::engine> made, const session_limits& limits) {
        return {new sync_core(std::move(made), limits), [](sync_core* last) {
                    if (!last->born.is_elsewhere()) delete last;
                }};
    }
    sync_core(std::unique_ptr<client::engine> made, const session_limits& limits)
        : engine(std::move(made)), session(*engine, limits), driver(*engine) {}

    std::unique_ptr<client::engine> engine;
    client::session session;
    client::sync_driver driver;
    bool closed = false;
    base::birthplace born;
};

/// True when a Python signal handler raised: asked by waiting threads, takes the GIL for it.
bool python_wants_attention();

}  // namespace pabal::python
