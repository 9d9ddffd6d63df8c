#pragma once
/// \file
/// Serves HTTP/1.1 over one accepted transport: requests in, exchanges to a handler, responses out, strictly in order.
///
///   head ──▶ handler ──▶ answering ──▶ (rest of the request drained) ──▶ head …
///     │ malformed, time        │ handler failed, peer gone, Connection: close
///     ▼                        ▼
///   error response ────▶ lingering: our end is shut, the peer's bytes are drained for a moment ──▶ closed
///
/// Nothing is read ahead while a request is being answered, but what its handler asks for, nor while the peer does not take
/// the responses it was sent: a million pipelined requests wait in the peer's socket. A handler that writes faster than the
/// peer reads is told to pause.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <pabal/handler.hpp>

#include "base/intrusive_list.hpp"
#include "protocol/http1/machine.hpp"
#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::connection {

/// Limits of time (zero: none) and of memory.
struct server_limits {
    std::chrono::milliseconds head{30'000};   ///< from the first byte of a request to the end of its head
    std::chrono::milliseconds idle{75'000};   ///< between requests
    std::chrono::milliseconds body{60'000};   ///< silence while a handler waits for the request body
    std::chrono::milliseconds write{60'000};  ///< the peer takes nothing of the response
    std::size_t write_buffer = 256 * 1024;    ///< queued response bytes beyond which a handler is told to pause
    std::size_t drain = 64 * 1024;            ///< of an unread request body, to keep the connection
    std::size_t linger = 1024 * 1024;         ///< read from a peer that does not stop sending, after our last word
};

/// Why a server's connection ended. The names reach logs.
enum class server_close_reason : std::uint8_t {
    peer_closed,
    keep_alive_ended,  ///< Connection: close, HTTP/1.0, or the server is stopping
    malformed_request,
    request_timed_out,
    idle_timeout,
    write_timed_out,
    handler_failed,
    body_unread,  ///< more request body than is worth draining
    transport_failed,
    server_stopped,
};
std::string_view name_of(server_close_reason reason) noexcept;

class server_connection;
class server_exchange;
struct served;  ///< tag: a server's list of its connections

class server_connection_observer {
public:
    /// Called exactly once, by a connection that has closed its transport; it is destroyed at the end of the turn.
    virtual void on_closed(server_connection& closed, server_close_reason reason) = 0;

protected:
    ~server_connection_observer() = default;
};

class server_connection final : public base::list_hook<served>,
                                private transport::transport_observer,
                                private reactor::deferred {
public:
    server_connection(reactor::reactor& reactor, std::span<char> scratch, transport::transport_ptr accepted,
                      handler& answers, server_connection_observer& observer, const server_limits& limits = {});
    ~server_connection();

    /// Begins to serve; reads what is there already.
    void start();
    /// Finishes the request under way, if any, then closes.
    void finish();
    /// Closes now; a handler at work is not called any more.
    void close(server_close_reason reason);
    bool is_answering() const noexcept;

private:
    friend class server_exchange;
    enum class state : std::uint8_t { receiving, answering, draining, lingering, closed };

    void on_transport_ready(transport::readiness now) override;
    void run_deferred() override { flush(); }

    // Receiving.
    void receive();
    void process();
    bool peer_takes_responses();
    void begin_exchange();
    void refuse(int status, server_close_reason reason);
    result<read_outcome> read_body(std::span<char> buffer);
    result<read_outcome> body_failed();
    void drain();
    bool fill();
    std::string_view buffered() const noexcept { return std::string_view(input_).substr(input_used_); }

    // Answering, called by the exchange.
    void send_informational(response_head&& head);
    void send_response(response_head&& head);
    flow send_data(std::string_view data);
    void send_end(fields&& trailers);
    void send_failure(error&& failure);
    void end_of_response();
    void next_request();

    // Writing.
    void schedule_flush() { reactor_.defer(*this); }
    void flush();
    void wait_for_room();
    std::size_t queued() const noexcept { return output_.size() - output_written_; }
    void linger(server_close_reason reason);

    void watch();
    void watch_time(std::chrono::milliseconds limit);
    void on_timer_expired();

    reactor::reactor& reactor_;
    std::span<char> scratch_;
    transport::transport_ptr transport_;
    handler& handler_;
    server_connection_observer& observer_;
    server_limits limits_;
    http1::machine machine_{http1::role::server};
    base::intrusive_ptr<server_exchange> exchange_;
    state state_ = state::receiving;
    bool finishing_ = false;
    bool response_begun_ = false;
    bool response_ended_ = false;
    bool handler_paused_ = false;
    bool body_awaited_ = false;
    bool body_withheld_ = false;  ///< the client waits for 100 (Continue), and got its response instead
    bool in_process_ = false;
    bool peer_ended_ = false;
    bool write_blocked_ = false;  ///< the transport took nothing more; the timer counts for that
    bool stalled_ = false;        ///< requests wait until the peer has taken responses
    server_close_reason linger_reason_{};
    std::size_t drained_ = 0;

    std::string output_;
    std::size_t output_written_ = 0;
    std::string input_;
    std::size_t input_used_ = 0;
    std::string_view body_rest_;  ///< request content taken from the machine that did not fit the reader; into input_

    reactor::member_timer<server_connection, &server_connection::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection
