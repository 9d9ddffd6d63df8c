#pragma once
/// \file
/// HTTP/2 (RFC 9113) as a machine without input or output: bytes in, callbacks and bytes out. The framing, HPACK (RFC 7541) and
/// the rules of the wire are nghttp2's; this file gives them pabal's shapes: heads as `fields`, bodies pulled from their source,
/// errors that say whose fault it was, bounds on all that a peer may send.
///
///     http2::machine machine("https", observer);
///     machine.request(head, body_size, stream);          // opens a stream
///     machine.send(out);                                 // the preface, SETTINGS, HEADERS, DATA … as flow control allows
///     machine.receive(bytes);                            // → stream.on_response, on_data, on_end, on_reset
///     machine.consume(stream, size);                     // data was used: the peer may send as much again
///
///     http2::machine machine(observer);                  // a server's: observer.on_request_begun() makes the streams
///     machine.receive(bytes);                            // → stream.on_request, on_data, on_end, on_reset
///     machine.respond(head, has_body, stream);
///
/// Nothing is sent of itself: after `receive` and every other member, `send` until it appends nothing.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/message.hpp>
#include <pabal/result.hpp>

#include "protocol/http/arriving_request.hpp"
#include "protocol/http/pseudo_fields.hpp"
#include "protocol/http2/frame_scanner.hpp"
#include "protocol/http2/limits.hpp"
#include "protocol/http2/stream.hpp"
#include "protocol/http2/stream_history.hpp"
#include "protocol/http2/window_growth.hpp"

struct nghttp2_session;

namespace pabal::http2 {

/// Told what concerns the whole connection.
class machine_observer {
public:
    /// The peer takes another number of streams at once than before, or its SETTINGS have come.
    virtual void on_capacity_changed() {}
    /// The peer will take no new streams (GOAWAY, RFC 9113 section 6.8). Streams it has not processed are reset, unprocessed.
    virtual void on_going_away() {}
    /// Client: the peer says where else `of`, an origin ("https://example.com"), is to be had (ALTSVC, RFC 7838 section 4). The views die
    /// with the call.
    virtual void on_alternative_services(std::string_view of, std::string_view value) { (void)of, (void)value; }
    /// The answer to `ping`.
    virtual void on_pong() {}
    /// Server: the peer opens a stream. Who owns it; null refuses it, unprocessed (REFUSED_STREAM, RFC 9113 section 8.7).
    virtual stream* on_request_begun() { return nullptr; }

protected:
    ~machine_observer() = default;
};

enum class role : std::uint8_t { client, server };

class machine {
public:
    using stream_type = stream;
    using reason_type = error_reason;
    /// Why a stream ends that nobody is interested in any more, and one whose response failed.
    static constexpr error_reason given_up = error_reason::cancel;
    static constexpr error_reason broke = error_reason::internal_error;

    /// A client's. `scheme` is that of all requests: "https" or "http". The observer must outlive the machine.
    machine(std::string_view scheme, machine_observer& observer, const limits& limits = {});
    /// A server's.
    explicit machine(machine_observer& observer, const limits& limits = server_limits);
    ~machine();
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    /// Client: opens a stream. Host becomes :authority; fields that concern one connection (RFC 9113 section 8.2.2) are left
    /// out. `body_size`: 0 none, nullopt unknown. What cannot be sent is the caller's error, and nothing has changed then.
    /// An extended CONNECT (`head.protocol`, RFC 8441) needs a peer that takes it, else `unsupported`; its two bodies, which both
    /// stay open, are what the protocol sends.
    result<void> request(const request_head& head, std::optional<std::uint64_t> body_size, stream& opened);

    /// Server: a 1xx response other than 101.
    result<void> inform(const response_head& head, stream& of);
    /// Server: the final response, once. `has_body`: it comes from `stream.read_body`; without, the head ends the message. Fields
    /// that concern one connection are left out. When all of it is taken over, the owner releases the stream, or goes on to take
    /// in what is left of the request. Errors are the caller's, and nothing was sent then.
    result<void> respond(const response_head& head, bool has_body, stream& of);
    /// Server: says that the end is near, and asks for a sign of life: when `on_pong` comes, the client has heard of it, and no
    /// request that it sent before is lost by `finish` (RFC 9113 section 6.8).
    void announce_end();
    /// Server: takes no more streams and says which was the last (GOAWAY, RFC 9113 section 6.8); those that are open go on.
    void finish();
    /// Server: `allowance_period` has passed since the last time: what the peer may do for nothing, it may do again.
    void renew_allowances() noexcept { resets_ = idle_frames_ = 0; }
    /// Over TLS with records nothing is taken in before the handshake is over.
    static constexpr bool may_be_replayed() noexcept { return false; }
    /// A header section has begun and not ended.
    bool is_in_head() const noexcept { return in_head_; }
    /// Server: which one, of those that have begun: there is only one at a time.
    std::uint64_t oldest_head() const noexcept { return heads_begun_; }

    /// What the peer sent. An error ends the connection: send what is left (GOAWAY) and close.
    result<void> receive(std::string_view input);
    /// Appends what is to be sent, up to about `at_most` bytes of it.
    result<void> send(std::string& out, std::size_t at_most);
    bool wants_to_send() const noexcept;

    /// `stream.read_body` may have more now.
    void resume_sending(stream& of);
    /// `size` bytes of what `on_data` gave were used.
    void consume(stream& of, std::size_t size);
    /// How many bytes of the body that moved last the peer has announced and may send: so many will come, unless it fails.
    std::uint64_t certain_to_come() const noexcept;
    /// Lets go of the stream, which its owner may destroy then. Unless both messages are complete the peer is told to stop
    /// (RST_STREAM, RFC 9113 section 6.4): with `why`, or with NO_ERROR after a complete response (section 8.1).
    void release(stream& done, error_reason why = error_reason::cancel);
    /// Asks the peer for a sign of life.
    void ping();
    /// Says that no more will come (GOAWAY).
    void go_away();

    /// How many streams of ours the peer takes at once.
    std::uint32_t peer_capacity() const noexcept;
    /// The peer's SETTINGS have come.
    bool knows_settings() const noexcept { return settings_seen_; }
    /// They allow an extended CONNECT (RFC 8441 section 3).
    bool takes_extended_connect() const noexcept;
    /// False once the peer has gone away, or the stream identifiers are used up.
    bool accepts_streams() const noexcept { return accepts_streams_; }
    /// What ended the connection, once the peer was told.
    const std::optional<error>& failure() const noexcept { return failure_; }
    /// Nothing is left to be said in either direction.
    bool is_over() const noexcept;

private:
    friend struct machine_callbacks;
    struct session_deleter {
        void operator()(nghttp2_session* session) const noexcept;
    };

    stream* stream_of(std::int32_t id) const noexcept;
    void let_go(stream& of) noexcept;
    bool add_field(stream& of, std::string_view name, std::string_view value);
    void alternative_services(std::int32_t id, const void* frame);
    void end_head(stream& of, bool ends);
    void end_message(stream& of, fields&& trailers);
    void note_consumed(std::int32_t id, std::size_t size);
    std::uint32_t window_of(std::int32_t id);
    void answered(std::uint64_t ping);
    void closed(stream& gone, error_reason reason);
    long read_body(stream& of, std::span<char> buffer, std::uint32_t& flags);
    bool end_body(stream& of, std::uint32_t& flags);
    void open_session();
    error fatal(long code);
    error broken_by_peer(error_reason rule, std::string_view details) const;

    // Server.
    void begin_request(std::int32_t id);
    bool add_request_field(std::string_view name, std::string_view value);
    void end_request_head(stream& of, bool ends);
    std::string_view judge_frames(std::string_view input, error_reason& broken);
    error_reason judge(const frame_header& header);
    void reset_malformed(stream& of, std::string_view defect);
    void request_closed(stream& gone, error_reason reason);
    void response_sent(std::int32_t id);
    void end_unread(std::int32_t id);
    void spend(unsigned& spent, unsigned allowed, std::string_view what);
    /// Who brings or takes something may also ask how we are.
    void earn(unsigned frames) noexcept;
    void note_idle_frame() { spend(idle_frames_, limits_.max_idle_frames, "frames that bring nothing"); }
    void note_received_data(std::size_t size, bool ends);
    void note_sent_data(std::size_t size, std::size_t room);
    void end_calmly(std::string_view why);
    result<void> end_if_broken(error_reason rule);

    role role_ = role::client;
    std::string scheme_;
    machine_observer& observer_;
    limits limits_;
    std::unique_ptr<nghttp2_session, session_deleter> session_;
    bool accepts_streams_ = true;
    bool settings_seen_ = false;
    window_growth growth_;
    std::uint64_t growth_spent_ = 0;  ///< of limits::most_growth
    std::int32_t moved_last_ = 0;     ///< the stream that the latest DATA was for
    std::optional<error> failure_;    ///< of the connection, once GOAWAY says what the peer did wrong

    http::arriving_section section_;  ///< there is only one at a time (RFC 9113 section 4.3)
    bool in_head_ = false;
    stream* arriving_ = nullptr;  ///< the stream that it is for, while somebody is interested
    std::uint64_t heads_begun_ = 0;

    // Server.
    http::arriving_request request_;
    frame_scanner headers_;
    stream_history history_;
    unsigned resets_ = 0;       ///< spent of limits::max_resets
    unsigned idle_frames_ = 0;  ///< spent of limits::max_idle_frames
};

}  // namespace pabal::http2
