#pragma once
/// \file
/// Two QUIC machines, a network between them that takes time and may lose what it carries, and a clock that runs only as
/// something happens.

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <pabal/tls.hpp>

#include "protocol/quic/first_datagram.hpp"
#include "protocol/quic/machine.hpp"
#include "transport/quic_tls.hpp"
#include "transport/throw_away_certificate.hpp"

namespace pabal::quic::testing {

using namespace std::chrono_literals;

inline std::string address(std::uint16_t port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(port);
    made.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return {reinterpret_cast<const char*>(&made), sizeof made};
}

class quic_world {
public:
    using sender = std::function<result<machine::datagrams>(std::span<char>, time_point)>;

    /// `offered`: what the server agrees to speak. Its certificate signs itself: who verifies does not trust it.
    explicit quic_world(const std::string& offered = "h3", bool verify = false) {
        const std::vector<std::string> names{"quic.example"};
        const auto identity = transport::self_signed_certificate(names).value();
        tls_server_options serving;
        serving.certificate = identity.certificate;
        serving.key = identity.key;
        serving.application_protocols = {offered};
        server_context_ = transport::tls_context::make_server(serving).value();
        tls_options asking;
        asking.verify = verify;
        client_context_ = transport::tls_context::make_client(asking).value();
        renew();
    }

    /// Another connection of the same two.
    void renew() {
        client.reset();
        server.reset();
        to_server_.clear();
        to_client_.clear();
        client_tls = transport::quic_tls::connect(client_context_, {"quic.example", "quic.example"}).value();
        server_tls = transport::quic_tls::accept(server_context_).value();
    }

    void begin_client(stream_user& user, const limits& limits = {}) {
        client = machine::client(client_tls->native(), {address(1), address(2)}, user, limits, now,
                                 {client_tls->remembered(), client_tls->address_token()}, client_conduct)
                     .value();
        client_sends = [this](std::span<char> space, time_point at) { return client->send(space, at); };
    }
    /// The server is made when the first datagram comes.
    void begin_server(stream_user& user, limits limits = {}) {
        if (limits.peer_streams == 0) limits.peer_streams = 100;
        server_user_ = &user;
        server_limits_ = limits;
    }

    /// It is gone, without a word, for ever.
    void lose_server() {
        server.reset();
        server_user_ = nullptr;
    }

    /// Lets things happen, and time go by, until `done`; false when that took `patience` of the clock that runs here.
    bool run_until(const std::function<bool()>& done, std::chrono::milliseconds patience = 60s) {
        const time_point end = now + patience;
        while (!done()) {
            if (client) send(client_sends, to_server_);
            if (server)
                send([this](std::span<char> space, time_point at) { return server->send(space, at); }, to_client_);
            if (done()) return true;
            const auto next = next_event();
            if (!next || *next > end) {
                now = end;
                return done();
            }
            now = std::max(now, *next);
            act();
        }
        return true;
    }
    /// The server takes early data of clients that resume a session from now on, and gives such sessions.
    void take_early_data() {
        SSL_set_early_data_enabled(server_tls->native(), 1);
        static constexpr std::uint8_t same_settings[] = "the same settings";
        SSL_set_quic_early_data_context(server_tls->native(), same_settings, sizeof same_settings);
    }
    void settle(std::chrono::milliseconds time = 200ms) {
        (void)run_until([] { return false; }, time);
    }

    time_point now{1h};
    std::unique_ptr<transport::quic_tls> client_tls;
    std::unique_ptr<transport::quic_tls> server_tls;
    conduct client_conduct, server_conduct;  ///< of machines that are made from now on
    std::unique_ptr<machine> client;
    std::unique_ptr<machine> server;
    sender client_sends;
    std::function<void(std::unique_ptr<machine>&)> on_server_made;
    std::function<bool(std::string_view datagram, bool to_server)> loses;
    std::function<bool()> repeats;                         ///< the next datagram arrives twice
    std::function<std::chrono::milliseconds()> straggles;  ///< by how much it is late, and others overtake it
    bool bleaches = false;                                 ///< the network takes ECN marks off
    std::chrono::milliseconds delay{5};
    std::size_t datagrams_carried = 0;
    std::size_t marks_of_client = 0;  ///< its datagrams that say that they know ECN

private:
    struct flying {
        time_point arrives;
        std::string datagram;
        std::uint8_t mark;
    };

    void send(const sender& from, std::deque<flying>& into) {
        std::string space(65'000, ' ');
        for (;;) {
            const auto made = from(space, now);
            if (!made || made->size == 0) return;
            for (std::size_t at = 0; at < made->size; at += made->segment) {
                const std::string_view datagram =
                    std::string_view(space).substr(at, std::min(made->segment, made->size - at));
                ++datagrams_carried;
                if (&into == &to_server_) marks_of_client += made->ecn != 0 ? 1 : 0;
                if (loses && loses(datagram, &into == &to_server_)) continue;
                for (int copies = repeats && repeats() ? 2 : 1; copies > 0; --copies) {
                    const time_point arrives = now + delay + (straggles ? straggles() : 0ms);
                    const auto place = std::ranges::upper_bound(into, arrives, {}, &flying::arrives);
                    into.insert(place, {arrives, std::string(datagram), bleaches ? std::uint8_t{0} : made->ecn});
                }
            }
        }
    }
    std::optional<time_point> next_event() const {
        std::optional<time_point> next;
        const auto consider = [&next](std::optional<time_point> other) {
            if (other && (!next || *other < *next)) next = other;
        };
        if (!to_server_.empty()) consider(to_server_.front().arrives);
        if (!to_client_.empty()) consider(to_client_.front().arrives);
        if (client) consider(client->deadline());
        if (server) consider(server->deadline());
        return next;
    }
    void act() {
        while (!to_server_.empty() && to_server_.front().arrives <= now) {
            const auto [arrived, datagram, mark] = std::move(to_server_.front());
            to_server_.pop_front();
            if (!server) {
                if (!server_user_) continue;
                server = single_.greet(server_tls->native(), {address(2), address(1)}, datagram, *server_user_,
                                       server_limits_, now, server_conduct);
                if (!server) continue;
                if (on_server_made) on_server_made(server);
            }
            (void)server->receive(datagram, mark, now);
            if (server->asks_for_retry()) {  // the client's next try is the first
                server.reset();
                server_tls = transport::quic_tls::accept(server_context_).value();
            }
        }
        while (!to_client_.empty() && to_client_.front().arrives <= now) {
            const auto [arrived, datagram, mark] = std::move(to_client_.front());
            to_client_.pop_front();
            if (client) (void)client->receive(datagram, mark, now);
        }
        for (auto* each : {client.get(), server.get()}) {
            if (each && each->deadline() && *each->deadline() <= now) (void)each->on_deadline(now);
        }
    }

    transport::tls_context_ptr server_context_;
    transport::tls_context_ptr client_context_;
    single_server single_;
    stream_user* server_user_ = nullptr;
    limits server_limits_;
    std::deque<flying> to_server_;
    std::deque<flying> to_client_;
};

}  // namespace pabal::quic::testing
