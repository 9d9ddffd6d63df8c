#pragma once
/// \file
/// One HTTP/2 stream as its owner sees it: told what arrives, asked for what is to be sent.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <pabal/handler.hpp>
#include <pabal/message.hpp>
#include <pabal/result.hpp>

namespace pabal::http2 {

/// RFC 9113 section 7: why a stream or a connection ended.
enum class error_reason : std::uint32_t {
    no_error = 0,
    protocol_error = 1,
    internal_error = 2,
    flow_control_error = 3,
    settings_timeout = 4,
    stream_closed = 5,
    frame_size_error = 6,
    refused_stream = 7,
    cancel = 8,
    compression_error = 9,
    connect_error = 10,
    enhance_your_calm = 11,
    inadequate_security = 12,
    http_1_1_required = 13,
};
/// "REFUSED_STREAM", as the RFC spells it; "0x…" for what it does not know.
std::string name_of(error_reason reason);

/// Callbacks come from inside `machine::receive` and `machine::send`; they may call every other member of the machine. The
/// owner may destroy it after `on_reset`, or once it called `machine::release`.
class stream {
public:
    /// Client: a 1xx response.
    virtual void on_informational(response_head&&) {}
    /// Client: the final response's head.
    virtual void on_response(response_head&&) {}
    /// Server: the request's head; :authority is its Host. `body_size` is what Content-Length says, or 0 when nothing follows.
    virtual void on_request(request_head&&, std::optional<std::uint64_t> body_size) { (void)body_size; }
    /// Server, instead of on_request: a head that cannot be handled, and the status to say so with. Nothing else follows.
    virtual void on_bad_request(int status) { (void)status; }
    /// Body bytes. They count against the stream's window until `machine::consume`. The view dies with the call.
    virtual void on_data(std::string_view data) = 0;
    /// The peer's message is complete.
    virtual void on_end(fields&& trailers) = 0;
    /// The stream is over before its time; nothing follows. `unprocessed`: the peer said that it did not act on the request,
    /// which may be sent again whatever its method (RFC 9113 section 8.7).
    virtual void on_reset(error&& failure, bool unprocessed) = 0;
    /// More of the message's body: as exchange::read_request_body; after `would_block` say machine::resume_sending. After an
    /// error the machine has let go of the stream, as if `release` had been called.
    virtual result<read_outcome> read_body(std::span<char> buffer) = 0;
    /// Fields to send after the body; asked for once, when the body ended.
    virtual const fields* trailers() { return nullptr; }
    /// Our message, if it has a body, was taken over whole: nothing more of it is asked for.
    virtual void on_sent() {}

    /// Our message is complete, as far as its owner is concerned.
    bool sent_all() const noexcept { return sent_all_; }

protected:
    ~stream() = default;

private:
    friend class machine;
    friend struct machine_callbacks;
    std::int32_t id_ = 0;
    unsigned informational_ = 0;
    std::optional<std::uint64_t> body_left_;  ///< to be sent, when its size is known
    std::string defect_;                      ///< what the peer did wrong with it
    bool too_large_ = false;                  ///< its head is
    bool has_head_ = false;
    bool ended_ = false;  ///< the peer's message is complete
    bool sent_all_ = false;
};

}  // namespace pabal::http2
