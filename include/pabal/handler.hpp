#pragma once
/// \file
/// One interface for everything that answers requests: the network, a server's application, a test double.
///
/// A *requester* makes an `exchange` and passes it to a `handler`; the handler attaches a *responder* and answers through
/// the exchange. The two ends see only each other:
///
///     requester (subclass of exchange)                     responder
///       handler.handle(exchange)              ─────▶         attach(*this)
///       read_request_body() ◀───────────────────────         pulls the request body, waits for request_body_ready()
///       on_informational / on_response        ◀─────         answers
///       on_data … on_end | on_error           ◀─────
///       responder()->resume / read_response / cancel ─▶
///
/// Because client and server are the two ends of one interface, a session can be pointed at a server's application
/// without a socket, and a proxy is a handler that makes exchanges of its own.
///
/// Threads: everything here belongs to the reactor that runs the exchange.
/// Lifetime: exchanges are reference counted; a handler keeps its reference until it has called `on_end` or `on_error`
/// (exactly one of them, exactly once, and nothing after it) or until `cancel` returned.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <pabal/base/intrusive_ptr.hpp>
#include <pabal/message.hpp>
#include <pabal/result.hpp>
#include <pabal/trace.hpp>

namespace pabal {

class exchange;

/// How the requester wants the response body.
enum class delivery : std::uint8_t {
    push,  ///< on_data is called as data arrives
    pull,  ///< the requester calls responder()->read_response(); on_readable says when it is worth trying again.
           ///< A responder that knows no pulling may push all the same: the requester keeps what it cannot use yet
};

/// What a requester says to pushed data.
enum class flow : std::uint8_t { more, pause };

/// The outcome of trying to read some bytes without waiting.
struct read_outcome {
    enum class kind : std::uint8_t { data, would_block, end };
    kind what = kind::would_block;
    std::size_t size = 0;  ///< bytes written to the caller's buffer; positive exactly when `what` is data
};

/// The answering end of an exchange, as the requester sees it.
class responder {
public:
    /// The requester no longer wants the response. No callback of the exchange is called afterwards.
    virtual void cancel(exchange& cancelled) = 0;
    /// Continue pushing after `flow::pause`. May call on_data before it returns.
    virtual void resume(exchange& paused) = 0;
    /// Pull: moves body bytes into `buffer`. After `end`, `trailers` of on_end are delivered (on_end is called before this
    /// returns). An error is reported by the return value, not by on_error.
    virtual result<read_outcome> read_response(exchange& pulled, std::span<char> buffer) = 0;
    /// read_request_body() may have more now.
    virtual void request_body_ready(exchange& waiting) = 0;

protected:
    ~responder() = default;
};

/// How long each phase of an exchange may take; zero means no limit. `write` and `read` bound inactivity, not the whole.
struct exchange_limits {
    std::chrono::milliseconds pool{0};
    std::chrono::milliseconds resolve{0};
    std::chrono::milliseconds connect{0};
    std::chrono::milliseconds tls{0};
    std::chrono::milliseconds write{0};
    std::chrono::milliseconds read{0};
};

/// One request and its response: the requester's end.
class exchange : public base::ref_counted {
public:
    request_head request;
    exchange_limits limits;

    /// Size of the request body in bytes: 0 for none, nullopt when it is not known in advance (then it is sent chunked).
    std::optional<std::uint64_t> request_body_size = 0;

    /// The whole request body when it lies in memory; must stay valid while the exchange lives. When it is empty and
    /// `request_body_size` is not 0, the body comes from `read_request_body`.
    std::string_view request_body;

    /// Pulls the request body. `would_block`: the requester will call `responder()->request_body_ready()`. An error makes
    /// the responder abandon the exchange and report exactly that error.
    virtual result<read_outcome> read_request_body(std::span<char> buffer) {
        (void)buffer;
        return read_outcome{read_outcome::kind::end, 0};
    }
    /// Fields to send after a chunked body (RFC 9110 section 6.5); asked for once, after `read_request_body` ended.
    virtual const fields* request_trailers() { return nullptr; }

    /// A 1xx response other than 101 (RFC 9110 section 15.2).
    virtual void on_informational(response_head&& head) { (void)head; }
    /// The final response's head. The return value chooses how the body is delivered.
    virtual delivery on_response(response_head&& head) = 0;
    /// Where the next body bytes should be received, if the requester has a place for them (known length, no coding);
    /// an empty span means "use your own buffer". Bytes received there are announced by on_data with a view into it.
    virtual std::span<char> body_space(std::size_t at_most) {
        (void)at_most;
        return {};
    }
    /// Body bytes (transfer coding removed, content coding not). The view dies with the call.
    virtual flow on_data(std::string_view data) = 0;
    /// Pull delivery only: `read_response` may have more, the end, or an error now.
    virtual void on_readable() {}
    /// The response is complete.
    virtual void on_end(fields&& trailers) = 0;
    /// The exchange failed. `request_sent` tells whether repeating it is safe.
    virtual void on_error(error&& failure) = 0;

    /// Set by the requester: how long a body that waits for 100 (Continue), as `Expect` asks (RFC 9110 section 10.1.1), is
    /// held back before it is sent all the same.
    std::chrono::milliseconds continue_wait{1000};
    /// Set by the requester: not on a connection that has served another exchange (the last one turned out to be closed).
    bool wants_new_connection = false;
    /// Set by the requester: not on a connection that was made for another origin (its server has answered 421 to this one's).
    bool wants_own_connection = false;

    /// Set by the requester: not before the handshake of its connection is done (RFC 8470 section 5.2).
    bool waits_for_handshake = false;

    /// Set by the responder once any byte of the request may have reached the peer's application.
    bool request_sent = false;
    /// Set by the responder when the peer said that it did not act on the request (RFC 9113 section 8.7), or never shook hands: it may
    /// be sent again whatever its method.
    bool unprocessed = false;
    /// Set by the responder when the request left before the handshake was done, and the peer took it so (RFC 8470).
    bool sent_early = false;
    /// Set by the responder when the exchange ran on a connection that had served another exchange before.
    bool on_reused_connection = false;
    /// Set by the responder when the exchange ran on a connection that was made for another origin (RFC 9113 section 9.1.1).
    bool on_coalesced_connection = false;
    /// Set by the responder as they come; see trace.hpp. `submitted` is the requester's.
    exchange_times times;
    /// Set by the responder when it gave the exchange a connection.
    std::shared_ptr<const connection_facts> connection;

    responder* answered_by() const noexcept { return responder_; }
    void attach(responder* answering) noexcept { responder_ = answering; }

private:
    responder* responder_ = nullptr;
};

using exchange_ptr = base::intrusive_ptr<exchange>;

/// Something that answers requests.
class handler {
public:
    virtual ~handler() = default;
    /// Begins to answer; may finish before it returns. The handler must outlive the exchange or cancel it.
    virtual void handle(exchange_ptr started) = 0;
};

}  // namespace pabal
