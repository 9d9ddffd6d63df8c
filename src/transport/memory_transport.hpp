#pragma once
/// \file
/// A connected pair of transports without an operating system, for tests and simulations: bytes written to one end are
/// read from the other, after a delay, in fragments, and up to the point where the wire is cut, as the test wishes.
///
/// Notifications come from the reactor (at the end of the turn, or by a timer when there is latency), never from inside
/// the other end's write: as with sockets.

#include <cstdint>
#include <limits>
#include <memory>

#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::transport {

/// How one direction of the pair behaves. The defaults are a fast, wide, reliable wire.
struct memory_wire {
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    enum class fault : std::uint8_t {
        none,
        finish,  ///< the reader sees the end of the stream; what is written later is lost
        reset,   ///< both ends fail with connection_reset once they have read what had arrived
    };

    std::size_t capacity = 64 * 1024;       ///< bytes under way and unread before a write would block
    std::size_t max_per_write = unlimited;  ///< the most one write takes
    std::size_t max_per_read = unlimited;   ///< the most one read gives
    std::uint64_t fragment_seed = 0;        ///< not 0: reads and writes move random amounts, and sometimes would block
    reactor::duration latency{0};           ///< from being written to being readable
    std::uint64_t fault_after = 0;          ///< bytes carried before `then` happens …
    fault then = fault::none;               ///< … (none: never)
};

struct memory_pair {
    transport_ptr first;
    transport_ptr second;
};

/// The ends may be destroyed in any order. Destroying one is a FIN to the other, whose writes fail from then on.
memory_pair make_memory_pair(reactor::reactor& reactor, const memory_wire& first_to_second = {},
                             const memory_wire& second_to_first = {});

}  // namespace pabal::transport
