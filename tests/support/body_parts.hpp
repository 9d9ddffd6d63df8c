#pragma once
/// \file
/// A body that a test gives in parts: what its source answers each time it is read.

#include <deque>
#include <optional>
#include <span>
#include <string>

#include <pabal/handler.hpp>

namespace pabal::testing {

using body_parts = std::deque<std::optional<std::string>>;  ///< nullopt: would_block

/// Reads as much of the next part as there is room for, and takes it away. After the last one: `failure`, or the end.
inline result<read_outcome> read_parts(body_parts& parts, std::span<char> buffer,
                                       const std::optional<error>& failure = std::nullopt) {
    if (parts.empty()) {
        if (failure) return *failure;
        return read_outcome{read_outcome::kind::end, 0};
    }
    auto& next = parts.front();
    if (!next) return parts.pop_front(), read_outcome{};
    const std::size_t size = next->copy(buffer.data(), buffer.size());
    next->erase(0, size);
    if (next->empty()) parts.pop_front();
    return read_outcome{read_outcome::kind::data, size};
}

}  // namespace pabal::testing
