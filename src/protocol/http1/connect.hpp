#pragma once
/// \file
/// Asking an HTTP proxy for a tunnel: the CONNECT method, RFC 9110 section 9.3.6. No input or output:
///
///     start(out) ──▶ send out ──▶ receive(input) … ──▶ is_established()
///                                    │ anything but 2xx, or no HTTP
///                                    ▼
///                                  an error (phase::proxy, culprit::proxy): close the connection
///
/// A refusal carries the proxy's status (`error::status`): 407 is `proxy_auth_required`, others `proxy_refused`. What the
/// proxy says beyond its head is not read: it is not the origin's (RFC 9110 section 9.3.6), and whoever sits between must
/// not be able to show it as such.

#include <cstddef>
#include <string>
#include <string_view>

#include <pabal/fields.hpp>
#include <pabal/result.hpp>

#include "protocol/http1/machine.hpp"

namespace pabal::http1 {

class connect_machine {
public:
    /// `authority`: "host:port" of the origin, IPv6 in brackets. `proxy_name` is for messages.
    connect_machine(std::string authority, std::string proxy_name)
        : authority_(std::move(authority)), proxy_name_(std::move(proxy_name)) {}

    /// Appends the request. `headers`: what the proxy is told besides Host. Fails when they cannot be sent (the caller's).
    result<void> start(const fields& headers, std::string& out);
    /// What the proxy sent and was not used up before; returns how much of it is used up now. What follows the head of a
    /// 2xx is the tunnel's.
    result<std::size_t> receive(std::string_view input);
    bool is_established() const noexcept { return established_; }

private:
    error refusal(int status) const;

    std::string authority_;
    std::string proxy_name_;
    machine machine_{role::client};
    bool established_ = false;
};

}  // namespace pabal::http1
