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

#include "protocol/http/pseudo_fields.hpp"
#include "protocol/http2/limits.hpp"
#include "protocol/http2/stream.hpp"
#include "protocol/http2/window_growth.hpp"

struct nghttp2_session;

namespace pabal::http2 {

/// Told what concerns the whole connection.
class machine_observer {
public:
    /// The peer takes another number of streams at once than before.
    virtual void on_capacity_changed() {}
    /// The peer will take no new streams (GOAWAY, RFC 9113 section 6.8). Streams it has not processed are reset, unprocessed.
    virtual void on_going_away() {}
    /// The answer to `ping`.
    virtual void on_pong() {}

protected:
    ~machine_observer() = default;
};

class machine {
public:
    using stream_type = stream;

    /// A client's. `scheme` is that of all requests: "https" or "http". The observer must outlive the machine.
    machine(std::string_view scheme, machine_observer& observer, const limits& limits = {});
    ~machine();
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    /// Client: opens a stream. Host becomes :authority; fields that concern one connection (RFC 9113 section 8.2.2) are left
    /// out. `body_size`: 0 none, nullopt unknown. What cannot be sent is the caller's error, and nothing has changed then.
    result<void> request(const request_head& head, std::optional<std::uint64_t> body_size, stream& opened);

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
    /// (RST_STREAM with CANCEL, RFC 9113 section 6.4).
    void release(stream& done);
    /// Asks the peer for a sign of life.
    void ping();
    /// Says that no more will come (GOAWAY).
    void go_away();

    /// How many streams of ours the peer takes at once.
    std::uint32_t peer_capacity() const noexcept;
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
    bool add_field(stream& of, std::string_view name, std::string_view value);
    void end_head(stream& of, bool ends);
    void end_message(stream& of, fields&& trailers);
    void note_consumed(std::int32_t id, std::size_t size);
    void answered(std::uint64_t ping);
    void closed(stream& gone, error_reason reason);
    long read_body(stream& of, std::span<char> buffer, std::uint32_t& flags);
    bool end_body(stream& of, std::uint32_t& flags);
    error fatal(long code) const;

    std::string scheme_;
    machine_observer& observer_;
    limits limits_;
    std::unique_ptr<nghttp2_session, session_deleter> session_;
    bool accepts_streams_ = true;
    bool settings_seen_ = false;
    window_growth growth_{limits_.largest_stream_window};
    std::int32_t moved_last_ = 0;   ///< the stream that the latest DATA was for
    std::optional<error> failure_;  ///< of the connection, once GOAWAY says what the peer did wrong

    http::arriving_section section_;  ///< there is only one at a time (RFC 9113 section 4.3)
};

}  // namespace pabal::http2
