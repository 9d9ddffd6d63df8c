#pragma once
/// \file
/// What rides on a QUIC connection, as its machine sees it: told what arrives, asked for what is to be sent.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pabal::quic {

/// RFC 9000 section 2.1.
using stream_id = std::int64_t;

/// What is to be sent next: the first of the pieces it was asked with.
struct outgoing {
    stream_id stream = -1;  ///< -1: nothing
    bool ends = false;      ///< the stream ends after them
    std::size_t pieces = 0;
};

/// Callbacks come from inside the machine's `receive`, `send` and `on_deadline`; they may call its other members.
class stream_user {
public:
    /// Streams can be opened: the handshake is done, or, for a server, as good as done.
    virtual void on_established() = 0;
    /// A client's: the peer threw away what was sent before the handshake was done. All streams are gone, without
    /// `on_stream_closed`, and their identifiers begin anew (RFC 9001 section 4.6.2).
    virtual void on_early_data_rejected() {}
    /// So many request streams may the peer open, in all.
    virtual void on_peer_may_open(std::uint64_t streams) { (void)streams; }
    /// The peer has opened a stream.
    virtual void on_stream_opened(stream_id stream) { (void)stream; }
    /// In order. Counts against both windows until `extend` and `extend_connection`. The view dies with the call.
    virtual void on_stream_data(stream_id stream, std::string_view data, bool ends) = 0;
    /// The peer gave its direction up (RESET_STREAM).
    virtual void on_stream_reset(stream_id stream, std::uint64_t code) = 0;
    /// Nothing follows in either direction, nor are its bytes needed any more. The codes with which they were given up, if they
    /// were.
    virtual void on_stream_closed(stream_id stream, std::optional<std::uint64_t> received,
                                  std::optional<std::uint64_t> sent) = 0;
    /// The peer has the next `size` bytes of the stream.
    virtual void on_acknowledged(stream_id stream, std::uint64_t size) = 0;
    /// More streams can be opened.
    virtual void on_streams_allowed() = 0;
    /// The peer takes more on the stream.
    virtual void on_window_open(stream_id stream) = 0;

    /// What goes out next. The pieces stay where they are until they are acknowledged or the stream is closed.
    virtual outgoing next(std::span<std::string_view> pieces) = 0;
    /// `size` bytes of them (and the end, if these were all) were taken.
    virtual void on_taken(stream_id stream, std::size_t size) = 0;
    /// The peer takes no more of the stream until `on_window_open`.
    virtual void on_blocked(stream_id stream) = 0;
    /// Nothing can be sent on the stream any more.
    virtual void on_unwritable(stream_id stream) = 0;

protected:
    ~stream_user() = default;
};

}  // namespace pabal::quic
