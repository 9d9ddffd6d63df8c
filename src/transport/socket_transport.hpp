#pragma once
/// \file
/// TCP and Unix stream sockets: a transport over a connected one, and the act of connecting.
///
/// Readiness is remembered: no system call is made in a direction that is known to be exhausted, and a read that does not
/// fill its buffer has, on TCP, exhausted it (unless the peer's end was announced, which must then be read too).

#include <memory>
#include <string>

#include <sys/socket.h>

#include "reactor/reactor.hpp"
#include "transport/socket_address.hpp"
#include "transport/transport.hpp"

namespace pabal::transport {

/// Takes over a connected stream socket: makes it non-blocking and, for TCP, without delay. Never fails; if the socket is
/// unusable, so is the transport, and its first read or write says why.
std::unique_ptr<transport> make_socket_transport(reactor::reactor& reactor, int connected_descriptor,
                                                 std::string peer_address);

class connect_observer {
public:
    /// Exactly one of the two is called, exactly once, never from inside `start_connect`. The attempt may be destroyed in
    /// it. The descriptor is the observer's.
    virtual void on_connected(int descriptor) = 0;
    virtual void on_connect_failed(error failure) = 0;

protected:
    ~connect_observer() = default;
};

/// A connection attempt under way. Destroying it abandons it: the socket is closed and nobody is told.
class connecting_socket {
public:
    virtual ~connecting_socket() = default;
};

/// Begins to connect to `address` (AF_INET, AF_INET6 or AF_UNIX), `from` an address of this machine and of the same family
/// (null: whichever the system chooses). An error means that it failed at once. Without a limit of time of its own: destroy
/// it when time is up.
result<std::unique_ptr<connecting_socket>> start_connect(reactor::reactor& reactor, const sockaddr* address,
                                                         socklen_t address_size, connect_observer& observer,
                                                         const socket_address* from = nullptr);

}  // namespace pabal::transport
