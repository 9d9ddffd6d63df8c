#pragma once
/// \file
/// What holds for a client's exchange whatever the HTTP version that carries it.

#include <chrono>

#include <pabal/error.hpp>
#include <pabal/message.hpp>

#include "connection/client_connection.hpp"

namespace pabal::connection {

/// Whether the body waits for 100 (Continue).
bool asks_for_continue(const request_head& head) noexcept;

/// The peer was silent for `limit`: it owed a response (`reading`), or did not take the request.
error inactivity(bool reading, std::chrono::milliseconds limit);

/// What an exchange is told whose connection is closed by us, for `reason`.
error closed_by_us(close_reason reason);

}  // namespace pabal::connection
