#pragma once
/// \file
/// Drives one HTTP/2 client machine over one transport: many exchanges at once, each on a stream of its own (RFC 9113
/// section 5). What it does with them is told in multiplexed_client_connection.hpp.
///
/// A lone request is sent at once. Where there are several, what the exchanges of one turn have to send leaves together at its
/// end, so that a hundred requests cost a few TLS records and one system call.

#include <string>

#include "connection/multiplexed_client_connection.hpp"
#include "protocol/http2/machine.hpp"

namespace pabal::connection {

class http2_client_connection final : public multiplexed_client_connection<http2::machine>,
                                      private http2::machine_observer,
                                      private transport::transport_observer,
                                      private reactor::deferred {
public:
    http2_client_connection(environment& environment, transport::transport_ptr transport,
                            client_connection_observer& observer, const http2::limits& limits = {});

    bool usable() const noexcept override;
    std::size_t capacity() const noexcept override { return machine_.peer_capacity(); }
    transport::transport_description describe() const override;

    http2::machine& machine() noexcept override { return machine_; }
    void schedule_flush() override {
        if (machine_.wants_to_send()) environment_.reactor.defer(*this);
    }

private:
    void on_capacity_changed() override;
    void on_going_away() override { going_away_ = true; }
    void on_transport_ready(transport::readiness now) override;
    void run_deferred() override { flush(); }

    void flush() override;
    void receive();
    error last_word() const;
    void say_farewell() override;
    void close_transport() override;

    transport::transport_ptr transport_;
    http2::machine machine_;
    bool write_blocked_ = false;
    std::string output_;
    std::size_t output_written_ = 0;
};

}  // namespace pabal::connection
