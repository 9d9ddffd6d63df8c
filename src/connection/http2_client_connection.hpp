#pragma once
/// \file
/// Drives one HTTP/2 client machine over one transport: many exchanges at once, each on a stream of its own (RFC 9113
/// section 5). What it does with them is told in multiplexed_client_connection.hpp.
///
/// A lone request is sent at once. Where there are several, what the exchanges of one turn have to send leaves together at its
/// end, so that a hundred requests cost a few TLS records and one system call; where there were several the last time, the first
/// waits for the others.

#include <chrono>
#include <string>

#include "connection/liveness.hpp"
#include "connection/multiplexed_client_connection.hpp"
#include "connection/read_moderation.hpp"
#include "protocol/http2/machine.hpp"

namespace pabal::connection {

class http2_client_connection final : public multiplexed_client_connection<http2::machine>,
                                      private http2::machine_observer,
                                      private transport::transport_observer,
                                      private liveness_observer,
                                      private reactor::deferred {
public:
    /// `ping_interval`: of silence, after which the peer is asked for a sign of life; zero: never, unless an exchange waited
    /// in vain.
    http2_client_connection(environment& environment, transport::transport_ptr transport,
                            client_connection_observer& observer, const http2::limits& limits = {},
                            std::chrono::milliseconds ping_interval = std::chrono::milliseconds{0});

    bool usable() const noexcept override;
    std::size_t capacity() const noexcept override { return machine_.peer_capacity(); }
    transport::transport_description describe() const override;

    http2::machine& machine() noexcept override { return machine_; }
    void schedule_flush() override {
        if (machine_.wants_to_send()) environment_.reactor.defer(*this);
    }

    void receive_more() override;
    void doubt_peer() override { liveness_.doubt(); }

private:
    void on_capacity_changed() override;
    void on_going_away() override { going_away_ = true; }
    void on_alternative_services(std::string_view of, std::string_view value) override {
        observer_.on_alternative_services(of, value);
    }
    void on_transport_ready(transport::readiness now) override;
    void run_deferred() override;
    void ask_for_life() override;
    void on_alive() override { tell_room(); }
    void on_gone() override;

    void flush() override;
    enum class received : std::uint8_t { nothing, something, for_readers };
    void receive(received enough = received::for_readers);
    received receive_once();
    bool is_enough(unsigned served) const noexcept;
    error last_word() const;
    void say_farewell() override;
    void close_transport() override;

    transport::transport_ptr transport_;
    http2::machine machine_;
    read_moderation moderation_;
    liveness liveness_;
    bool write_blocked_ = false;
    bool receiving_ = false;
    bool rest_left_ = false;     ///< there is more to receive, which may wait for its reader
    bool rest_is_next_ = false;  ///< but no longer than this turn
    std::string output_;
    std::size_t output_written_ = 0;
};

}  // namespace pabal::connection
