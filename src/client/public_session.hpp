#pragma once
/// \file
/// What the two public C++ clients share: an engine with a session, and the way from a request to a call and back.

#include <memory>

#include <pabal/session.hpp>

#include "client/engine.hpp"
#include "client/session.hpp"

namespace pabal::client {

/// An engine and its session; `failure` when the system refused it, told by every request then.
struct client_core {
    explicit client_core(const session_options& options);
    /// Saves what outlives the session; where it cannot, it is lost without a word, as `session_options` says.
    void save() const;

    std::unique_ptr<engine> machinery;
    std::unique_ptr<session> policies;
    std::optional<error> failure;
};

/// The call that `asked` of `asking` stands for.
result<call_request> to_call(request asked, const session& asking);
/// What a finished call brought.
result<response> to_response(call& finished);

}  // namespace pabal::client
