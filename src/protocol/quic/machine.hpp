#pragma once
/// \file
/// QUIC version 1 (RFC 9000, 9001, 9002) as a machine without input or output: datagrams and the time in, callbacks, datagrams and
/// the next deadline out. Packets, loss recovery, congestion control and flow control are ngtcp2's; this file gives them pabal's
/// shapes and says in words why a connection ended.
///
///     auto machine = quic::machine::client(tls, path, user, limits, now);
///     machine->send(space, now);            // datagrams, until it gives none
///     machine->receive(datagram, ecn, now); // → user.on_established, on_stream_data, …
///     machine->deadline();                  // then machine->on_deadline(now), and send
///
/// After every other member, `send` until it gives nothing, and look at the deadline again.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pabal/result.hpp>

#include "protocol/quic/conduct.hpp"
#include "protocol/quic/limits.hpp"
#include "protocol/quic/stream_user.hpp"

struct ngtcp2_conn;
struct ssl_st;

namespace pabal::quic {

using time_point = std::chrono::steady_clock::time_point;

/// Both ends, as the system writes socket addresses (sockaddr_in, sockaddr_in6).
struct path {
    std::string local;
    std::string remote;
};

class stateless_server;
struct initial;

/// Told by a server's machine under which connection IDs its datagrams come.
class id_observer {
public:
    virtual void on_new_id(std::string_view id) = 0;
    virtual void on_retired_id(std::string_view id) = 0;

protected:
    ~id_observer() = default;
};

/// What a client has from earlier connections to its server.
struct acquaintance {
    /// `parameters_to_remember` of the connection that the session which is resumed came from: with early data enabled in the TLS
    /// object, streams can be opened as soon as the first datagram was made. Empty: nothing is early.
    std::string parameters;
    std::string address_token;  ///< as `take_address_token` gave it; empty: none
};

class machine {
public:
    /// A client's. `tls` is a fresh TLS object that has its peer's name, its ALPN and its trust; it and `user` must outlive the
    /// machine. Errors: local, out of memory.
    static result<std::unique_ptr<machine>> client(ssl_st* tls, path path, stream_user& user, const limits& limits,
                                                   time_point now, const acquaintance& known = {},
                                                   const conduct& conduct = {});
    /// A server's, for the client whose `first` datagram was judged by `server`: give it to `receive` then. All references must
    /// outlive the machine. Errors: local, out of memory.
    static result<std::unique_ptr<machine>> server(ssl_st* tls, path path, const initial& first,
                                                   const stateless_server& server, id_observer& ids, stream_user& user,
                                                   const limits& limits, time_point now, const conduct& conduct = {});
    ~machine();
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    /// One datagram. `ecn`: the ECN field of its IP header. An error ends the connection: send what is left, and drop it.
    /// `over`: the path that it came over; null: that of the beginning. A server's client may turn up on another one (RFC 9000
    /// section 9).
    result<void> receive(std::string_view datagram, std::uint8_t ecn, time_point now, const path* over = nullptr);

    /// What one `send` wrote: datagrams of `segment` bytes each, of which the last may be shorter. Size 0: nothing now.
    struct datagrams {
        std::size_t size = 0;
        std::size_t segment = 0;
        std::uint8_t ecn = 0;
    };
    /// Writes as many datagrams as loss recovery, pacing and `space` (at least max_datagram bytes) allow.
    result<datagrams> send(std::span<char> space, time_point now);
    static constexpr std::size_t max_datagram = 1500;
    /// Server: where the datagrams of the latest `send` go.
    const path& sent_over() const noexcept { return sent_over_; }

    /// When `on_deadline` is due; nullopt: when something else happens.
    std::optional<time_point> deadline() const noexcept;
    result<void> on_deadline(time_point now);

    bool is_established() const noexcept { return established_; }
    /// A client's: what is sent now leaves before the handshake is done (RFC 9001 section 4.6), unless the peer throws it away.
    bool sends_early() const noexcept { return early_ && !established_ && !failure_; }
    /// Of an established client: what of the peer's transport parameters holds for early data of a later connection (RFC 9000 section
    /// 7.4.1).
    std::string parameters_to_remember() const;
    /// A client's: the proof of its address that the server gave it for the next time, once (NEW_TOKEN, RFC 9000 section 8.1.3).
    std::string take_address_token() { return std::exchange(address_token_, {}); }
    /// A client's: goes on from another local address (RFC 9000 section 9), at once; the new path is validated meanwhile. False: the
    /// peer does not allow it, or has given no connection ID for it.
    bool migrate(std::string local, time_point now);
    /// A client's, after `on_deadline`: nothing has come for so long, although answers are due, that it may be the path that is to blame
    /// (a NAT that forgot us, and a server that goes on sending to where we were). True once; then after twice as long a silence.
    bool take_doubt_of_path() { return std::exchange(doubts_path_, false); }
    /// The least such silence, as long as anything ever came; longer where probes take longer (RFC 9002 section 6.2): three of them
    /// are waited for.
    static constexpr std::chrono::seconds path_patience{1};
    /// Why the connection ended.
    const std::optional<error>& failure() const noexcept { return failure_; }
    /// It was the handshake, on this side: the TLS object knows more.
    bool handshake_failed() const noexcept { return handshake_failed_; }
    /// Server: the first datagram to arrive was not the first of its client's. Nothing can be made of it, but the client can be asked to
    /// begin anew (Retry).
    bool asks_for_retry() const noexcept { return asks_for_retry_; }
    /// It was the handshake, on the peer's side: the alert it sent.
    std::optional<int> peers_alert() const noexcept;

    /// Opens a stream. nullopt: the peer allows no more now; `on_streams_allowed` says when.
    std::optional<stream_id> open();
    std::optional<stream_id> open_one_way();
    /// How many streams can be opened now.
    std::uint64_t streams_left() const noexcept;
    /// How many the peer allowed at once when the connection began.
    std::uint64_t peer_streams() const noexcept;
    /// Gives both directions up, with an application's error code (RFC 9000 section 3.5).
    void abandon(stream_id stream, std::uint64_t code);
    /// The peer shall send no more on the stream (STOP_SENDING).
    void stop(stream_id stream, std::uint64_t code);
    /// We send no more on it (RESET_STREAM).
    void reset(stream_id stream, std::uint64_t code);
    /// The peer may send that much more on the stream.
    void extend(stream_id stream, std::uint64_t size);
    /// … on all streams together.
    void extend_connection(std::uint64_t size);

    /// How long an answer takes, mostly (RFC 9002 section 5.3).
    std::chrono::nanoseconds round_trip() const noexcept;
    /// Whether a sign of life is asked for when nothing else is sent, so that waiting for an answer is not taken for idleness.
    void keep_alive(bool wanted);
    /// Ends the connection with an application's error code: `send` once more says so. `why` is what `failure` tells then.
    void close(std::uint64_t code, std::string_view reason, error why);

    /// `send` is at work: no stream can be opened.
    bool is_sending() const noexcept { return sending_; }
    /// The time it was told last.
    time_point now() const noexcept { return now_; }

private:
    friend struct machine_callbacks;
    friend struct tls_bridge;
    struct connection_deleter {
        void operator()(ngtcp2_conn* connection) const noexcept;
    };
    struct close_frame {
        std::uint64_t code = 0;
        bool is_application = false;
        std::string reason;
    };
    struct credit {
        stream_id stream;  ///< -1: the connection's
        std::uint64_t size;
    };

    machine(ssl_st* tls, path path, stream_user& user, const limits& limits);
    result<void> ended(int code);
    error why(int code) const;
    std::string peer() const { return server_ ? "client" : "server"; }
    void give_address_token();
    void look_for_silence();
    void note_path(const void* written);
    error peers_close() const;
    long write_packet(void* path, void* info, std::uint8_t* space, std::size_t size, std::uint64_t now);
    result<datagrams> send_close(std::span<char> space, time_point now);
    void apply_credits();

    ssl_st* tls_;
    path path_;
    stream_user& user_;
    limits limits_;
    const stateless_server* server_ = nullptr;  ///< a client has none, nor the next
    id_observer* ids_ = nullptr;
    path sent_over_;
    std::unique_ptr<event_log> log_;  ///< or null
    std::unique_ptr<ngtcp2_conn, connection_deleter> connection_;
    time_point now_;
    bool established_ = false;
    bool sends_early_ = false;  ///< server: it has the keys for it
    bool early_ = false;        ///< there are keys for early data
    std::string address_token_;
    /// What `look_for_silence` saw last.
    struct {
        bool answer_due = false;
        std::uint64_t received = 0;  ///< packets
        time_point since;
        std::chrono::nanoseconds patience = path_patience;
    } silence_;
    bool doubts_path_ = false;
    bool sending_ = false;
    bool reset_by_stranger_ = false;  ///< a stateless reset came
    bool keeps_alive_ = false;
    bool handshake_failed_ = false;
    bool asks_for_retry_ = false;
    std::optional<error> failure_;
    std::optional<close_frame> farewell_;  ///< still to be sent
    std::vector<credit> credits_;          ///< given while `send` was at work
};

}  // namespace pabal::quic
