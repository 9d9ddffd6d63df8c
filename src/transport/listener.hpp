#pragma once
/// \file
/// A listening TCP or Unix socket that turns arriving connections into transports.
///
/// When the process runs out of descriptors, the listener rests for a moment instead of spinning; waiting connections
/// stay in the system's queue. `pause` leaves them there for as long as the owner wishes.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "reactor/reactor.hpp"
#include "transport/socket_address.hpp"
#include "transport/transport.hpp"

namespace pabal::transport {

class accept_observer {
public:
    /// A peer connected. May pause or destroy the listener.
    virtual void on_accepted(transport_ptr accepted) = 0;

protected:
    ~accept_observer() = default;
};

struct listen_options {
    int backlog = 4096;       ///< the system's own maximum (somaxconn) applies as well
    bool reuse_port = false;  ///< share the port with other listeners, each with a queue of its own (SO_REUSEPORT)
};

class listener final : private reactor::io_watcher, private reactor::deferred {
public:
    /// `host` is an IP literal, "localhost" or empty (every address); port 0 chooses a free one.
    static result<std::unique_ptr<listener>> tcp(reactor::reactor& reactor, std::string_view host, std::uint16_t port,
                                                 accept_observer& observer, const listen_options& options = {});
    /// Makes the socket file, replacing one that nobody listens on; removes it in the end. "@name" is abstract (Linux).
    static result<std::unique_ptr<listener>> unix_socket(reactor::reactor& reactor, std::string_view path,
                                                         accept_observer& observer, const listen_options& options = {});
    ~listener();

    void pause() noexcept { paused_ = true; }
    void resume();

    /// "127.0.0.1:8080" or the path.
    const std::string& address() const noexcept { return address_; }
    std::uint16_t port() const noexcept { return port_; }  ///< 0 for a Unix socket

private:
    listener(reactor::reactor& reactor, reactor::descriptor socket, accept_observer& observer)
        : reactor_(reactor), socket_(std::move(socket)), observer_(observer) {}
    static result<std::unique_ptr<listener>> listen_on(reactor::reactor& reactor, const socket_address& address,
                                                       accept_observer& observer, const listen_options& options);
    result<void> begin(const socket_address& address, const listen_options& options);

    void on_io(reactor::readiness now) override;
    void run_deferred() override { accept_waiting(); }
    void accept_waiting();
    void rest();

    reactor::reactor& reactor_;
    reactor::descriptor socket_;
    accept_observer& observer_;
    std::string address_;
    std::string file_;  ///< of a Unix socket, to be removed
    std::uint16_t port_ = 0;
    bool watched_ = false;
    bool paused_ = false;
    bool* destroyed_ = nullptr;  ///< where `accept_waiting` learns that its observer destroyed this
    reactor::member_timer<listener, &listener::accept_waiting> retry_{*this};
};

}  // namespace pabal::transport
