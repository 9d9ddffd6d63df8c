#pragma once
/// \file
/// Serves HTTP/3 to one client: many exchanges at once, each on a stream of its own (RFC 9114 section 4). What it does with
/// requests is told in multiplexed_server_connection.hpp; datagrams come from, and go out through, its endpoint.
///
///   handshake ──▶ open ──▶ finishing (GOAWAY: soon no more streams, and some round trips later none) ──▶ closed

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <pabal/result.hpp>

#include "base/intrusive_list.hpp"
#include "connection/datagram_sender.hpp"
#include "connection/multiplexed_server_connection.hpp"
#include "protocol/http3/machine.hpp"
#include "protocol/quic/machine.hpp"
#include "protocol/quic/stateless_server.hpp"
#include "transport/quic_tls.hpp"

namespace pabal::connection {

class http3_endpoint;
struct endpoint_connection;  ///< tag: an endpoint's list of its connections

class http3_server_connection final : public multiplexed_server_connection<http3::machine>,
                                      public base::list_hook<endpoint_connection>,
                                      private http3::machine_observer,
                                      private quic::id_observer {
public:
    /// For the client whose `first` datagram came over `path`: give that to `receive` then. The endpoint must outlive it. Errors: out
    /// of memory.
    static result<std::unique_ptr<http3_server_connection>> accept(http3_endpoint& endpoint, const quic::initial& first,
                                                                   quic::path path);
    ~http3_server_connection() override;

    /// One datagram; what it brings is dealt with at the end of the turn.
    void receive(const transport::datagram_arrival& arrived);

    /// As the machine's.
    bool asks_for_retry() const noexcept { return quic_->asks_for_retry(); }

    /// Of a connection over datagrams there is nothing to be read ahead.
    void start(std::string_view) override {}
    void finish() override;
    void close(server_close_reason reason) override;

    http3::machine& machine() noexcept override { return http_; }

private:
    explicit http3_server_connection(http3_endpoint& endpoint);

    http3::stream* on_request_begun() override { return begin_stream(); }
    void on_new_id(std::string_view id) override;
    void on_retired_id(std::string_view id) override;
    void run_deferred() override;
    void waited_too_long(server_close_reason reason) override { close(reason); }
    void on_deadline();
    void on_announced();
    void flush();
    void send_all();

    http3_endpoint& endpoint_;
    std::unique_ptr<transport::quic_tls> tls_;
    http3::machine http_{static_cast<http3::machine_observer&>(*this)};
    std::unique_ptr<quic::machine> quic_;
    datagram_sender sender_;
    std::vector<std::string> ids_;  ///< under which datagrams come
    quic::path over_;               ///< of the latest datagram
    reactor::time_point renewed_;   ///< the machine's allowances
    bool proven_ = false;           ///< the handshake is done, and so the client's address is its own
    bool finishing_ = false;
    bool finished_ = false;
    reactor::member_timer<http3_server_connection, &http3_server_connection::on_deadline> deadline_timer_{*this};
    reactor::member_timer<http3_server_connection, &http3_server_connection::on_announced> announced_timer_{*this};
};

}  // namespace pabal::connection
