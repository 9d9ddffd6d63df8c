#pragma once
/// \file
/// The demo application on 127.0.0.1, on a thread of its own, over TLS with a throw-away certificate or plain.

#include <cstdint>
#include <memory>
#include <string>

#include <pabal/server.hpp>

#include "server/demo_application.hpp"

namespace pabal::server_demo {

class demo_server {
public:
    /// `port` 0 chooses a free one.
    static result<std::unique_ptr<demo_server>> start(std::uint16_t port, bool tls, quic_options quic = {});

    std::uint16_t port() const noexcept { return server_->port(); }
    /// For localhost, 127.0.0.1 and ::1; empty when plain.
    const std::string& certificate_pem() const noexcept { return certificate_; }
    void stop() { server_->stop(); }

private:
    demo_application application_;
    std::string certificate_;
    std::unique_ptr<server> server_;
};

}  // namespace pabal::server_demo
