#pragma once
/// \file
/// Drives one HTTP/3 client machine over QUIC: many exchanges at once, each on a stream of its own (RFC 9114 section 4). What it
/// does with them is told in multiplexed_client_connection.hpp, how bytes move in http3_link.hpp.
///
/// A lone request is sent at once. Where there are several, what the exchanges of one turn have to send leaves together at its
/// end: a hundred requests fit into a few datagrams, and those into one system call.

#include <chrono>
#include <memory>

#include "connection/http3_link.hpp"
#include "connection/liveness.hpp"
#include "connection/multiplexed_client_connection.hpp"

namespace pabal::connection {

class http3_client_connection final : public multiplexed_client_connection<http3::machine>,
                                      private http3::machine_observer,
                                      private http3_link_observer,
                                      private liveness_observer,
                                      private reactor::deferred {
public:
    /// How long a link that sends early may take to become established: until then nobody else is tried.
    static constexpr std::chrono::milliseconds handshake_patience{1500};

    /// `link`: established, or it sends early. If nothing comes of it in the end, its exchanges count as unprocessed.
    http3_client_connection(environment& environment, std::unique_ptr<http3_link> link,
                            client_connection_observer& observer);
    ~http3_client_connection() override;

    bool usable() const noexcept override;
    std::size_t capacity() const noexcept override { return link_->http().peer_capacity(); }
    transport::transport_description describe() const override { return link_->describe(); }

    http3::machine& machine() noexcept override { return link_->http(); }
    void schedule_flush() override {
        if (state_ == state::open) environment_.reactor.defer(*this);
    }

    void confirm_facts() override;
    void doubt_peer() override { liveness_.doubt(); }

private:
    void on_capacity_changed() override { tell_room(); }
    void on_going_away() override { going_away_ = true; }
    void on_link_ready() override;
    /// Whoever waited in vain has given its stream up, and that is to be acknowledged: there is no more to ask.
    void ask_for_life() override {}
    void on_alive() override { tell_room(); }
    void on_gone() override;
    void run_deferred() override { flush(); }

    void flush() override;
    void end_for(const error& why);
    void say_farewell() override;
    void close_transport() override;

    void on_no_handshake();

    std::unique_ptr<http3_link> link_;
    liveness liveness_;
    bool began_early_;  ///< and `facts` say what the handshake was hoped to come to
    reactor::member_timer<http3_client_connection, &http3_client_connection::on_no_handshake> patience_{*this};
};

}  // namespace pabal::connection
