#pragma once
/// \file
/// Drives one HTTP/2 client machine over one transport: many exchanges at once, each on a stream of its own (RFC 9113
/// section 5).
///
///   open ──▶ going away (GOAWAY, or no identifiers left: takes no more exchanges, finishes what it has) ──▶ closed
///     │ transport or protocol failed
///     ▼
///   lost: what has arrived can still be pulled; everything else ends with that failure ──▶ closed
///
/// A lone request is sent at once. Where there are several, what the exchanges of one turn have to send leaves together at its
/// end, so that a hundred requests cost a few TLS records and one system call.

#include <string>

#include "connection/client_connection.hpp"
#include "connection/http2_client_stream.hpp"
#include "protocol/http2/machine.hpp"

namespace pabal::connection {

class http2_client_connection final : public client_connection,
                                      private http2::machine_observer,
                                      private transport::transport_observer,
                                      private reactor::deferred {
public:
    http2_client_connection(environment& environment, transport::transport_ptr transport,
                            client_connection_observer& observer, const http2::limits& limits = {});
    ~http2_client_connection() override;

    void start(exchange_ptr started) override;
    bool usable() const noexcept override;
    std::size_t exchanges() const noexcept override { return exchanges_; }
    std::size_t capacity() const noexcept override { return machine_.peer_capacity(); }
    void close(close_reason reason) override;
    transport::transport_description describe() const override;

    // For its streams.
    http2::machine& machine() noexcept { return machine_; }
    reactor::reactor& reactor() const noexcept { return environment_.reactor; }
    /// What the machine has to say leaves at the end of the turn.
    void schedule_flush() {
        if (machine_.wants_to_send()) environment_.reactor.defer(*this);
    }
    /// Tells the requester of `ready` after the bytes at hand are processed.
    void invite_later(http2_client_stream& ready);
    /// A stream is no longer open between us and the peer.
    void stream_left() noexcept { --on_wire_; }
    /// The exchange of `done` is over.
    void forget(http2_client_stream& done);

private:
    enum class state : std::uint8_t { open, lost, closed };

    void on_capacity_changed() override;
    void on_going_away() override { going_away_ = true; }
    void on_transport_ready(transport::readiness now) override;
    void run_deferred() override { flush(); }

    void flush();
    void receive();
    void tell_invited();
    void tell_room();
    error last_word() const;
    close_reason idle_or(close_reason reason) const noexcept;
    void lose(const error& failure, close_reason reason);
    void close_transport();
    void close_now(close_reason reason);

    environment& environment_;
    transport::transport_ptr transport_;
    client_connection_observer& observer_;
    http2::machine machine_;
    state state_ = state::open;
    bool served_before_ = false;
    bool going_away_ = false;
    bool write_blocked_ = false;
    bool in_machine_ = false;  ///< which must not be entered again; what became possible is told afterwards
    bool room_to_tell_ = false;
    close_reason lost_for_{};
    std::size_t exchanges_ = 0;
    std::size_t on_wire_ = 0;  ///< of them, those that count against the peer's limit

    std::string output_;
    std::size_t output_written_ = 0;
    base::intrusive_list<http2_client_stream> streams_;
    base::intrusive_list<http2_client_stream, fresh_stream> fresh_;
    base::intrusive_list<http2_client_stream, invited_stream> invited_;
};

}  // namespace pabal::connection
