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

#include "connection/server_exchange.hpp"
#include "connection/server_protocol_connection.hpp"
#include "protocol/http1/machine.hpp"
#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::connection {

class http1_server_connection final : public server_protocol_connection,
                                      public exchange_carrier,
                                      private transport::transport_observer,
                                      private reactor::deferred {
public:
    http1_server_connection(const server_environment& environment, transport::transport_ptr accepted,
                            server_protocol_observer& observer);
    ~http1_server_connection() override;

    void start(std::string_view first) override;
    void finish() override;
    void close(server_close_reason reason) override;
    /// As if the time for what the connection waits for were over.
    void time_out() { on_timer_expired(); }
    bool is_answering() const noexcept override;

private:
    enum class state : std::uint8_t { receiving, answering, draining, lingering, closed };

    void on_transport_ready(transport::readiness now) override;
    void run_deferred() override { flush(); }

    // Receiving.
    void receive();
    void process();
    bool peer_takes_responses();
    void begin_exchange();
    void refuse(int status, server_close_reason reason);
    result<read_outcome> read_request(std::span<char> buffer) override;
    result<read_outcome> body_failed();
    void drain();
    bool fill();
    std::string_view buffered() const noexcept { return std::string_view(input_).substr(input_used_); }

    // Answering, called by the exchange.
    void send_informational(response_head&& head) override;
    void send_response(response_head&& head) override;
    flow send_data(std::string_view data) override;
    void send_end(fields&& trailers) override;
    void send_failure(error&& failure) override;
    void end_of_response();
    void next_request();

    // Writing.
    void schedule_flush() { environment_.reactor.defer(*this); }
    void flush();
    void wait_for_room();
    std::size_t queued() const noexcept { return output_.size() - output_written_; }
    void linger(server_close_reason reason);

    void watch();
    void watch_time(std::chrono::milliseconds limit);
    void on_timer_expired();

    const server_environment& environment_;
    transport::transport_ptr transport_;
    server_protocol_observer& observer_;
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

    reactor::member_timer<http1_server_connection, &http1_server_connection::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection
