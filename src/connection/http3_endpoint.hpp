#pragma once
/// \file
/// HTTP/3 on one UDP port: brings each datagram to its connection, by the connection ID that it bears, and makes connections
/// for those who knock (RFC 9000 section 5.2).
///
/// While many connections are in their handshake, further clients are asked first to prove that their address is their own
/// (Retry, RFC 9000 section 8.1.2): that costs the server no memory. What belongs to nobody gets a stateless reset.
///
/// Threads: belongs to its reactor. Lifetime: destroying it ends its connections, and says so.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <openssl/siphash.h>

#include <pabal/result.hpp>

#include "base/intrusive_list.hpp"
#include "connection/http3_server_connection.hpp"
#include "connection/server_protocol_connection.hpp"
#include "protocol/quic/conduct.hpp"
#include "protocol/quic/stateless_server.hpp"
#include "transport/tls_context.hpp"
#include "transport/udp_listener.hpp"

namespace pabal::connection {

struct http3_endpoint_limits {
    std::size_t connections = 10'000;  ///< further ones get no answer until there is room
    /// Datagrams of no connection that are answered in a tenth of a second: Version Negotiation, Retry, stateless resets.
    std::size_t answers = 1000;
    /// Connections in their handshake from which on a client's address must be proven first. 0: always.
    std::size_t unproven = 64;
    /// Requests may come with the first datagram of a client that was here before (0-RTT, RFC 9001 section 4.6). Anybody who saw them
    /// can send them again: those whose method is not safe are answered 425 (RFC 8470).
    bool early_data = false;
};

class http3_endpoint final : private transport::udp_observer,
                             private reactor::deferred,
                             public server_protocol_observer {
public:
    /// `tls`: a server's context that offers "h3". The environment must outlive the endpoint. Errors: of the socket (phase prepare).
    static result<std::unique_ptr<http3_endpoint>> listen(const server_environment& environment, std::string_view host,
                                                          std::uint16_t port, transport::tls_context_ptr tls,
                                                          const http3_endpoint_limits& limits = {},
                                                          const quic::conduct& conduct = {});
    ~http3_endpoint();
    http3_endpoint(const http3_endpoint&) = delete;
    http3_endpoint& operator=(const http3_endpoint&) = delete;

    const transport::socket_address& local() const noexcept { return socket_->local(); }
    /// No more connections; those that there are finish the requests under way, and close.
    void finish();
    /// Closes all of them now.
    void close(server_close_reason reason);
    std::size_t connections() const noexcept { return count_; }

    // For its connections.
    const server_environment& environment() const noexcept { return environment_; }
    const transport::tls_context_ptr& tls() const noexcept { return tls_; }
    bool takes_early_data() const noexcept { return limits_.early_data; }
    const quic::conduct& conduct() const noexcept { return conduct_; }
    const quic::stateless_server& stateless() const noexcept { return stateless_; }
    void route(std::string_view id, http3_server_connection& to) { routes_.insert_or_assign(std::string(id), &to); }
    void unroute(std::string_view id);
    /// The handshake of one is over.
    void note_proven() noexcept { --unproven_; }
    transport::io_outcome send(std::string_view bytes, std::size_t segment, transport::ecn_mark mark,
                               const transport::datagram_route& route) {
        return socket_->send(bytes, segment, mark, route);
    }

private:
    struct hash {
        using is_transparent = void;
        /// Some of the IDs are the clients' choice: nobody shall know which of them collide.
        std::size_t operator()(std::string_view text) const noexcept {
            return static_cast<std::size_t>(
                SIPHASH_24(key.data(), reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
        }
        hash();
        std::array<std::uint64_t, 2> key;
    };

    http3_endpoint(const server_environment& environment, transport::tls_context_ptr tls,
                   const http3_endpoint_limits& limits, const quic::conduct& conduct)
        : environment_(environment), tls_(std::move(tls)), limits_(limits), conduct_(conduct) {}
    void on_datagrams() override { receive(); }
    void run_deferred() override { receive(); }
    void on_closed(server_protocol_connection& closed, server_close_reason reason) override;
    void receive();
    void take(const transport::datagram_arrival& arrived);
    void greet(const transport::datagram_arrival& arrived);
    void answer(const transport::datagram_arrival& arrived, std::string_view said);
    bool may_answer();

    const server_environment& environment_;
    transport::tls_context_ptr tls_;
    http3_endpoint_limits limits_;
    quic::conduct conduct_;
    quic::stateless_server stateless_;
    std::unique_ptr<transport::udp_listener> socket_;
    std::unordered_map<std::string, http3_server_connection*, hash, std::equal_to<>> routes_;
    base::intrusive_list<http3_server_connection, endpoint_connection> connections_;
    std::size_t count_ = 0;
    std::size_t unproven_ = 0;
    bool finishing_ = false;
    std::size_t answered_ = 0;  ///< since then:
    reactor::time_point answers_counted_from_{};
};

}  // namespace pabal::connection
