#pragma once
/// \file
/// Stackable, non-blocking, pull-based byte pipes: TCP and Unix sockets, TLS over any of them, memory pipes for tests.
///
/// A transport never calls back with data. Its owner reads and writes until told `would_block`, and is then told once, by
/// `transport_observer::on_transport_ready`, when trying again makes sense (edge semantics: after a notification the owner
/// must read or write until `would_block` before it may expect another). A transport that wraps another one is the inner
/// one's observer.
///
/// Threads: belongs to its reactor. Lifetime: destroying a transport closes it at once; no notification follows.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

namespace pabal::transport {

/// The outcome of one attempt to move bytes without waiting.
struct io_outcome {
    enum class kind : std::uint8_t { moved, would_block, end };
    kind what = kind::would_block;
    std::size_t size = 0;  ///< bytes moved; positive exactly when `what` is moved

    static io_outcome moved(std::size_t size) noexcept { return {kind::moved, size}; }
    static io_outcome would_block() noexcept { return {}; }
    /// The peer will send no more (FIN; for TLS: close_notify).
    static io_outcome end() noexcept { return {kind::end, 0}; }
};

/// Which directions may have become possible. Spurious notifications are allowed.
struct readiness {
    bool readable = false;
    bool writable = false;
};

class transport_observer {
public:
    virtual void on_transport_ready(readiness now) = 0;

protected:
    ~transport_observer() = default;
};

/// What is known of the peer and of the TLS session, for people and for the pool.
struct transport_description {
    std::string peer_address;  ///< "127.0.0.1:443", "[::1]:443", a Unix path, or "memory"
    std::string local_address;
    std::string application_protocol;  ///< ALPN result ("http/1.1", "h2") or empty
    std::string tls_version;           ///< "TLSv1.3" or empty for plain
    std::string cipher;                ///< IANA name or empty
    std::string peer_certificate;      ///< DER of the leaf or empty
    bool tls_session_resumed = false;
    bool encrypted_client_hello = false;  ///< RFC 9849
};

class transport {
public:
    virtual ~transport() = default;

    /// Who is told about readiness; null for nobody. Set before the first read or write.
    virtual void observe(transport_observer* observer) = 0;

    /// Receives up to `buffer.size()` bytes. Errors: connection_reset, connection_closed (TLS truncated: the peer closed
    /// without close_notify), tls_failed, …
    virtual result<io_outcome> read(std::span<char> buffer) = 0;

    /// Sends a prefix of the concatenation of `pieces` (at most 16 of them); returns how much was taken.
    virtual result<io_outcome> write(std::span<const std::string_view> pieces) = 0;

    /// No more will be written: FIN, or close_notify then FIN.
    virtual void shutdown_write() = 0;

    /// True when a read might return something already (buffered plaintext, or the socket was reported readable since the
    /// last would_block). Cheap. An idle pooled connection for which this is true is dead or out of step.
    virtual bool maybe_readable() const = 0;

    /// Readable is worth reporting from here on only when `size` bytes are there, or the end or a failure is; 1 at first. A
    /// hint, which may be ignored. Whoever gives it knows that as much will come, and takes it back when it does not. Bytes
    /// are counted where they arrive: a layer that holds incomplete records back holds at most `most_held_back`.
    virtual void set_low_water_mark(std::size_t /*size*/) {}
    /// One TLS record of the largest size (RFC 8446 section 5.2), and its header.
    static constexpr std::size_t most_held_back = 16384 + 256 + 5;

    virtual transport_description describe() const = 0;
};

using transport_ptr = std::unique_ptr<transport>;

}  // namespace pabal::transport
