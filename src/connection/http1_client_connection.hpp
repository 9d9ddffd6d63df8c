#pragma once
/// \file
/// Drives one HTTP/1.1 client machine over one transport: one exchange at a time (RFC 9112 section 9).
///
/// Nothing is buffered that need not be: bytes are received into the engine's scratch buffer and parsed there; only an
/// incomplete head, chunk line or unread rest is copied aside. A body of known length goes straight to where the
/// requester wants it.

#include <chrono>
#include <optional>
#include <string>

#include "connection/client_connection.hpp"
#include "connection/read_moderation.hpp"
#include "protocol/http1/machine.hpp"

namespace pabal::connection {

class http1_client_connection final : public client_connection,
                                      public responder,
                                      private transport::transport_observer {
public:
    http1_client_connection(environment& environment, transport::transport_ptr transport,
                            client_connection_observer& observer, const http1::limits& limits = {});
    ~http1_client_connection() override;

    void start(exchange_ptr started) override;
    bool usable() const noexcept override;
    std::size_t exchanges() const noexcept override { return state_ == state::busy ? 1 : 0; }
    std::size_t capacity() const noexcept override { return 1; }
    void close(close_reason reason) override;
    transport::transport_description describe() const override;

    void cancel(exchange& cancelled) override;
    void resume(exchange& paused) override;
    result<read_outcome> read_response(exchange& pulled, std::span<char> buffer) override;
    void request_body_ready(exchange& waiting) override;

private:
    enum class state : std::uint8_t { idle, busy, closed };
    /// Who moves response bytes on.
    enum class receiving : std::uint8_t { push, paused, pull };

    void on_transport_ready(transport::readiness now) override;

    // Sending.
    void flush();
    void pump_request_body();
    result<bool> write_pending();
    void request_written();
    void on_write_failure(error failure);

    // Receiving.
    void receive();
    void invite_consumer();
    void begin_tunnel();
    void process(std::string_view input);
    void process_buffered();
    bool receive_directly();
    std::uint64_t certain_to_come() const noexcept;
    void receive_end();
    void on_step_head();
    bool on_step_data(std::string_view data);
    void complete(bool bytes_left);
    bool nothing_follows();
    result<read_outcome> pull_buffered(std::span<char> buffer);
    result<read_outcome> pull_from_transport(std::span<char> buffer);
    result<read_outcome> end_of_pull();
    bool response_ends_here();
    std::string_view buffered() const noexcept { return std::string_view(input_).substr(input_used_); }

    // Ending.
    void close_now(close_reason reason);
    void fail(error failure, close_reason reason);
    error closed_early() const;

    void on_timer_expired();
    void expect_progress();
    bool owes_response() const noexcept;
    void watch_until(reactor::time_point deadline);

    environment& environment_;
    transport::transport_ptr transport_;
    client_connection_observer& observer_;
    http1::machine machine_;
    exchange_ptr exchange_;
    state state_ = state::idle;
    receiving receiving_ = receiving::push;
    bool served_before_ = false;
    bool head_received_ = false;
    bool body_streams_ = false;     ///< the request body is pulled from the exchange
    bool body_source_dry_ = false;  ///< it said would_block; wait for request_body_ready
    bool awaiting_continue_ = false;
    bool request_complete_ = false;
    bool tunnelled_ = false;       ///< after 101: both directions are raw bytes until either side closes
    bool processing_ = false;      ///< inside process(): the input must not be touched from a callback
    bool consumer_waits_ = false;  ///< pull: the last read found nothing, so silence of the peer counts against it
    std::optional<error> write_failure_;  ///< kept until the response, which may still come, does not

    std::string output_;  ///< framing and streamed body that are not written yet
    std::size_t output_written_ = 0;
    std::string_view body_left_;  ///< of a body in memory
    std::string input_;           ///< received, not yet used up
    std::size_t input_used_ = 0;
    std::string_view
        pulled_rest_;  ///< content already taken from the machine that did not fit a pull; points into input_

    read_moderation moderation_;
    reactor::time_point progress_;   ///< when the peer last moved
    reactor::time_point timer_due_;  ///< when timer_ fires, while it is set
    reactor::member_timer<http1_client_connection, &http1_client_connection::on_timer_expired> timer_{*this};
};

}  // namespace pabal::connection
