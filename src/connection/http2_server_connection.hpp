#pragma once
/// \file
/// Serves HTTP/2 over one accepted transport: many exchanges at once, each on a stream of its own (RFC 9113 section 5).
///
///   open ──▶ finishing (GOAWAY was sent: no more streams, those that run go on) ──▶ lingering ──▶ closed
///     └ protocol broken, idle: GOAWAY ──▶ lingering: our end is shut, the peer's bytes are drained for a moment
///
/// What it does with requests is told in multiplexed_server_connection.hpp.

#include <string>

#include "connection/multiplexed_server_connection.hpp"
#include "protocol/http2/machine.hpp"
#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::connection {

class http2_server_connection final : public multiplexed_server_connection<http2::machine>,
                                      private http2::machine_observer,
                                      private transport::transport_observer {
public:
    http2_server_connection(const server_environment& environment, transport::transport_ptr accepted,
                            server_protocol_observer& observer);

    void start(std::string_view first) override;
    void finish() override;
    void close(server_close_reason reason) override;

    http2::machine& machine() noexcept override { return machine_; }

private:
    http2::stream* on_request_begun() override { return begin_stream(); }
    void on_pong() override;
    void on_transport_ready(transport::readiness now) override;
    void run_deferred() override;

    void receive();
    void take_in(std::string_view input);
    void drain();
    void flush();
    void end_if_over();
    void take_no_more();
    void linger(server_close_reason reason);
    void waited_too_long(server_close_reason reason) override;
    void watch_writing();
    void on_write_stuck() { close(server_close_reason::write_timed_out); }

    transport::transport_ptr transport_;
    http2::machine machine_{*this};
    bool finishing_ = false;  ///< soon no more requests are taken …
    bool finished_ = false;   ///< … and now
    bool write_blocked_ = false;
    bool was_shut_ = false;
    server_close_reason linger_reason_{};
    std::size_t drained_ = 0;
    reactor::time_point renewed_;  ///< the machine's allowances

    std::string output_;
    std::size_t output_written_ = 0;
    reactor::member_timer<http2_server_connection, &http2_server_connection::on_write_stuck> write_timer_{*this};
};

}  // namespace pabal::connection
