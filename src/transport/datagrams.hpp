#pragma once
/// \file
/// Many datagrams with one system call, in either direction, on a UDP socket: what a connected socket and one that serves many
/// peers have in common.
///
/// Where the kernel can, a run of datagrams of one size crosses the boundary as one piece (UDP_SEGMENT, UDP_GRO); elsewhere
/// they go one by one (sending) or several at once (recvmmsg).

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include <pabal/result.hpp>

#include "transport/socket_address.hpp"
#include "transport/transport.hpp"

namespace pabal::transport {

/// The ECN field of IP (RFC 3168): 0 not capable, 1 and 2 capable, 3 congestion was met.
using ecn_mark = std::uint8_t;

/// Datagrams of one `send`; no kernel takes more as one piece.
inline constexpr std::size_t max_segments = 64;
inline constexpr std::size_t max_piece = 65'000;

/// One that arrived. The views die with the call that gives it.
struct datagram_arrival {
    std::string_view bytes;
    ecn_mark mark = 0;
    const socket_address* from = nullptr;
    const socket_address* to = nullptr;  ///< of this machine, without a port; null where the socket does not tell
};

/// Where a datagram goes, and from which address of this machine. Null: of a connected socket; or the system chooses.
struct datagram_route {
    const socket_address* to = nullptr;
    const socket_address* from = nullptr;
};

class datagram_socket {
public:
    /// Sets the socket up for it. None of that is needed to work; a system that lacks something does without. `tells_address`:
    /// arrivals say to which address of this machine they came.
    datagram_socket(int descriptor, int family, bool tells_address) noexcept;

    using taker = std::function<void(const datagram_arrival&)>;
    /// Gives what is there to `take`, up to a bound: `moved` when there may be more, `would_block` when not. An error is errno, of
    /// something sent earlier (ICMP): the socket can be used on.
    struct received {
        io_outcome outcome;
        int system_errno = 0;
    };
    received receive(const taker& take) const;

    /// Sends `bytes` as datagrams of `segment` bytes each, of which the last may be shorter: at most max_segments of them and
    /// max_piece bytes. How many bytes were taken, whole datagrams. A datagram that is too large for the path counts as sent, and is
    /// lost.
    received send(std::string_view bytes, std::size_t segment, ecn_mark mark, const datagram_route& route = {});

private:
    received send_as_one(std::string_view bytes, std::size_t segment, ecn_mark mark, const datagram_route& route);
    received send_several(std::string_view bytes, std::size_t segment, ecn_mark mark,
                          const datagram_route& route) const;

    int descriptor_;
    int family_;
    bool segments_ = false;  ///< the kernel cuts one piece into datagrams
};

}  // namespace pabal::transport
