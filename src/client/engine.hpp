#pragma once
/// \file
/// The machinery under sessions: one reactor, one dialer, one pool. Belongs to one thread at a time (see drivers).

#include <array>
#include <memory>
#include <vector>

#include <pabal/options.hpp>

#include "connection/client_connection.hpp"
#include "dial/dialer.hpp"
#include "pool/pool.hpp"
#include "reactor/reactor.hpp"

namespace pabal::client {

class engine {
public:
    /// With the system's poller and network. Fails when the system refuses descriptors.
    static result<std::unique_ptr<engine>> make(const session_limits& limits);
    /// With given parts: how simulations run the same engine over a fake clock and a fake network.
    engine(std::unique_ptr<reactor::poller> poller, std::unique_ptr<dial::dialer> dialer, const session_limits& limits);
    ~engine();

    reactor::reactor& reactor() noexcept { return reactor_; }
    pool::pool& pool() noexcept { return *pool_; }

private:
    engine(std::unique_ptr<reactor::poller> poller, const session_limits& limits);

    static constexpr std::size_t scratch_size = 64 * 1024;
    reactor::reactor reactor_;
    std::vector<char> scratch_ = std::vector<char>(scratch_size);
    connection::environment environment_{reactor_, scratch_};
    std::unique_ptr<dial::dialer> dialer_;
    std::unique_ptr<pool::pool> pool_;
};

}  // namespace pabal::client
