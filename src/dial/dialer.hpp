#pragma once
/// \file
/// From an origin to a ready connection: resolve, race addresses (Happy Eyeballs v2, RFC 8305), tunnel through a proxy, TLS
/// with ALPN.
///
/// `dialer` is an interface so that the pool can be driven over a simulated network; `network_dialer` is the real one.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <pabal/proxy.hpp>
#include <pabal/result.hpp>
#include <pabal/safe_resolver.hpp>

#include "connection/http3_link.hpp"
#include "dial/address.hpp"
#include "dial/alternative_cache.hpp"
#include "protocol/quic/conduct.hpp"
#include "transport/tls_context.hpp"
#include "transport/transport.hpp"

namespace pabal::dial {

/// Everything that makes two connections different. Two targets that compare equal may share a connection.
struct target {
    /// As in the URL: a name in A-label form, or an IP literal without brackets. Empty, with a proxy: the proxy itself is the
    /// peer, and forwards requests for many origins.
    std::string host;
    std::uint16_t port = 0;
    std::string unix_path;                              ///< not empty: connect there instead of to host:port
    std::shared_ptr<const transport::tls_context> tls;  ///< null: plain
    bool only_http2 = false;                            ///< and no other version, whatever TLS agrees on
    bool over_quic = false;                             ///< HTTP/3: needs `tls`, and goes through no proxy
    /// HTTP/3 may be used where it is to be had: at `http3_at`, if that is known (RFC 7838), or where the origin's HTTPS records
    /// say (RFC 9460). Raced with the origin itself, and told how it went. Needs `tls`; goes through no proxy.
    std::shared_ptr<alternative_cache> alternatives;
    std::optional<alternative> http3_at;
    /// Of a dial that goes to such a place because its origin said so (RFC 7838): the place, as requests name it. Not compared.
    std::string used_alternative;
    /// ECHConfigList for the ClientHello; empty: in the clear. nullopt: where `tls` wants it encrypted, the origin's HTTPS records
    /// are asked for it.
    std::optional<std::string> encrypted_hello_keys;
    std::string server_name;                                  ///< SNI and the name to verify; empty: `host`
    std::shared_ptr<const pabal::proxy> proxy;                ///< null: direct
    std::shared_ptr<const transport::tls_context> proxy_tls;  ///< for a proxy that speaks TLS
    std::shared_ptr<const safe_resolver> guard;               ///< judges the addresses of `host`; null: nobody does
    quic::conduct conduct;                                    ///< of a connection over QUIC
    std::optional<address>
        from;  ///< leave from this address, to addresses of its family only; unspecified: any of them

    /// Proxies are compared by what they are, with credentials and headers.
    bool operator==(const target& other) const;
    /// "example.com:443", "[::1]:443", the Unix path, or the proxy that forwards: for messages.
    std::string text() const;
};

/// Limits of each phase; zero means no limit.
struct dial_limits {
    std::chrono::milliseconds resolve{0};
    std::chrono::milliseconds connect{0};  ///< reaching an address; and again, making a tunnel through a proxy
    std::chrono::milliseconds tls{0};

    bool operator==(const dial_limits&) const = default;
};

/// How long each phase took, for traces.
struct dial_timings {
    std::chrono::nanoseconds resolve{0};
    std::chrono::nanoseconds connect{0};
    std::chrono::nanoseconds proxy{0};  ///< the tunnel through it
    std::chrono::nanoseconds tls{0};
};

class dial_observer {
public:
    /// Whether a connection is open already that may serve the target as well (RFC 9113 section 9.1.1): asked of the addresses that
    /// were found, which may be connected to, also from inside `dial`. True: the dial ends with `on_reached`.
    virtual bool is_reached(const address& peer, bool over_quic) {
        (void)peer, (void)over_quic;
        return false;
    }
    /// Exactly one of these is called, exactly once, never from inside `dial`. The attempt may be destroyed in it.
    virtual void on_dialed(transport::transport_ptr connected, const dial_timings& timings) = 0;
    /// Instead of `on_dialed`, of a target over QUIC or with `alternatives`. The handshake is part of it.
    virtual void on_linked(std::unique_ptr<connection::http3_link>, const dial_timings&) {}
    /// Instead of `on_dialed`, once `is_reached` has said so.
    virtual void on_reached() {}
    virtual void on_dial_failed(pabal::error failure) = 0;
    /// Before `on_dial_failed`, of a target with `encrypted_hello_keys`: the peer does not read what was encrypted with them, and says
    /// what to encrypt with; empty: not at all (RFC 9849 section 6.1.6).
    virtual void on_hello_rejected(std::string keys) { (void)keys; }

protected:
    ~dial_observer() = default;
};

/// A dial under way; destroying it abandons it at once and leaves nothing behind.
class attempt {
public:
    virtual ~attempt() = default;
};

class dialer {
public:
    virtual ~dialer() = default;
    virtual std::unique_ptr<attempt> dial(const target& to, const dial_limits& limits, dial_observer& observer) = 0;
};

}  // namespace pabal::dial
