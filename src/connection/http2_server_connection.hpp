#pragma once
/// \file
/// Serves HTTP/2 over one accepted transport: many exchanges at once, each on a stream of its own (RFC 9113 section 5).
///
///   open ──▶ finishing (GOAWAY was sent: no more streams, those that run go on) ──▶ lingering ──▶ closed
///     └ protocol broken, idle: GOAWAY ──▶ lingering: our end is shut, the peer's bytes are drained for a moment
///
/// Request content waits in its stream's window until the handler reads it. A handler that writes faster than the peer reads
/// is told to pause. The responses of one turn leave together.

#include <span>
#include <string>

#include <pabal/handler.hpp>

#include "connection/http2_server_stream.hpp"
#include "connection/server_protocol_connection.hpp"
#include "protocol/http2/machine.hpp"
#include "reactor/reactor.hpp"
#include "transport/transport.hpp"

namespace pabal::connection {

class http2_server_connection final : public server_protocol_connection,
                                      private http2::machine_observer,
                                      private transport::transport_observer,
                                      private reactor::deferred {
public:
    http2_server_connection(reactor::reactor& reactor, std::span<char> scratch, transport::transport_ptr accepted,
                            pabal::handler& answers, server_protocol_observer& observer,
                            const server_limits& limits = {});
    ~http2_server_connection() override;

    void start(std::string_view first) override;
    void finish() override;
    void close(server_close_reason reason) override;
    bool is_answering() const noexcept override { return open_streams_ > 0; }

    // For its streams.
    http2::machine& machine() noexcept { return machine_; }
    reactor::reactor& reactor() const noexcept { return reactor_; }
    pabal::handler& handler() const noexcept { return handler_; }
    const server_limits& limits() const noexcept { return limits_; }
    /// What the machine has to say leaves at the end of the turn.
    void schedule_flush() {
        if (state_ == state::open) reactor_.defer(*this);
    }
    /// `with_news.tell()` is called after the bytes at hand are processed.
    void note_news(http2_server_stream& with_news);
    /// `done` is over. It stays until the end of the turn; saying so again changes nothing.
    void forget(http2_server_stream& done);

private:
    enum class state : std::uint8_t { open, lingering, closed };
    enum class waiting : std::uint8_t { nothing, request, head };

    http2::stream* on_request_begun() override;
    void on_pong() override;
    void on_transport_ready(transport::readiness now) override;
    void run_deferred() override;

    void receive();
    void take_in(std::string_view input);
    void drain();
    void flush();
    void tell_news();
    void end_if_over();
    void take_no_more();
    void linger(server_close_reason reason);
    void abandon_streams();
    void watch();
    void on_timer_expired();
    void watch_writing();
    void on_write_stuck() { close(server_close_reason::write_timed_out); }

    reactor::reactor& reactor_;
    std::span<char> scratch_;
    transport::transport_ptr transport_;
    pabal::handler& handler_;
    server_protocol_observer& observer_;
    server_limits limits_;
    http2::machine machine_{*this};
    state state_ = state::open;
    bool finishing_ = false;  ///< soon no more requests are taken …
    bool finished_ = false;   ///< … and now
    bool write_blocked_ = false;
    bool telling_ = false;
    bool was_shut_ = false;
    server_close_reason linger_reason_{};
    std::size_t drained_ = 0;
    std::size_t open_streams_ = 0;
    std::uint64_t begun_ = 0;          ///< requests
    waiting watched_{};                ///< what the timer counts for …
    std::uint64_t begun_watched_ = 0;  ///< … and how many requests there had been when it was set
    reactor::time_point renewed_;      ///< the machine's allowances

    std::string output_;
    std::size_t output_written_ = 0;
    base::intrusive_list<http2_server_stream> streams_;
    base::intrusive_list<http2_server_stream, stream_with_news> news_;
    reactor::member_timer<http2_server_connection, &http2_server_connection::on_timer_expired> timer_{*this};
    reactor::member_timer<http2_server_connection, &http2_server_connection::on_write_stuck> write_timer_{*this};
};

}  // namespace pabal::connection
