#pragma once
/// \file
/// One stream of a connection that carries many exchanges at once (HTTP/2, HTTP/3), as its owner sees it: told what arrives,
/// asked for what is to be sent.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <pabal/handler.hpp>
#include <pabal/message.hpp>
#include <pabal/result.hpp>

namespace pabal::http {

/// Callbacks come from inside the machine's `receive` and `send`; they may call every other member of the machine. The owner
/// may destroy the stream after `on_reset`, or once it called the machine's `release`.
class message_stream {
public:
    /// Client: a 1xx response.
    virtual void on_informational(response_head&&) {}
    /// Client of HTTP/2: an ALTSVC frame for the origin of the request (RFC 7838 section 4). The view dies with the call.
    virtual void on_alternative_services(std::string_view value) { (void)value; }
    /// Client: the final response's head.
    virtual void on_response(response_head&&) {}
    /// Server: the request's head; :authority is its Host. `body_size`: 0 when nothing follows, else what Content-Length says.
    virtual void on_request(request_head&&, std::optional<std::uint64_t> body_size) { (void)body_size; }
    /// Server, instead of on_request: the head is larger than the limits allow. Nothing else follows.
    virtual void on_request_too_large() {}
    /// Body bytes. They count against the stream's window until the machine's `consume`. The view dies with the call,
    /// unless the version's stream says that it lends data.
    virtual void on_data(std::string_view data) = 0;
    /// The peer's message is complete.
    virtual void on_end(fields&& trailers) = 0;
    /// The stream is over before its time; nothing follows. `unprocessed`: the peer said that it did not act on the request,
    /// which may be sent again whatever its method (RFC 9113 section 8.7, RFC 9114 section 4.1.1).
    virtual void on_reset(error&& failure, bool unprocessed) = 0;
    /// More of the message's body: as exchange::read_request_body; after `would_block` call the machine's `resume_sending`.
    /// After an error the machine has let go of the stream, as if `release` had been called.
    virtual result<read_outcome> read_body(std::span<char> buffer) = 0;
    /// Nothing follows what `read_body` has given up to now, as far as is known: the end then needs no frame of its own, which would
    /// have to wait for the peer's window.
    virtual bool has_given_all() const { return false; }
    /// Fields to send after the body; asked for once, when the body ended.
    virtual const fields* trailers() { return nullptr; }
    /// The machine has taken over our message whole, if it has content: nothing more of it is asked for.
    virtual void on_sent() {}

protected:
    ~message_stream() = default;
};

}  // namespace pabal::http
