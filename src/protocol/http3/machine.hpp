#pragma once
/// \file
/// HTTP/3 (RFC 9114) as a machine without input or output over a QUIC machine. Frames, QPACK (RFC 9204) and the rules
/// of the wire are nghttp3's; this file gives them pabal's shapes: heads as `fields`, bodies pulled from their source, errors that
/// say whose fault it was, bounds on all that a peer may send.
///
///     http3::machine machine(limits);
///     auto quic = quic::machine::client(tls, path, machine.user(), …);
///     machine.ride(*quic);
///     machine.request(head, body_size, stream);          // opens a stream, or waits until the peer allows one
///     machine.send(space, now);                          // datagrams
///     quic->receive(datagram, ecn, now);                 // → stream.on_response, on_data, on_end, on_reset
///     machine.consume(stream, size);                     // data was used: the peer may send as much again
///
///     http3::machine machine(observer);                  // a server's: observer.on_request_begun() makes the streams
///     quic->receive(datagram, ecn, now);                 // → stream.on_request, on_data, on_end, on_reset
///     machine.respond(head, has_body, stream);

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/message.hpp>
#include <pabal/result.hpp>

#include "base/intrusive_list.hpp"
#include "protocol/http/pseudo_fields.hpp"
#include "protocol/http3/carriage.hpp"
#include "protocol/http3/error_reason.hpp"
#include "protocol/http3/limits.hpp"
#include "protocol/http3/stream.hpp"
#include "protocol/quic/machine.hpp"

struct nghttp3_conn;
struct nghttp3_data_reader;

namespace pabal::http3 {

/// Told what concerns the whole connection.
class machine_observer {
public:
    /// The peer takes another number of streams at once than before, or its SETTINGS have come.
    virtual void on_capacity_changed() {}
    /// The peer will take no new streams (GOAWAY, RFC 9114 section 5.2). Streams it has not processed are reset, unprocessed.
    virtual void on_going_away() {}
    /// Server: the peer opens a stream. Who owns it; null refuses it, unprocessed (H3_REQUEST_REJECTED, RFC 9114 section 4.1.1).
    virtual stream* on_request_begun() { return nullptr; }

protected:
    ~machine_observer() = default;
};

enum class role : std::uint8_t { client, server };

class machine final : private quic::stream_user {
public:
    using stream_type = stream;
    using reason_type = error_reason;
    /// Why a stream ends that nobody is interested in any more, and one whose response failed.
    static constexpr error_reason given_up = error_reason::request_cancelled;
    static constexpr error_reason broke = error_reason::internal_error;

    /// A client's.
    explicit machine(const limits& limits = {});
    /// A server's. The observer must outlive it.
    explicit machine(machine_observer& observer, const limits& limits = {});
    ~machine();
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    /// Who is told by the QUIC machine under this one. `ride` names it, before it is given anything; it must outlive this one,
    /// but for its destruction.
    quic::stream_user& user() noexcept { return *this; }
    void ride(quic::machine& quic) noexcept { quic_ = &quic; }
    /// May change; null at first.
    void observe(machine_observer* observer) noexcept { observer_ = observer; }

    /// Opens a stream, or keeps the request until the peer allows another: `head` stays where it is as long as the stream is not
    /// released. Where QUIC sends early data, GET, HEAD and OPTIONS without a body are opened before the handshake is done (RFC 8470
    /// section 3), and again if the peer throws them away; the others wait. Host becomes :authority, names are sent in lower case, and fields that concern one connection (RFC 9114 section
    /// 4.2) are left out. `body_size`: 0 none, nullopt unknown. What cannot be sent is the caller's error, and nothing has changed
    /// then. An extended CONNECT (`head.protocol`, RFC 9220) needs a peer that takes it, else `unsupported`; its two bodies, which
    /// both stay open, are what the protocol sends.
    result<void> request(const request_head& head, std::optional<std::uint64_t> body_size, stream& opened);
    /// Server: a 1xx response other than 101.
    result<void> inform(const response_head& head, stream& of);
    /// Server: the final response, once. `has_body`: it comes from `stream.read_body`; without, the head ends the message. Fields
    /// that concern one connection are left out. When all of it is taken over, the owner releases the stream, or goes on to take
    /// in what is left of the request. Errors are the caller's, and nothing was sent then.
    result<void> respond(const response_head& head, bool has_body, stream& of);
    /// Server: says that the end is near (RFC 9114 section 5.2). Some round trips later `finish` says which request was the last.
    void announce_end();
    void finish();
    /// Server: `allowance_period` has passed since the last time: what the peer may do for nothing, it may do again.
    void renew_allowances() noexcept { resets_ = 0; }
    /// Server: what comes now may have been sent by somebody else before (RFC 8470 section 3): the handshake is not over.
    bool may_be_replayed() const noexcept { return role_ == role::server && !quic_->is_established(); }
    /// Server: a request has begun whose head is not complete.
    bool is_in_head() const noexcept { return !heads_awaited_.empty(); }
    /// Server: the stream of the one that has been awaited the longest.
    std::uint64_t oldest_head() const noexcept { return static_cast<std::uint64_t>(*heads_awaited_.begin()); }
    /// No message is under way in either direction, or not acknowledged.
    bool is_idle() const noexcept { return carriages_.empty(); }

    /// As quic::machine::send.
    result<quic::machine::datagrams> send(std::span<char> space, quic::time_point now);

    /// `stream.read_body` may have more now.
    void resume_sending(stream& of);
    /// `size` bytes of what `on_data` gave were used.
    void consume(stream& of, std::size_t size);
    /// Lets go of the stream, which its owner may destroy then. Unless both messages are complete the peer is told to stop (RFC
    /// 9114 section 4.1.1): with `why`, or, by a server, with H3_NO_ERROR after a complete response (section 4.1).
    void release(stream& done, error_reason why = error_reason::request_cancelled);
    /// Ends the connection, without an error.
    void go_away();

    /// How many streams of ours the peer takes at once.
    std::uint32_t peer_capacity() const noexcept;
    /// The peer's SETTINGS have come.
    bool knows_settings() const noexcept { return settings_seen_; }
    /// They allow an extended CONNECT (RFC 9220 section 3).
    bool takes_extended_connect() const noexcept { return takes_extended_connect_; }
    /// False once the peer has gone away.
    bool accepts_streams() const noexcept { return accepts_streams_; }

private:
    friend struct machine_callbacks;
    struct connection_deleter {
        void operator()(nghttp3_conn* connection) const noexcept;
    };

    // quic::stream_user
    void on_established() override;
    void on_early_data_rejected() override;
    void on_peer_may_open(std::uint64_t streams) override;
    void on_stream_opened(quic::stream_id id) override;
    void on_stream_data(quic::stream_id id, std::string_view data, bool ends) override;
    void on_stream_reset(quic::stream_id id, std::uint64_t code) override;
    void on_stream_closed(quic::stream_id id, std::optional<std::uint64_t> received,
                          std::optional<std::uint64_t> sent) override;
    void on_acknowledged(quic::stream_id id, std::uint64_t size) override;
    void on_streams_allowed() override;
    void on_window_open(quic::stream_id id) override;
    quic::outgoing next(std::span<std::string_view> pieces) override;
    void on_taken(quic::stream_id id, std::size_t size) override;
    void on_blocked(quic::stream_id id) override;
    void on_unwritable(quic::stream_id id) override;

    void open_connection();
    std::string peer() const { return role_ == role::server ? "client" : "server"; }
    std::string peers_message() const { return role_ == role::server ? "request" : "response"; }

    // Server.
    carriage* begin_request(quic::stream_id id);
    void add_request_field(carriage& of, std::string_view name, std::string_view value);
    void end_request_head(carriage& of, bool ends);
    void request_closed(quic::stream_id id, bool whole);
    void spend_reset();
    void fail_calmly(std::string_view why);

    carriage* carriage_of(quic::stream_id id) const noexcept;
    void bind_streams();
    void open_waiting();
    bool open(carriage& waiting);
    bool submit(carriage& opened);
    static nghttp3_data_reader body_reader() noexcept;
    void begin_section(carriage& of);
    bool add_field(carriage& of, std::string_view name, std::string_view value);
    void end_head(carriage& of);
    void end_trailers(carriage& of);
    void end_message(carriage& of);
    fields take_section(carriage& of);
    void give_up(quic::stream_id id, error_reason reason);
    void end_stream(carriage& of, error&& failure, bool unprocessed);
    void peer_reset(carriage& of, error_reason reason);
    void peer_goes_away(quic::stream_id first_unprocessed);
    long read_body(carriage& of, std::string_view& piece, std::uint32_t& flags);
    bool end_body(carriage& of, std::uint32_t& flags);
    void fail(int code);

    role role_ = role::client;
    limits limits_;
    std::unique_ptr<nghttp3_conn, connection_deleter> connection_;
    quic::machine* quic_ = nullptr;
    machine_observer* observer_ = nullptr;
    bool established_ = false;
    bool is_bound_ = false;  ///< our control stream and QPACK's are open
    bool accepts_streams_ = true;
    bool settings_seen_ = false;
    bool takes_extended_connect_ = false;
    base::intrusive_list<carriage> carriages_;
    base::intrusive_list<carriage, waiting_carriage> waiting_;
    std::vector<std::unique_ptr<http::arriving_section>> spare_sections_;

    // Server.
    std::vector<std::unique_ptr<http::arriving_request>> spare_requests_;
    std::set<quic::stream_id> heads_awaited_;
    unsigned resets_ = 0;  ///< spent of limits::max_resets
};

}  // namespace pabal::http3
