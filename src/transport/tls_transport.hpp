#pragma once
/// \file
/// TLS 1.2 and 1.3 over any transport, in either role.
///
///     made ──▶ handshake() … handshake() ──▶ established ──▶ shutdown_write() ──▶ close_notify sent
///                    │ error                     │
///                    ▼                           ├─ close_notify received: read() says `end`
///                  failed                        └─ the pipe ended without it: read() says connection_closed (truncated)
///
/// read() and write() carry the handshake on when it is not done yet; a caller that wants to know when it is done (a dialer,
/// for its limit and its error) calls handshake() itself after each readiness.
///
/// Memory: ciphertext lives in buffers lent by the thread's stock (tls_buffer.hpp) and only while it waits; an idle
/// connection is BoringSSL's state alone, some 10 KB.
///
/// Contexts are shared with children that are forked, and BoringSSL has locks of its own in them: no fork happens while it
/// works (base/fork.hpp).
///
/// Errors: each certificate failure its own code (phase::tls); `tls_handshake_failed` for whatever else ends a handshake;
/// `tls_failed` for a broken record or an alert afterwards; `connection_closed` for truncation; the inner transport's own.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <pabal/result.hpp>

#include "transport/tls_buffer.hpp"
#include "transport/tls_context.hpp"
#include "transport/tls_session.hpp"
#include "transport/transport.hpp"

struct bio_st;
struct bio_method_st;

namespace pabal::transport {

class tls_transport final : public transport, private transport_observer {
public:
    static result<std::unique_ptr<tls_transport>> connect(transport_ptr inner, tls_context_ptr context, tls_peer peer);
    static result<std::unique_ptr<tls_transport>> accept(transport_ptr inner, tls_context_ptr context);
    ~tls_transport() override;

    /// Takes the handshake as far as it goes now: `moved` (of size 1) when it is complete, `would_block` when the peer is
    /// awaited. Errors are final and repeated by every later call.
    result<io_outcome> handshake();
    bool is_established() const noexcept { return established_; }
    /// As `retry_keys_of` (tls_session.hpp).
    std::optional<std::string> keys_to_retry_with() const;

    void observe(transport_observer* observer) override { observer_ = observer; }
    result<io_outcome> read(std::span<char> buffer) override;
    result<io_outcome> write(std::span<const std::string_view> pieces) override;
    void shutdown_write() override;
    bool maybe_readable() const override;
    void set_low_water_mark(std::size_t size) override { inner_->set_low_water_mark(size); }
    transport_description describe() const override;

private:
    friend struct tls_bio;
    tls_transport(transport_ptr inner, tls_context_ptr context);
    static result<std::unique_ptr<tls_transport>> make(transport_ptr inner, tls_context_ptr context, tls_peer peer);
    void on_transport_ready(readiness now) override;

    // Called by BoringSSL through the BIO: as recv() and send() would be.
    int receive_ciphertext(std::span<char> into);
    int send_ciphertext(std::string_view from);
    bool fill();

    std::size_t read_records(std::span<char> buffer);
    std::size_t write_records(std::span<const std::string_view> pieces);
    bool write_record(std::string_view plaintext);
    void flush();
    void end_call();
    void fail(int outcome);
    pabal::error failure_of(int outcome) const;
    pabal::error own_handshake_failure(std::uint32_t packed) const;

    transport_ptr inner_;
    tls_context_ptr context_;
    std::unique_ptr<tls_connection_facts> facts_;
    ssl_ptr connection_;
    transport_observer* observer_ = nullptr;
    std::unique_ptr<pabal::error> failure_;        ///< ends everything
    std::unique_ptr<pabal::error> write_failure_;  ///< of the inner transport; what was received can still be read
    tls_buffer received_;                          ///< ciphertext BoringSSL has not taken yet
    tls_buffer pending_;                           ///< ciphertext the inner transport has not taken yet
    char first_bytes_[5] = {};                     ///< of the peer's, to recognise plain HTTP
    std::uint8_t first_bytes_size_ = 0;
    bool established_ = false;
    bool may_fill_ = true;       ///< whether the BIO may read from the inner transport
    bool filled_fully_ = false;  ///< the last such read filled the buffer: there is probably more
    bool inner_ended_ = false;
    bool peer_closed_ = false;  ///< close_notify received
    bool shut_down_ = false;    ///< shutdown_write was called
    bool inner_shut_down_ = false;
    bool write_blocked_ = false;  ///< the owner was told would_block by write
};

}  // namespace pabal::transport
